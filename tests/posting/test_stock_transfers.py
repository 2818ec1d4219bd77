"""Adjustments, conditions, receipts and transfers: what moves, what is refused, what never came."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from psycopg import Connection

from tests.posting import stock_facts
from tests.posting.stock_facts import adjusted, carried, described, levels
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import (
    ConditionChanged,
    StockLine,
    StockReceived,
    TransferDispatched,
    TransferReceived,
)
from tillbridge.durable.rooms import DONE, Outcome
from tillbridge.posting.stock.room import StockBook

PLACES = frozenset({"wh", "store"})


def take(connection: Connection, *waves: Sequence[Body]) -> list[Outcome]:
    return stock_facts.take(connection, *waves, book=StockBook(locations=PLACES))


def received(quantity: int, **line: Any) -> StockReceived:
    lines = (StockLine("1", "p", quantity, **{"location": "wh", **line}),)
    return StockReceived(**carried("receipt/1", f"{quantity}"), lines=lines)


def turned(quantity: int, before: str = "sellable", after: str = "damaged") -> ConditionChanged:
    lines = (StockLine("1", "p", quantity, "wh", condition=after),)
    return ConditionChanged(
        **carried("condition/1", f"{before}{after}"), lines=lines, before=before, reason="dropped"
    )


def sent(quantity: int, name: str = "d1", to: str = "store") -> TransferDispatched:
    lines = (StockLine("1", "p", quantity),)
    way: dict[str, Any] = {"transfer": "T1", "origin": "wh", "destination": to}
    return TransferDispatched(**carried("transfer/T1", name), **way, lines=lines)


def arrived(quantity: int, name: str = "r1", *, complete: bool = True) -> TransferReceived:
    lines = (StockLine("1", "p", quantity),) if quantity else ()
    way: dict[str, Any] = {"transfer": "T1", "origin": "wh", "destination": "store"}
    return TransferReceived(**carried("transfer/T1", name), **way, lines=lines, complete=complete)


def reasons(outcomes: Sequence[Outcome]) -> list[str]:
    found = [notice.reason for outcome in outcomes for notice in outcome.notices]
    return found + [outcome.decision.reason for outcome in outcomes if outcome.decision]


def test_receipts_adjustments_and_conditions_move_what_they_say(connection: Connection) -> None:
    told = [received(9000), adjusted("a", -1000), turned(2000), turned(500, "damaged", "sellable")]
    assert take(connection, told) == [DONE] * 4
    assert take(connection, told) == [DONE] * 4
    assert levels(connection) == {("wh", "p", "sellable"): 6500, ("wh", "p", "damaged"): 1500}
    rows = connection.execute(
        "select kind, cause, quantity from stock_movement order by n"
    ).fetchall()
    assert rows[:4] == [
        ("receipt", "", 9000),
        ("adjustment", "found", -1000),
        ("condition", "dropped", -2000),
        ("condition", "dropped", 2000),
    ]


def test_goods_on_the_way_are_the_destinations_in_transit(connection: Connection) -> None:
    take(connection, [received(9000), sent(4000)])
    assert levels(connection) == {
        ("wh", "p", "sellable"): 5000,
        ("store", "p", "in_transit"): 4000,
    }
    assert reasons(take(connection, [arrived(4000)])) == []
    assert levels(connection) == {("wh", "p", "sellable"): 5000, ("store", "p", "sellable"): 4000}


def test_what_never_arrived_is_a_case_and_stays_in_transit(connection: Connection) -> None:
    take(connection, [received(9000), sent(4000)])
    assert reasons(take(connection, [arrived(1000, complete=False)])) == []
    (outcome,) = take(connection, [arrived(2000, "r2")])
    (notice,) = outcome.notices
    assert (notice.reason, notice.details["left"]) == ("transfer_short", {"p": 1000})
    assert levels(connection)["store", "p", "in_transit"] == 1000
    assert levels(connection)["store", "p", "sellable"] == 3000


def test_a_receipt_of_nothing_loses_the_whole_transfer(connection: Connection) -> None:
    take(connection, [received(9000), sent(4000)])
    assert reasons(take(connection, [arrived(0)])) == ["transfer_short"]


def test_more_than_was_sent_is_a_case(connection: Connection) -> None:
    take(connection, [received(9000), sent(1000)])
    assert reasons(take(connection, [arrived(1500)])) == ["transfer_over"]


def test_dispatch_and_receipts_may_be_told_in_any_order(connection: Connection) -> None:
    told = [sent(3000), arrived(1000, complete=False), arrived(2000, "r2")]
    for order in permutations(told):
        for batches in ([[body] for body in order], [list(order)]):
            connection.execute("truncate stock, stock_movement")
            told_of = [found for batch in batches for found in take(connection, batch)]
            assert levels(connection) == {
                ("wh", "p", "sellable"): -3000,
                ("store", "p", "sellable"): 3000,
            }
            # a receipt that says it was the last may come before another one
            assert set(reasons(told_of)) <= {"transfer_short"}
            if order[-1] is told[2] or order[-1] is told[0]:
                assert reasons(told_of) == []


def test_bundles_and_packs_move_as_pieces(connection: Connection) -> None:
    take(connection, [described("p", components={"cup": 2000}), described("cup")])
    take(connection, [received(4000), sent(1000), arrived(1000)])
    assert levels(connection) == {
        ("wh", "cup", "sellable"): 6000,
        ("store", "cup", "sellable"): 2000,
    }


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (received(-1000), "quantity_refused"),
        (received(0), "quantity_refused"),
        (received(1000, location="moon"), "location_unknown"),
        (received(1000, location=""), "location_unknown"),
        (received(1000, condition="odd"), "condition_unknown"),
        (received(1000, unit="PAL"), "unit_unknown"),
        (received(500), "quantity_fraction"),
        (turned(1000, "odd"), "condition_unknown"),
        (turned(1000, "damaged"), "condition_unknown"),
        (turned(-1000), "quantity_refused"),
        (sent(-1000), "quantity_refused"),
        (sent(1000, to="moon"), "location_unknown"),
        (arrived(-1000), "quantity_refused"),
    ],
)
def test_what_cannot_be_is_a_case_and_books_nothing(
    connection: Connection, told: Body, why: str
) -> None:
    take(connection, [described("p")])
    assert reasons(take(connection, [told])) == [why]
    assert levels(connection) == {}
