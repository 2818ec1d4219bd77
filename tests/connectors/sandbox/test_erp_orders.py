"""The sandbox ERP's rules of what follows a sales order, and the stock its goods papers move."""

from __future__ import annotations

from pathlib import Path

from tests.connectors.sandbox.erp_desk import (
    Desk,
    cancel,
    change,
    desk,
    goods,
    sales_order,
    stock_move,
)
from tillbridge.canonical.documents import SubmitDocument


def words_of(erp: Desk, document: SubmitDocument) -> str:
    """Nothing when it is accepted."""
    (receipt,) = erp.deliver(document)
    return "" if receipt.outcome == "accepted" else f"{receipt.outcome}: {receipt.words}"


def test_goods_out_back_and_inside_move_the_stock_of_their_places(tmp_path: Path) -> None:
    with desk(tmp_path) as erp:
        erp.erp.store.set_stock([("wh-east", "P1001", 9_000), ("store", "P1001", 1_000)])
        for document in (
            sales_order("s-1"),
            goods("delivery", "d-1", "s-1", 2),
            goods("delivery", "d-1", "s-1", 2),
            goods("customer_return", "r-1", "s-1"),
            stock_move("t-1", "wh-east", "in_transit", 3),
            stock_move("t-2", "in_transit", "store", 2),
            stock_move("t-3", "store", ""),
        ):
            assert words_of(erp, document) == ""
        held = {
            place: dict(erp.erp.store.stock(place, "", 9)).get("P1001")
            for place in ("wh-east", "store", "TRANSIT")
        }
        assert held == {"wh-east": 5_000, "store": 2_000, "TRANSIT": 1_000}


def test_a_cancelled_order_ships_nothing_until_a_change_opens_it(tmp_path: Path) -> None:
    with desk(tmp_path) as erp:
        erp.deliver(sales_order("s-1"))
        erp.deliver(cancel("x-1", "s-1"))
        refused = words_of(erp, goods("delivery", "d-1", "s-1"))
        assert refused == "refused: sales order s-1 is cancelled"
        assert "already" in words_of(erp, cancel("x-2", "s-1"))
        assert words_of(erp, change("c-1", "s-1")) == ""
        assert words_of(erp, goods("delivery", "d-2", "s-1")) == ""


def test_an_order_whose_goods_are_out_is_not_cancelled(tmp_path: Path) -> None:
    with desk(tmp_path) as erp:
        erp.deliver(sales_order("s-1"))
        erp.deliver(goods("delivery", "d-1", "s-1"))
        assert "are with the buyer" in words_of(erp, cancel("x-1", "s-1"))
        assert "2 come back, 1 went" in words_of(erp, goods("customer_return", "r-1", "s-1", 2))
        assert words_of(erp, goods("customer_return", "r-2", "s-1")) == ""
        assert words_of(erp, cancel("x-2", "s-1")) == ""


def test_what_follows_an_order_needs_the_order(tmp_path: Path) -> None:
    with desk(tmp_path) as erp:
        for document in (
            change("c-1", "s-9"),
            cancel("x-1", "s-9"),
            goods("delivery", "d-1", "s-9"),
            goods("customer_return", "r-1", "s-9"),
        ):
            assert words_of(erp, document) == "refused: sales order s-9 is unknown"


def test_a_move_from_nowhere_to_nowhere_is_refused(tmp_path: Path) -> None:
    with desk(tmp_path) as erp:
        assert "names no location" in words_of(erp, stock_move("t-1", "", ""))
