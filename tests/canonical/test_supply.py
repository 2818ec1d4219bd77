"""Transfer orders and their cancellations are written and read as they are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.registry import decode, encode, version_of
from tillbridge.canonical.stock import StockLine
from tillbridge.canonical.supply import TransferCancelled, TransferOrdered

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOLD: dict[str, Any] = {
    "key": "transfer/T1",
    "id": "transfer/T1@1",
    "source": "hub",
    "mapping": "hub/1",
    "occurred_at": AT,
    "business_date": AT.date(),
    "entities": Entities(selling="us"),
    "transfer": "T1",
}
WAY: dict[str, Any] = {"version": "1", "origin": "wh", "destination": "store"}


@pytest.mark.parametrize(
    "fact",
    [
        TransferOrdered(**TOLD, **WAY, lines=(StockLine("1", "p", 1000),), due_at=AT, asked="erp"),
        TransferCancelled(**TOLD, reason="no need"),
    ],
)
def test_what_is_told_of_a_transfer_order_is_read_as_it_was_written(fact: Fact) -> None:
    name = type(fact).__name__
    assert decode(name, version_of(name), encode(fact)) == fact
