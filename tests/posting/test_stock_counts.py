"""Counts and late movements: whatever arrives first, the same is on hand in the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.posting import stock_facts
from tests.posting.money_facts import rung, void
from tests.posting.stock_facts import NOON, adjusted, counted, described, levels
from tests.posting.test_stock_book import lies
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import StockAdjusted, StockCounted
from tillbridge.durable.rooms import Outcome
from tillbridge.posting.stock.room import StockBook

SHELF = ("wh", "p", "sellable")


def take(connection: Connection, *waves: Sequence[Body]) -> list[Outcome]:
    return stock_facts.take(connection, *waves, book=StockBook())


def reasons(outcomes: Iterable[Outcome]) -> list[str]:
    return [notice.reason for outcome in outcomes for notice in outcome.notices]


def expected(told: Sequence[Body]) -> int:
    """The last count, the lower of two, and what moved since; all movements without one."""
    counts = [body for body in told if isinstance(body, StockCounted)]
    last = max((body.counted_at for body in counts), default=None)
    start = min((body.quantity for body in counts if body.counted_at == last), default=0)
    moved = {
        body.id: body.lines[0].quantity
        for body in told
        if isinstance(body, StockAdjusted) and (last is None or body.occurred_at >= last)
    }
    return start + sum(moved.values())


def test_a_difference_is_to_the_book_as_it_was_when_they_counted(connection: Connection) -> None:
    take(connection, [counted(10, 0)], [adjusted("late", -2, minutes=30)])
    take(connection, [counted(9, 20)])
    assert levels(connection) == {SHELF: 7}


def test_what_was_counted_already_is_booked_and_taken_back(connection: Connection) -> None:
    take(connection, [counted(10, 60)])
    assert reasons(take(connection, [adjusted("late", -2, minutes=30)])) == []
    assert levels(connection) == {SHELF: 10}
    rows = connection.execute(
        "select kind, cause, quantity from stock_movement where key like 'adj%' order by n"
    ).fetchall()
    assert rows == [("adjustment", "found", -2), ("count", "counted_already", 2)]


def test_every_order_of_arrival_in_any_batches_gives_the_same(connection: Connection) -> None:
    told = [counted(10, 10), adjusted("a", -3, minutes=5), adjusted("b", 4, minutes=20)]
    told += [counted(9, 15), adjusted("c", -1, minutes=15)]
    assert expected(told) == 12
    for order in permutations(told):
        _empty(connection)
        take(connection, order[:2], order[2:3])
        take(connection, order[3:])
        assert levels(connection) == {SHELF: 12}, [body.id for body in order]


def _empty(connection: Connection) -> None:
    connection.execute("truncate stock, stock_movement, stock_evidence")
    connection.commit()


_TOLD = st.lists(
    st.one_of(
        st.builds(counted, st.integers(0, 9), st.integers(0, 6)),
        st.builds(
            lambda n, quantity, minutes: adjusted(f"{n}/{quantity}", quantity, minutes=minutes),
            st.integers(0, 99),
            st.integers(-4, 4).filter(bool),
            st.integers(0, 6),
        ),
    ),
    max_size=8,
    unique_by=lambda body: body.id,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(told=_TOLD, choices=st.data())
def test_any_order_and_any_repetition_end_in_the_same(
    connection: Connection, told: list[Body], choices: Any
) -> None:
    _empty(connection)
    arriving = choices.draw(st.permutations(told + choices.draw(st.permutations(told))[:3]))
    cut = choices.draw(st.integers(0, len(arriving)))
    take(connection, arriving[:cut])
    take(connection, arriving[cut:])
    assert levels(connection).get(SHELF, 0) == expected(told)
    assert lies(connection) == []


def test_a_snapshot_older_than_one_booked_is_one_case_of_its_place(connection: Connection) -> None:
    take(connection, [counted(10, 60), counted(5, 60, "q")])
    old = [counted(12, 0), counted(6, 0, "q")]
    outcomes = take(connection, old)
    assert reasons(outcomes) == ["stock_snapshot_old", "stock_snapshot_old"]
    assert {o.notices[0].details["place"] for o in outcomes} == {"wh"}
    assert levels(connection) == {SHELF: 10, ("wh", "q", "sellable"): 5}


def test_a_count_told_again_later_says_nothing_new(connection: Connection) -> None:
    first, second = counted(10, 0), counted(10, 30)
    take(connection, [first], [adjusted("a", -1, minutes=10)], [second])
    assert reasons(take(connection, [first], [second])) == []
    assert levels(connection) == {SHELF: 10}


def test_of_two_counts_of_one_instant_the_lower_stands(connection: Connection) -> None:
    for order in ([counted(10, 5), counted(7, 5)], [counted(7, 5), counted(10, 5)]):
        _empty(connection)
        assert reasons(take(connection, *([body] for body in order))) == ["stock_counts_disagree"]
        assert levels(connection) == {SHELF: 7}


def test_a_void_takes_back_the_sale_and_not_what_a_count_made_of_it(
    connection: Connection,
) -> None:
    line = {"kind": "goods", "direction": "sale", "list": 1, "product": "p", "quantity": 2000}
    sale = rung(lines=[line])
    later = msgspec.structs.replace(void(sale.key, id="v", key=sale.key), occurred_at=NOON)
    count = counted(9000, -60, location="9")
    for order in permutations([sale, later, count]):
        _empty(connection)
        if order.index(sale) > order.index(later):
            continue  # a void waits for its sale before it comes here
        take(connection, *([body] for body in order))
        assert levels(connection) == {("9", "p", "sellable"): 11_000}


def test_each_condition_is_counted_for_itself(connection: Connection) -> None:
    take(connection, [counted(10, 0), counted(3, 0, condition="damaged")])
    assert levels(connection) == {SHELF: 10, ("wh", "p", "damaged"): 3}
    evidence = connection.execute("select quantity from stock_evidence").fetchall()
    assert evidence == [(10,)]


def test_a_count_in_packs_is_booked_in_the_base_unit(connection: Connection) -> None:
    take(connection, [described("p", packs={"CS": 12_000})])
    take(connection, [counted(2000, 5, unit="CS")])
    assert levels(connection) == {SHELF: 24_000}
    assert connection.execute("select quantity from stock_evidence").fetchall() == [(24_000,)]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (counted(1000, product="set"), "bundle_counted"),
        (counted(1000, location="moon"), "location_unknown"),
        (counted(1000, condition="odd"), "condition_unknown"),
        (counted(500, product="p"), "quantity_fraction"),
        (counted(1000, unit="PAL"), "unit_unknown"),
    ],
)
def test_a_count_that_cannot_be_is_a_case_and_books_nothing(
    connection: Connection, told: Body, why: str
) -> None:
    book = StockBook(locations=frozenset({"wh"}))
    items = [described("p"), described("set", components={"p": 1000})]
    stock_facts.take(connection, items, book=book)
    (outcome,) = stock_facts.take(connection, [told], book=book)
    assert outcome.decision is not None
    assert outcome.decision.reason == why
    assert levels(connection) == {}


def test_a_negative_count_is_told_and_not_booked(connection: Connection) -> None:
    take(connection, [counted(10, 0)])
    assert reasons(take(connection, [counted(-3, 5)])) == ["stock_count_negative"]
    assert levels(connection) == {SHELF: 10}
