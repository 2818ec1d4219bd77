"""Backorders: promised out of supply, served when it comes, told when it does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import Connection

from tests.posting.stock_facts import NOON, carried, described
from tests.posting.test_stock_book import level, lies, move, take
from tillbridge.canonical.stock import (
    ReserveStock,
    StockLine,
    StockReceived,
    StockReserved,
    StockShort,
    SupplyExpected,
)

PLACES = ("wh", "a")


def expected(
    quantity: int, version: str = "1", supply: str = "po", product: str = "p", **words: Any
) -> SupplyExpected:
    full: dict[str, Any] = {
        **carried(f"supply/{supply}", version),
        "location": "wh",
        "due_at": NOON + timedelta(days=3),
        "lines": (StockLine("1", product, quantity),),
        **words,
    }
    return SupplyExpected(supply=supply, version=version, **full)


def received(quantity: int, supply: str = "po", name: str = "r1") -> StockReceived:
    lines = (StockLine("1", "p", quantity, "wh"),)
    return StockReceived(**carried(f"supply/{supply}", name), supply=supply, lines=lines)


def ask(key: str, quantity: int, version: int = 1, minutes: int = 0, **words: Any) -> ReserveStock:
    full: dict[str, Any] = {
        "lines": (StockLine("1", "p", quantity),) if quantity else (),
        "locations": PLACES,
        "backorder": True,
        **words,
    }
    return ReserveStock(
        key=key,
        id=f"{key}/hold/{version}",
        version=version,
        occurred_at=NOON + timedelta(minutes=minutes),
        **full,
    )


def promised(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    rows = connection.execute(
        "select key, supply, quantity from promise order by key, supply"
    ).fetchall()
    connection.rollback()
    return rows


def _answer(connection: Connection[Any], body: ReserveStock) -> StockReserved | StockShort:
    (outcome,) = take(connection, [body])
    (answer,) = outcome.emits
    assert isinstance(answer, StockReserved | StockShort)
    return answer


def test_what_is_there_is_reserved_and_the_rest_is_promised(connection: Connection[Any]) -> None:
    take(connection, [move("in", 3), expected(5)])
    answer = _answer(connection, ask("x", 5))
    assert isinstance(answer, StockReserved)
    assert [(one.location, one.quantity) for one in answer.lines] == [("wh", 3)]
    assert [(one.location, one.quantity) for one in answer.promised] == [("wh", 2)]
    assert level(connection) == (3, 3)
    assert promised(connection) == [("x", "po", 2)]


def test_no_more_is_promised_than_will_come(connection: Connection[Any]) -> None:
    take(connection, [expected(5)])
    answers = [_answer(connection, ask(key, 3)) for key in ("x", "y")]
    assert [type(one).__name__ for one in answers] == ["StockReserved", "StockShort"]
    assert isinstance(_answer(connection, ask("z", 2)), StockReserved)


def test_a_channel_without_backorders_promises_only_what_is_on_preorder(
    connection: Connection[Any],
) -> None:
    take(connection, [expected(5), expected(5, supply="pq", product="q")])
    assert isinstance(_answer(connection, ask("x", 1, backorder=False)), StockShort)
    on_preorder = ask("y", 1, backorder=False, preorder=("p",))
    assert isinstance(_answer(connection, on_preorder), StockReserved)


def test_supply_that_is_overdue_is_promised_to_nobody(connection: Connection[Any]) -> None:
    take(connection, [expected(5, due_at=NOON - timedelta(minutes=1))])
    assert isinstance(_answer(connection, ask("x", 1)), StockShort)


def test_the_goods_serve_the_orders_in_the_order_in_which_they_were_placed(
    connection: Connection[Any],
) -> None:
    take(connection, [expected(9)])
    for minutes, key in enumerate(("c", "b", "a")):
        take(connection, [ask(key, 3, minutes=minutes)])
    (outcome,) = take(connection, [received(4)])
    told = [one for one in outcome.emits if isinstance(one, StockReserved)]
    held = [(one.key, one.turn, sum(li.quantity for li in one.lines)) for one in told]
    assert held == [("c", 1, 3), ("b", 1, 1)]
    assert promised(connection) == [("a", "po", 3), ("b", "po", 2)]
    assert level(connection) == (4, 4)
    (rest,) = take(connection, [received(5, name="r2")])
    assert [(one.key, getattr(one, "turn", 0)) for one in rest.emits] == [("b", 2), ("a", 1)]
    assert promised(connection) == []
    assert level(connection) == (9, 9)
    (again,) = take(connection, [received(5, name="r2")])
    assert again.emits == ()
    assert lies(connection) == []


def test_goods_a_till_took_before_they_were_booked_serve_nobody(
    connection: Connection[Any],
) -> None:
    take(connection, [expected(3), move("sale", -2)])
    take(connection, [ask("x", 3)])
    (outcome,) = take(connection, [received(3)])
    answers = [type(one).__name__ for one in outcome.emits]
    assert answers == ["StockReserved", "StockShort"]  # one piece came for three; then no more will
    assert level(connection) == (1, 0)
    assert lies(connection) == []


def test_a_supply_that_closes_short_ends_the_newest_promises(connection: Connection[Any]) -> None:
    take(connection, [expected(6), move("in", 2, place="a")])
    take(connection, [ask("x", 3, locations=("wh",))])
    take(connection, [ask("y", 3, minutes=1, locations=("wh",))])
    (outcome,) = take(connection, [expected(4, version="2")])
    (short,) = outcome.emits
    assert isinstance(short, StockShort)
    assert (short.key, short.wanted, short.turn) == ("y", 3, 1)
    assert promised(connection) == [("x", "po", 3)]
    take(connection, [expected(4, version="3", closed=True)])
    assert promised(connection) == []


def test_a_promise_moves_to_goods_that_are_there_or_to_another_supply(
    connection: Connection[Any],
) -> None:
    take(connection, [expected(3), expected(3, supply="po2")])
    take(connection, [ask("x", 3)])
    take(connection, [expected(0, version="2")])
    assert promised(connection) == [("x", "po2", 3)]
    take(connection, [move("in", 3, place="a")])
    (outcome,) = take(connection, [expected(0, version="2", supply="po2")])
    (answer,) = outcome.emits
    assert isinstance(answer, StockReserved)
    assert (answer.location, answer.promised, answer.turn) == ("a", (), 2)


def test_versions_and_receipts_of_a_supply_may_come_in_any_order(
    connection: Connection[Any],
) -> None:
    take(connection, [received(2), expected(5, version="2"), expected(9, version="1")])
    take(connection, [expected(5, version="2")])
    assert isinstance(_answer(connection, ask("x", 6)), StockShort)
    answer = _answer(connection, ask("y", 5))
    assert isinstance(answer, StockReserved)
    assert promised(connection) == [("y", "po", 3)]


def test_a_smaller_demand_gives_up_its_promises_first(connection: Connection[Any]) -> None:
    take(connection, [move("in", 3), expected(5)])
    take(connection, [ask("x", 5)])
    take(connection, [ask("x", 4, 2)])
    assert promised(connection) == [("x", "po", 1)]
    take(connection, [ask("x", 2, 3)])
    assert (promised(connection), level(connection)) == ([], (3, 2))
    take(connection, [ask("x", 0, 4)])
    assert level(connection) == (3, 0)


def test_what_ships_of_a_backorder_leaves_the_rest_promised(connection: Connection[Any]) -> None:
    take(connection, [move("in", 3), expected(5)])
    take(connection, [ask("x", 5)])
    outcomes = take(connection, [ask("x", 2, 2), move("ship", -3)])
    last = [one for outcome in outcomes for one in outcome.emits][-1]
    assert isinstance(last, StockReserved)
    assert (last.version, last.turn, sum(one.quantity for one in last.promised)) == (2, 1, 2)
    assert (promised(connection), level(connection)) == ([("x", "po", 2)], (0, 0))


def test_a_late_sale_turns_a_reservation_into_a_promise(connection: Connection[Any]) -> None:
    take(connection, [move("in", 2), expected(5)])
    take(connection, [ask("x", 2)])
    (outcome,) = take(connection, [move("sale", -1)])
    (answer,) = outcome.emits
    assert isinstance(answer, StockReserved)
    assert [one.quantity for one in answer.promised] == [1]
    assert lies(connection) == []


def test_a_bundle_waits_as_a_whole(connection: Connection[Any]) -> None:
    take(connection, [described("set", components={"p": 1000, "q": 1000})])
    take(connection, [move("in", 1000, "q"), expected(2000), expected(2000, "1", "pq", "q")])
    wanted = ask("x", 0, lines=(StockLine("1", "set", 1000),))
    answer = _answer(connection, wanted)
    assert isinstance(answer, StockReserved)
    assert (answer.lines, len(answer.promised)) == ((), 2)
