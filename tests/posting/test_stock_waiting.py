"""Orders that went short are asked again when goods come that would serve them, the first first."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from tests.posting.stock_facts import NOON, adjusted
from tests.posting.test_stock_book import move, take
from tests.posting.test_stock_supply import ask, expected
from tillbridge.canonical.registry import Body, decode
from tillbridge.canonical.stock import SourcingAsked, StockLine
from tillbridge.durable.session import connect
from tillbridge.posting.stock.activation import RulesInForce, activate
from tillbridge.posting.stock.waiting import ask_again

FIRM: dict[str, Any] = {"backorder": False}


def asked(connection: Connection[Any]) -> list[str]:
    """Who is asked again now."""
    known = _told(connection)
    ask_again(connection, RulesInForce(), NOON)
    return [body.key for body in _told(connection)[len(known) :]]


def _told(connection: Connection[Any]) -> list[SourcingAsked]:
    rows = connection.execute(
        "select type, version, body from record where type = 'SourcingAsked' order by id"
    ).fetchall()
    connection.rollback()
    found = [decode(kind, version, bytes(body)) for kind, version, body in rows]
    return [body for body in found if isinstance(body, SourcingAsked)]


def _waiting(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    rows = connection.execute("select key, version, wanted from waiting order by key").fetchall()
    connection.rollback()
    return rows


def test_an_order_is_asked_again_once_and_only_when_enough_has_come(
    connection: Connection[Any],
) -> None:
    take(connection, [move("in", 1), ask("x", 3, **FIRM)])
    assert _waiting(connection) == [("x", 1, 3)]
    assert asked(connection) == []
    take(connection, [adjusted("more", 1)])
    assert asked(connection) == []
    take(connection, [adjusted("enough", 1)])
    assert asked(connection) == ["x"]
    assert asked(connection) == []
    (told,) = _told(connection)
    assert (told.version, told.turn) == (1, 0)
    take(connection, [ask("x", 3, 2, **FIRM)])
    assert _waiting(connection) == []


def test_what_comes_goes_to_those_who_ordered_first(connection: Connection[Any]) -> None:
    asks: list[Body] = [
        ask("late", 2, minutes=9, **FIRM),
        ask("big", 5, minutes=1, **FIRM),
        ask("soon", 2, minutes=3, **FIRM),
        ask("next", 2, minutes=5, **FIRM),
    ]
    take(connection, asks)
    take(connection, [adjusted("some", 4)])
    assert asked(connection) == ["soon", "next"]
    assert asked(connection) == []
    take(connection, [adjusted("more", 2)])
    assert asked(connection) == ["big"]


def test_an_order_that_still_goes_short_is_asked_when_more_comes(
    connection: Connection[Any],
) -> None:
    take(connection, [ask("x", 2, **FIRM)])
    take(connection, [adjusted("some", 2)])
    assert asked(connection) == ["x"]
    take(connection, [ask("y", 2, **FIRM), ask("x", 2, 2, **FIRM)])
    assert asked(connection) == []
    take(connection, [adjusted("more", 2)])
    assert asked(connection) == ["x"]
    assert _told(connection)[-1].version == 2


def test_all_its_lines_must_be_there_at_places_it_may_use(connection: Connection[Any]) -> None:
    lines = (StockLine("1", "p", 2), StockLine("2", "q", 1))
    take(connection, [ask("x", 1, lines=lines, **FIRM)])
    take(connection, [adjusted("p", 2), move("q", 1, product="q", place="elsewhere")])
    assert asked(connection) == []
    take(connection, [move("qq", 1, product="q", place="a")])
    assert asked(connection) == []
    take(connection, [adjusted("q", 1, "q")])
    assert asked(connection) == ["x"]


def test_safety_stock_is_not_given_to_those_who_wait(connection: Connection[Any]) -> None:
    activate(connection, '[[rule]]\nsafety_stock = "0.002"\n', "anne", "")
    connection.commit()
    take(connection, [ask("x", 2, **FIRM)])
    take(connection, [adjusted("some", 3)])
    assert asked(connection) == []
    take(connection, [adjusted("more", 1)])
    assert asked(connection) == ["x"]


def test_an_order_that_lost_what_it_held_waits_for_all_of_it(connection: Connection[Any]) -> None:
    take(connection, [move("in", 2), ask("x", 2, **FIRM)])
    take(connection, [adjusted("gone", -1)])
    assert _waiting(connection) == [("x", 1, 2)]
    assert asked(connection) == []
    take(connection, [adjusted("found", 1)])
    assert asked(connection) == ["x"]
    assert _told(connection)[-1].turn == 1


def test_a_cancelled_order_waits_for_nothing(connection: Connection[Any]) -> None:
    take(connection, [ask("x", 2, **FIRM)])
    take(connection, [ask("x", 0, 2, **FIRM)])
    take(connection, [adjusted("some", 2)])
    assert _waiting(connection) == []
    assert asked(connection) == []


def test_expected_supply_serves_who_may_be_promised_of_it(connection: Connection[Any]) -> None:
    take(connection, [ask("x", 3), ask("y", 3, minutes=1), ask("z", 1, minutes=2, **FIRM)])
    take(connection, [expected(4)])
    assert asked(connection) == ["x"]


def test_what_its_own_reservation_holds_counts(connection: Connection[Any]) -> None:
    take(connection, [move("in", 1), ask("cart", 1, **FIRM)])
    take(connection, [ask("x", 2, takes="cart", **FIRM), ask("y", 2, minutes=1, **FIRM)])
    take(connection, [adjusted("one", 1)])
    assert asked(connection) == ["x"]


def test_only_one_process_looks_at_a_time(connection: Connection[Any], database_url: str) -> None:
    take(connection, [ask("x", 1, **FIRM)])
    take(connection, [adjusted("some", 1)])
    with connect(database_url) as other:
        other.execute("select pg_advisory_xact_lock(56)")
        assert asked(connection) == []
    assert asked(connection) == ["x"]
