"""Goods that changed place inside the house, as the ERP of whose goods they are is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tillbridge.canonical.documents import IN_TRANSIT, SubmitDocument
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.stock import (
    StockAdjusted,
    StockLine,
    TransferDispatched,
    TransferReceived,
)
from tillbridge.orchestration.policies import Keeper, Policies
from tillbridge.orchestration.stock_moves import Moving, stock_moves

US, CA = Keeper("us", "erp", "USD"), Keeper("ca", "erp", "CAD")
POLICIES = Policies(keepers={"wh": US, "store": US, "tor": CA})
WAY: dict[str, Any] = {"transfer": "T-1", "origin": "wh", "destination": "tor"}


def about(key: str, source: str = "feed") -> dict[str, Any]:
    return {
        "key": key,
        "id": f"{key}/1",
        "source": source,
        "mapping": "test/1",
        "occurred_at": datetime(2026, 3, 2, tzinfo=UTC),
        "business_date": date(2026, 3, 2),
        "entities": Entities(selling="us"),
    }


def told(body: Moving) -> list[tuple[str, str, str, int]]:
    """(entity, from, to, thousandths) of each move."""
    found = []
    for document in stock_moves(body, POLICIES):
        assert isinstance(document, SubmitDocument)
        assert document.kind == "stock_move"
        assert document.stock_move is not None
        move = document.stock_move
        total = sum(line.quantity for line in move.lines)
        found.append((document.entity, move.origin, move.destination, total))
    return found


def test_a_transfer_goes_onto_the_way_and_off_it() -> None:
    lines = (StockLine("1", "sku", 3000), StockLine("2", "sku-2", 1000))
    sent = TransferDispatched(**about("transfer/T-1"), **WAY, lines=lines)
    come = TransferReceived(**about("transfer/T-1"), **WAY, lines=lines[:1])
    assert told(sent) == [("us", "wh", IN_TRANSIT, 4000)]
    assert told(come) == [("ca", IN_TRANSIT, "tor", 3000)]


def test_what_was_found_comes_from_nowhere_and_what_was_lost_goes_there() -> None:
    lines = (
        StockLine("1", "sku", -2000, "wh"),
        StockLine("2", "sku", 500, "wh"),
        StockLine("3", "sku", -1000, "store"),
        StockLine("4", "sku", 0, "store"),
    )
    body = StockAdjusted(**about("adjustment/feed/A-1"), lines=lines, reason="shrinkage")
    assert told(body) == [
        ("us", "store", "", 1000),
        ("us", "wh", "", 2000),
        ("us", "", "wh", 500),
    ]
    operations = [document.id for document in stock_moves(body, POLICIES)]
    assert len(set(operations)) == 3
    assert operations == [document.id for document in stock_moves(body, POLICIES)]


def test_no_erp_is_told_what_it_told_itself_or_what_it_does_not_keep() -> None:
    lines = (StockLine("1", "sku", -1000, "wh"),)
    own = StockAdjusted(**about("adjustment/erp/A-1", "erp"), lines=lines, reason="count")
    assert told(own) == []
    elsewhere = (StockLine("1", "sku", -1000, "unkept"),)
    other = StockAdjusted(**about("adjustment/feed/A-2"), lines=elsewhere, reason="count")
    assert told(other) == []
