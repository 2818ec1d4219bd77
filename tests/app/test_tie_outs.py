"""Every kind of tie-out is on the one list that people and the demo see."""

from __future__ import annotations

from pathlib import Path

from tests.stories.shop import house, line, paid_order, shipment, tax
from tests.stories.till_files import close, goods, poslog, receipt, tender
from tillbridge.app.tie_outs import every_tie_out


def test_tax_and_tills_stand_beside_payouts_and_cards(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url) as shop:
        taxed = line(1, tax_lines=[tax("0.80", 0.08)])
        shop.web("orders/create", paid_order(4711, [taxed], "10.80"))
        shop.web("fulfillments/create", shipment(1, 4711, {1: 1}))
        sold = receipt(1, [goods("A1", "10.00", "0.80"), tender("10.80")], "10.80", "0.80")
        shop.file("stores", poslog(sold, close(2, Cash="10.30")))
        shop.look_at_tills()
        found = every_tie_out(shop.hub, shop.connection, shop.hub.accounts, ())
        shop.connection.rollback()
    by_name = {one.name: one for one in found}
    owed = by_name["sales-tax/us-ny 2026-03"]
    assert (owed.books, owed.difference) == (160, 0)
    drawer = by_name["till/store-nyc/cash 2026-03"]
    assert drawer.theirs == 1030
