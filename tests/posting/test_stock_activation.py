"""Availability rules in force: told by the log, held by who decides, seen by everybody else."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection, errors

from tests.one_person import works_alone
from tests.posting.test_stock_book import count, move, reserve, take
from tillbridge.canonical.stock import StockReserved, StockShort
from tillbridge.durable import audit
from tillbridge.durable.session import connect
from tillbridge.posting.stock.activation import Bounds, RulesInForce, activate, in_force
from tillbridge.posting.stock.items import Items
from tillbridge.posting.stock.rules import RulesRefused

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE = "[[rule]]\nsafety_stock = 1\n"
SHOES = (
    '[[rule]]\ncategory = "shoes"\nsafety_stock = 2\nstale_after_minutes = 5\nstale_buffer = 1\n'
)


def put(connection: Connection, text: str) -> bool:
    changed = activate(connection, text, "ann", "a test")
    connection.commit()
    return changed


def test_rules_in_force_are_told_by_the_log_and_the_audit(connection: Connection) -> None:
    assert in_force(connection) is None
    assert put(connection, ONE)
    found = in_force(connection)
    assert found is not None
    assert (found.text, found.by) == (ONE, "ann")
    assert audit.acts(connection)[-1].action == "stock.rules"
    told = connection.execute("select count(*) from record where type = 'AvailabilityRulesChanged'")
    assert told.fetchone() == (1,)
    assert not put(connection, f"# the same\n{ONE}")


def test_other_rules_take_a_second_person_and_wrong_ones_nobody_can_help(
    connection: Connection,
) -> None:
    put(connection, ONE)
    with pytest.raises(errors.IntegrityConstraintViolation, match="second person"):
        put(connection, SHOES)
    connection.rollback()
    with pytest.raises(RulesRefused):
        put(connection, "[[rule]]\nsafety = 1")


def test_rules_are_only_added(connection: Connection) -> None:
    put(connection, ONE)
    with pytest.raises(errors.IntegrityConstraintViolation, match="only added"):
        connection.execute("delete from availability_rules")


def test_a_process_reads_rules_anew_only_when_others_are_in_force(connection: Connection) -> None:
    source = RulesInForce()
    assert source.seen(connection).rules == ()
    put(connection, ONE)
    first = source.seen(connection)
    assert first.terms("", "wh", "p").safety_stock == 1000
    assert source.held(connection) is first
    works_alone(connection)
    put(connection, SHOES)
    assert source.held(connection).terms("", "wh", "p", "shoes").safety_stock == 2000


def test_bounds_go_by_category_and_age(connection: Connection) -> None:
    connection.execute("insert into item (product, category) values ('p', 'shoes')")
    put(connection, SHOES)
    items = Items(connection)
    items.load(["p", "q"])
    bounds = Bounds(connection, RulesInForce(), items)
    assert bounds.safety("web", "wh", "p") == 2000
    assert bounds.safety("web", "wh", "q") == 0
    assert bounds.kept_back("web", "wh", "p", NOON, NOON) == 2000
    assert bounds.kept_back("web", "wh", "p", NOON - timedelta(minutes=5), NOON) == 3000


def test_no_order_is_held_below_the_safety_stock(connection: Connection) -> None:
    put(connection, ONE)
    take(connection, [count(3000)])
    (held,) = take(connection, [reserve("a", 1, p=2000)])
    assert isinstance(held.emits[0], StockReserved)
    (short,) = take(connection, [reserve("b", 1, p=1000)])
    (told,) = short.emits
    assert isinstance(told, StockShort)
    assert told.free == 0
    take(connection, [move("more", 1000)])
    (held,) = take(connection, [reserve("c", 1, p=1000)])
    assert isinstance(held.emits[0], StockReserved)


def test_rules_change_only_between_the_transactions_that_go_by_them(
    connection: Connection, database_url: str
) -> None:
    put(connection, ONE)
    works_alone(connection)
    source = RulesInForce()
    source.held(connection)
    done = threading.Event()

    def change() -> None:
        with connect(database_url) as other:
            put(other, SHOES)
        done.set()

    thread = threading.Thread(target=change)
    thread.start()
    assert not done.wait(0.3)
    assert source.held(connection).terms("", "wh", "p").safety_stock == 1000
    connection.commit()
    thread.join(10)
    assert done.is_set()
    assert source.held(connection).terms("", "wh", "p", "shoes").safety_stock == 2000
