"""The comparison of a made-up source's stock: pages, evidence, cases, failures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.reconciliation.test_sweeps_sweeper import NoNetwork
from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.contract.levels import Held, StockPage
from tillbridge.contract.promises import Connection as Source
from tillbridge.durable import accounts
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.reconciliation.stock.comparison import CASES_MOST, Plan, StockComparison
from tillbridge.reconciliation.stock.report import last
from tillbridge.reconciliation.stock.rules import CompareRules

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOURCE = Source(name="erp", entity="us", channel="web", currency="USD")


class Vendor:
    """Signs TellsStock, some products to a page."""

    name = "vendor"
    config: Any = None

    def __init__(self, basis: str = "on_hand") -> None:
        self.stock_basis = basis
        self.held: dict[str, int] = {}
        self.trouble: Exception | None = None
        self.page = 2

    def stock(
        self, place: str, cursor: str, connection: Source, secrets: Mapping[str, str], _: Any
    ) -> StockPage:
        if self.trouble is not None:
            raise self.trouble
        begin = int(cursor or 0)
        rows = sorted(self.held.items())[begin : begin + self.page]
        held = tuple(Held((f"other-{product}", product), quantity) for product, quantity in rows)
        more = begin + self.page < len(self.held)
        return StockPage(held=held, as_of=NOW, cursor=str(begin + self.page), more=more)


def comparison(vendor: Vendor, clock: FixedClock, *locations: str) -> StockComparison:
    rules = CompareRules(locations=locations or ("wh",), hours=24.0, late_minutes=60)
    return StockComparison(
        vendor,
        SOURCE,
        {},
        NoNetwork(),
        clock=clock,
        plan=Plan(rules, frozenset({"nyc"}), RulesInForce()),
    )


def book(connection: Connection, product: str, quantity: int, minutes: int = -600) -> None:
    """A movement so many minutes after now, as the book has it."""
    connection.execute(
        "insert into stock (location, product, on_hand) values ('wh', %(p)s, %(q)s)"
        " on conflict (location, product, condition)"
        " do update set on_hand = stock.on_hand + excluded.on_hand",
        {"p": product, "q": quantity},
    )
    at = NOW + timedelta(minutes=minutes)
    connection.execute(
        "insert into stock_movement (fact, n, key, kind, location, product, quantity, occurred_at)"
        " values (%(f)s, 0, %(f)s, 'sale', 'wh', %(p)s, %(q)s, %(at)s)",
        {"f": f"sale/{product}/{minutes}", "p": product, "q": quantity, "at": at},
    )
    connection.commit()


def names(connection: Connection, *products: str) -> None:
    """What the source calls other-p is p here."""
    for product in products:
        connection.execute(
            "insert into xref (connection, kind, theirs, ours) values ('erp', 'product', %b, %b)",
            (f"other-{product}", product),
        )
    connection.commit()


def open_cases(connection: Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        "select key, reason, owner from exception_case where state = 'open' order by key"
    ).fetchall()
    connection.rollback()
    return rows


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def test_equal_stock_is_compared_whole_and_nobody_is_asked(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    for product in ("a", "b", "c"):
        book(connection, product, 5000)
        vendor.held[product] = 5000
    names(connection, "a", "b", "c")
    (done,) = comparison(vendor, clock).run(connection)
    assert (done.products, done.differences) == (3, ())
    assert open_cases(connection) == []


def test_what_nothing_explains_is_a_case_until_it_is_gone(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    names(connection, "a", "b")
    book(connection, "a", 5000)
    vendor.held = {"a": 4000, "b": 2000}
    (done,) = comparison(vendor, clock).run(connection)
    assert [(d.product, d.ours, d.theirs, d.rest) for d in done.differences] == [
        ("a", 5000, 4000, 1000),
        ("b", 0, 2000, -2000),
    ]
    assert open_cases(connection) == [
        ("stock/erp/wh/a", "stock_difference", "fulfilment"),
        ("stock/erp/wh/b", "stock_difference", "fulfilment"),
    ]
    assert last(connection) == [done]
    connection.rollback()
    vendor.held = {"a": 5000}
    comparison(vendor, clock).run(connection)
    assert open_cases(connection) == []


def test_a_source_that_is_late_lacks_the_newest_movements(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    names(connection, "a")
    book(connection, "a", 9000)
    book(connection, "a", -1000, minutes=-120)
    book(connection, "a", -2000, minutes=-30)
    vendor.held = {"a": 8000}
    (done,) = comparison(vendor, clock).run(connection)
    (found,) = done.differences
    assert (found.rest, [one.what for one in found.named]) == (0, ["sale sale/a/-30"])
    vendor.held = {"a": 9000}  # the sale of two hours ago should have come by now
    (done,) = comparison(vendor, clock).run(connection)
    assert done.differing == 1


def test_many_differences_are_one_case_of_their_place(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    vendor.page = 100
    vendor.held = {f"p{n:03}": 1000 for n in range(CASES_MOST + 1)}
    names(connection, *vendor.held)
    comparison(vendor, clock, "nyc").run(connection)
    assert open_cases(connection) == [("stock/erp/nyc", "stock_difference", "stores")]
    vendor.held = {"p001": 1000}
    comparison(vendor, clock, "nyc").run(connection)
    assert open_cases(connection) == [("stock/erp/nyc/p001", "stock_difference", "stores")]


def test_a_channel_is_held_to_what_it_may_promise_and_its_own_goods_are_its_own(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor("available")
    names(connection, "a", "b")
    book(connection, "a", 5000)
    connection.execute("update stock set reserved = 2000")
    connection.commit()
    vendor.held = {"a": 3000, "b": 1000, "theirs": 9000}
    (done,) = comparison(vendor, clock).run(connection)
    assert [(d.product, d.rest) for d in done.differences] == [("b", -1000)]


def test_what_is_on_the_way_to_a_channel_is_named(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor("available")
    names(connection, "a", "b", "c")
    for product in ("a", "b", "c"):
        book(connection, product, 9000)
    stock = comparison(vendor, clock)
    accounts.make_missing(connection, "erp")
    connection.execute(
        "insert into publication (dest, location, product, confirmed, confirmed_at, due, untold,"
        " untold_since) select dest, 'wh', p, c, now(), d, u, now() from dest,"
        " (values ('a', 4000, now(), 0), ('b', 7000, null, 2000), ('c', 9000, null, 0))"
        " x (p, c, d, u) where name = 'erp'"
    )
    connection.commit()
    vendor.held = {"a": 4000, "b": 7000, "c": 8000}
    (done,) = stock.run(connection)
    assert [(d.product, d.rest, [one.what for one in d.named]) for d in done.differences] == [
        ("a", 0, ["publication under way"]),
        ("b", 0, ["sold there and not told yet"]),
        ("c", 1000, []),
    ]


def test_it_runs_in_its_time_and_a_refusal_is_a_case(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    vendor.trouble = Refused("no warehouse wh")
    stock = comparison(vendor, clock)
    assert stock.run_due(connection) == []
    assert open_cases(connection) == [("stock/erp", "stock_comparison_failed", "integration")]
    vendor.trouble = RetryLater("busy", after_seconds=1.0)
    clock.sleep(660)
    assert stock.run_due(connection) == []
    vendor.trouble = None
    clock.sleep(660)
    assert len(stock.run_due(connection)) == 1
    assert open_cases(connection) == []
    clock.sleep(23 * 3600)
    assert stock.run_due(connection) == []
    clock.sleep(2 * 3600)
    assert len(stock.run_due(connection)) == 1
