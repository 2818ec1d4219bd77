"""Drift is explained by orders, believed for a while, and a case only when it comes again."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.publishing.availability.counter import Counter
from tillbridge.reconciliation.publication import settle


@pytest.fixture
def desk(connection: psycopg.Connection) -> Counter:
    made = Counter(connection)
    made.stock("P1", 20)
    made.run()
    return made


def look(desk: Counter) -> str:
    words = settle(desk.connection, [desk.channel], desk.clock.now())
    desk.connection.commit()
    return words


def drifts(desk: Counter) -> list[tuple[Any, ...]]:
    found = desk.connection.execute(
        "select expected / 1000, actual / 1000, state, orders from publication_drift order by id"
    ).fetchall()
    desk.connection.rollback()
    return found


def cases(desk: Counter) -> list[tuple[str, str]]:
    found = desk.connection.execute(
        "select reason, key from exception_case where state = 'open' order by reason, key"
    ).fetchall()
    desk.connection.rollback()
    return found


def shows(desk: Counter, pieces: int) -> None:
    desk.shelves.levels["L1", "P1"] = pieces * 1000


def test_orders_told_since_explain_it_by_name(desk: Counter) -> None:
    shows(desk, 17)
    desk.stock("P1", 19)
    desk.run()
    assert desk.shown() == 16
    assert drifts(desk) == [(20, 17, "open", [])]
    assert look(desk).startswith("0 drifts explained, 0 not")
    desk.orders("order/shop/1", "P1", 3)
    desk.connection.execute(
        "insert into order_state (key, revision, placed_at, body)"
        " values ('order/shop/1', 1, %s, '{}')",
        (desk.clock.now(),),
    )
    desk.run()
    look(desk)
    assert drifts(desk) == [(20, 17, "explained", ["order/shop/1"])]
    assert (desk.shown(), desk.row("untold")) == (16, 0)


def test_an_order_taken_from_elsewhere_explains_it_in_the_end(
    connection: psycopg.Connection,
) -> None:
    desk = Counter(connection, ("L1", "L2"))
    desk.stock("P1", 20)
    desk.stock("P1", 5, "L2")
    desk.run()
    shows(desk, 19)  # the shop took it from the first place, our sourcing from the second
    desk.stock("P1", 20, "L1")
    desk.orders("order/shop/1", "P1", 1, "L2")
    desk.connection.execute(
        "insert into order_state (key, revision, placed_at, body)"
        " values ('order/shop/1', 1, %s, '{}')",
        (desk.clock.now(),),
    )
    desk.stock("P1", 18)
    desk.run()
    assert desk.shown() == 17
    desk.later(minutes=31)
    assert look(desk) == "1 drifts explained, 0 not; 1 figures no longer held back"
    desk.run()
    assert desk.shown() == 18


def test_once_is_nobodys_case_twice_is_and_it_goes_after_a_week(desk: Counter) -> None:
    for times in (1, 2):
        shows(desk, 5)
        desk.stock("P1", 20 - times)
        desk.run()
        desk.later(minutes=31)
        look(desk)
        desk.run()
        assert desk.shown() == 20 - times
        assert len(cases(desk)) == times - 1
    assert cases(desk) == [("publication_drift", "publication/shop/L1/P1")]
    desk.later(days=8)
    look(desk)
    assert cases(desk) == []


def test_what_is_held_back_goes_out_after_as_long_as_the_channel_is_believed(
    desk: Counter,
) -> None:
    shows(desk, 17)
    desk.stock("P1", 19)
    desk.run()
    desk.later(minutes=29)
    look(desk)
    desk.run()
    assert desk.shown() == 16
    desk.later(minutes=2)
    look(desk)
    desk.run()
    assert desk.shown() == 19


def test_a_number_told_by_the_channel_itself_is_asked_for(desk: Counter) -> None:
    shows(desk, 25)
    desk.connection.execute(
        "insert into stock_evidence (source, location, product, basis, quantity, counted_at)"
        " values ('shop', 'L1', 'P1', 'available', 25000, %s)",
        (desk.clock.now(),),
    )
    look(desk)
    desk.run()
    assert desk.shown() == 20
    assert [state for _, _, state, _ in drifts(desk)] == ["open"]


def test_the_echo_of_our_own_number_asks_nothing(desk: Counter) -> None:
    desk.connection.execute(
        "insert into stock_evidence (source, location, product, basis, quantity, counted_at)"
        " values ('shop', 'L1', 'P1', 'available', 20000, %s)",
        (desk.clock.now(),),
    )
    look(desk)
    assert desk.run() == []


def test_what_a_channel_refuses_is_one_case_while_it_does(desk: Counter) -> None:
    desk.shelves.answers = {"P1": ["refused"], "P2": ["refused"]}
    desk.stock("P1", 19)
    desk.stock("P2", 19)
    desk.run()
    look(desk)
    assert cases(desk) == [("publication_refused", "publication/shop")]
    (words,) = desk.connection.execute("select words from exception_case").fetchone() or ("",)
    assert words == "shop refuses 2 figures (P1 at L1, P2 at L1): said refused"
    desk.later(minutes=61)
    desk.run()
    look(desk)
    assert cases(desk) == []
