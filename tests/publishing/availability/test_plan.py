"""Planning: marks are taken off once, and figures follow from rows, bundles, sums and rules."""

from __future__ import annotations

import psycopg
import pytest

from tests.publishing.availability.counter import Counter
from tillbridge.durable.session import connect


@pytest.fixture
def desk(connection: psycopg.Connection) -> Counter:
    return Counter(connection)


def test_only_what_the_channel_has_a_name_for_is_planned(desk: Counter) -> None:
    desk.stock("P1", 9)
    desk.stock("P9", 9)
    desk.stock("P1", 9, "L9")
    assert desk.plan() == 3
    assert desk.plan() == 0
    rows = desk.connection.execute("select location, product, available from publication")
    assert rows.fetchall() == [("L1", "P1", 9000)]


def test_a_number_that_came_back_to_what_it_was_is_no_call(desk: Counter) -> None:
    desk.stock("P1", 9)
    desk.run()
    desk.stock("P1", 8)
    desk.plan()
    assert desk.row("due") is not None
    desk.stock("P1", 9)
    assert desk.run() == []
    assert desk.row("due") is None


def test_a_part_of_a_piece_is_nothing_to_a_channel_of_whole_pieces(desk: Counter) -> None:
    desk.stock("P1", 9)
    desk.run()
    desk.connection.execute("update stock set on_hand = 9500, changed_at = now()")
    assert desk.run() == []


def test_a_row_in_other_hands_is_left_and_waited_for_when_it_never_rests(
    desk: Counter, database_url: str
) -> None:
    desk.stock("P1", 9)
    with connect(database_url) as other:
        other.execute("select 1 from stock for no key update")
        assert desk.plan() == 0
        desk.clock.sleep(3)
        desk.connection.execute("set lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            desk.plan()
        desk.connection.rollback()
        other.rollback()
    assert desk.plan() == 1


def test_a_bundle_changes_with_its_parts_at_any_depth(desk: Counter) -> None:
    desk.connection.execute("insert into item_component values ('BOX', 'P1', 2000)")
    desk.connection.execute("insert into item_component values ('CRATE', 'BOX', 1000)")
    desk.name("product", "BOX", "CRATE")
    desk.stock("P1", 9)
    desk.plan()
    assert desk.row("available", "BOX") == 4000
    assert desk.row("due", "CRATE") is not None


def test_own_orders_are_counted_when_told_and_shipping_them_is_not(desk: Counter) -> None:
    desk.stock("P1", 9)
    desk.run()
    desk.orders("order/shop/1", "P1", 2)
    desk.orders("order/other/1", "P1", 1)
    desk.plan()
    assert (desk.row("told"), desk.row("own"), desk.row("available")) == (2000, 2000, 6000)
    desk.connection.execute("delete from reservation where key = 'order/shop/1'")
    desk.connection.execute(
        "insert into stock_movement (fact, n, key, kind, location, product, quantity, occurred_at)"
        " values ('m', 0, 'order/shop/1', 'sale', 'L1', 'P1', -2000, %s)",
        (desk.clock.now(),),
    )
    desk.stock("P1", 7, reserved=1)
    desk.plan()
    assert (desk.row("told"), desk.row("own"), desk.row("available")) == (2000, 0, 6000)


def test_orders_from_before_the_first_plan_are_no_news(desk: Counter) -> None:
    desk.stock("P1", 9)
    desk.orders("order/shop/1", "P1", 2)
    desk.planner.refresh(desk.clock.now())
    desk.run()
    assert (desk.row("told"), desk.row("own"), desk.shown()) == (0, 2000, 7)


def test_a_channel_without_places_shows_the_sum_at_one_name(
    connection: psycopg.Connection,
) -> None:
    desk = Counter(connection, ("L1", "L2"), at="L2")
    desk.stock("P1", 9)
    desk.stock("P1", 4, "L2")
    desk.run()
    assert desk.shelves.levels == {("L2", "P1"): 13_000}
    desk.orders("order/shop/1", "P1", 3, "L2")
    desk.plan()
    assert (desk.row("told", location=""), desk.row("available", location="")) == (3000, 10_000)
    assert desk.row("version", location="L1") == 0


def test_a_refresh_finds_what_changed_without_a_row_changing(desk: Counter) -> None:
    desk.stock("P1", 9)
    desk.run()
    assert desk.planner.refresh(desk.clock.now()) == 1  # P2 was never planned
    desk.run()
    assert desk.planner.refresh(desk.clock.now()) == 0
    desk.connection.execute("update stock set reserved = 3000, changed_at = null")
    assert desk.planner.refresh(desk.clock.now()) == 1
    desk.run()
    assert desk.shown() == 6
