"""What a real Tryton has on hand per warehouse, before and after goods go out."""

from __future__ import annotations

import pytest

from tests.connectors.tryton.live import Live, charge, document_line, order_line, sale
from tillbridge.app.erp.beside import Erp
from tillbridge.atoms.errors import Refused

# The first run on a machine installs Tryton and fills its database.
pytestmark = pytest.mark.timeout(900)


def on_hand(live: Live, place: str) -> dict[str, int]:
    """Thousandths by product code."""
    page = live.connector.stock(place, "", live.connection, live.secrets, live.transport)
    assert not page.more
    return {held.products[0]: held.quantity for held in page.held}


def test_goods_that_went_out_with_an_invoice_are_missing_in_their_warehouse(erp: Erp) -> None:
    live = Live(erp, ship_with_invoice=True)
    before, store = on_hand(live, "wh-1"), on_hand(live, "store-1")
    assert {"sku-1", "sku-2"} <= before.keys()
    order = sale(order_line("1", 1000, quantity=3000, product="sku-2"))
    invoice = charge("invoice", order.id, document_line("1", 1000, quantity=3000, product="sku-2"))
    for receipt in live.deliver(order, invoice):
        assert receipt.outcome == "accepted", receipt.words
    after = on_hand(live, "wh-1")
    assert after["sku-2"] == before["sku-2"] - 3000
    assert on_hand(live, "store-1") == store


def test_a_warehouse_tryton_does_not_know_is_refused(live: Live) -> None:
    with pytest.raises(Refused, match="no warehouse"):
        on_hand(live, "moon")
