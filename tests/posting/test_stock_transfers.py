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
    ReserveStock,
    StockAdjusted,
    StockLine,
    StockReceived,
    StockReserved,
    StockShort,
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


def wanted(version: int, *lines: StockLine, key: str = "transfer/T1") -> ReserveStock:
    return ReserveStock(
        key=key,
        id=f"{key}/hold/{version}",
        version=version,
        lines=tuple(lines),
        locations=("wh",),
        occurred_at=stock_facts.NOON,
        kind="transfer" if key.startswith("transfer") else "firm",
    )


def holds(connection: Connection) -> dict[tuple[str, str], int]:
    rows = connection.execute("select key, line, quantity from reservation").fetchall()
    connection.rollback()
    return {(key, line): quantity for key, line, quantity in rows}


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


def test_what_leaves_of_a_transfer_is_taken_off_its_hold_and_told(connection: Connection) -> None:
    lines = (StockLine("1", "p", 4000), StockLine("2", "p", 3000))
    take(connection, [received(9000), wanted(1, *lines)])
    (outcome,) = take(connection, [sent(5000)])
    assert holds(connection) == {("transfer/T1", "2"): 2000}
    (told,) = outcome.emits
    assert isinstance(told, StockReserved)
    assert (told.version, told.turn) == (1, 1)
    assert [(one.line, one.quantity) for one in told.lines] == [("2", 2000)]
    take(connection, [wanted(2)])
    assert holds(connection) == {}


def test_what_left_before_it_was_ordered_is_not_held_again(connection: Connection) -> None:
    take(connection, [described("p", packs={"CS": 4000}), received(9000), sent(3000)])
    take(connection, [wanted(1, StockLine("1", "p", 2000, unit="CS"))])
    assert holds(connection) == {("transfer/T1", "1"): 5000}
    (outcome,) = take(connection, [sent(9000, "d2")])
    assert holds(connection) == {}
    assert [type(fact) for fact in outcome.emits] == [StockReserved]


def test_what_others_hold_is_not_what_a_transfer_that_leaves_takes(connection: Connection) -> None:
    take(connection, [received(9000), wanted(1, StockLine("1", "p", 5000), key="order/web/1")])
    take(connection, [wanted(1, StockLine("1", "p", 4000))])
    (outcome,) = take(connection, [sent(4000)])
    assert holds(connection) == {("order/web/1", "1"): 5000}
    assert [type(fact) for fact in outcome.emits] == [StockReserved]


def test_an_order_whose_goods_are_gone_takes_them_from_a_transfer(connection: Connection) -> None:
    take(connection, [received(9000), wanted(1, StockLine("1", "p", 5000), key="order/web/1")])
    take(connection, [wanted(1, StockLine("1", "p", 4000))])
    (outcome,) = take(connection, [adjusted("a", -2000)])
    assert holds(connection) == {("order/web/1", "1"): 5000}
    assert [(type(fact), fact.key) for fact in outcome.emits] == [(StockShort, "transfer/T1")]


def test_what_is_written_off_of_a_transfer_is_missing_no_more(connection: Connection) -> None:
    take(connection, [received(9000), sent(4000), arrived(3000)])
    lines = (StockLine("1", "p", -1000, "store", "in_transit"),)
    written = StockAdjusted(**carried("transfer/T1", "w1"), lines=lines, reason="lost")
    (outcome,) = take(connection, [written])
    assert outcome.settles == ("transfer_short", "transfer_over")
    assert levels(connection) == {("wh", "p", "sellable"): 5000, ("store", "p", "sellable"): 3000}
