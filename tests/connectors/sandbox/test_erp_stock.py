"""The sandbox ERP's stock: what was counted there, less the goods of accepted invoices."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.connectors.sandbox.erp_desk import KEY, Desk, connection_to, desk, invoice, sales_order
from tillbridge.contract.levels import Held


def told(erp: Desk, place: str) -> list[Held]:
    """All pages of a location."""
    held: list[Held] = []
    cursor, more = "", True
    while more:
        page = erp.connector.stock(
            place, cursor, connection_to(erp.erp.address), {"api_key": KEY}, erp.transport
        )
        assert page.as_of is not None
        held += page.held
        cursor, more = page.cursor, page.more
    return held


def test_an_invoice_takes_its_goods_once(tmp_path: Path) -> None:
    with desk(tmp_path) as erp:
        erp.erp.store.set_stock([("wh-east", "P1001", 9_000), ("store", "P1001", 1_000)])
        plain = invoice("i-1", "s-1")
        assert plain.invoice is not None
        body = msgspec.structs.replace(plain.invoice, location="wh-east")
        sent = msgspec.structs.replace(plain, invoice=body)
        erp.deliver(sales_order("s-1"), sent, invoice("i-2", "s-1"))
        erp.deliver(sent)
        (held,) = told(erp, "wh-east")
        assert held.products == ("P1001",)
        assert held.quantity == 7_000
        assert told(erp, "store") == [Held(("P1001",), 1_000)]


@pytest.mark.parametrize("count", [0, 1, 200, 401])
def test_pages_hold_every_product_once(tmp_path: Path, count: int) -> None:
    with desk(tmp_path) as erp:
        erp.erp.store.set_stock([("w", f"P{n:04}", n * 1000 + 1) for n in range(count)])
        assert told(erp, "w") == [Held((f"P{n:04}",), n * 1000 + 1) for n in range(count)]
