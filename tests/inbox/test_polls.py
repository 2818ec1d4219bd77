"""Polls: cursor and items move together, overlap adds nothing, the vendor's wishes are kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection, errors

from tests.inbox.signed_shop import NoSettings
from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.atoms.ids import SeededIds
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import Item, Page
from tillbridge.contract.transport import Request, Response
from tillbridge.durable.session import connect
from tillbridge.inbox.polls import Poller, PollReport

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCE = Source(name="web", entity="us", channel="web", currency="USD")


class NoNetwork:
    def send(self, request: Request) -> Response:
        raise AssertionError(request.url)


class Vendor:
    """Signs Polls: numbered orders, two to a page, one of overlap between runs."""

    name = "vendor"
    config = NoSettings
    streams: tuple[str, ...] = ("orders",)

    def __init__(self, orders: int) -> None:
        self.orders = orders
        self.asked: list[str] = []
        self.trouble: Exception | None = None

    def poll(
        self,
        stream: str,
        cursor: str,
        connection: Source,
        secrets: Mapping[str, str],
        transport: Any,
    ) -> Page:
        self.asked.append(cursor)
        if self.trouble is not None and len(self.asked) > 1:
            raise self.trouble
        begin = int(cursor or 0)
        end = min(begin + 2, self.orders)
        items = tuple(
            Item(topic="orders", delivery=f"o-{n}", body=b"%d" % n, key=f"order/{{connection}}/{n}")
            for n in range(begin, end)
        )
        if end < self.orders:
            return Page(items=items, cursor=str(end), more=True)
        return Page(items=items, cursor=str(max(end - 1, 0)), complete_through=NOW)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def poller(vendor: Any, clock: FixedClock) -> Poller:
    return Poller(vendor, SOURCE, {}, NoNetwork(), clock=clock, ids=SeededIds(1), every_seconds=60)


def one(reports: list[PollReport]) -> PollReport:
    (report,) = reports
    return report


def row(connection: Connection) -> tuple[Any, ...]:
    found = connection.execute(
        "select cursor, complete_through, due_at, failures, words from poll_cursor"
    ).fetchone()
    connection.rollback()
    assert found is not None
    return found


def keys(connection: Connection) -> list[str]:
    found = connection.execute("select key from record order by id").fetchall()
    connection.rollback()
    return [key for (key,) in found]


def test_a_stream_is_read_to_its_end_and_the_overlap_adds_nothing(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor(5)
    report = one(poller(vendor, clock).run_due(connection))
    assert (report.pages, report.items, report.new, report.words) == (3, 5, 5, "")
    assert keys(connection) == [f"order/web/{n}" for n in range(5)]
    assert row(connection)[:2] == ("4", NOW)
    vendor.orders = 6
    clock.sleep(61)
    report = one(poller(vendor, clock).run_due(connection))
    assert (report.items, report.new, report.duplicates) == (2, 1, 1)
    assert len(keys(connection)) == 6


def test_a_stream_rests_until_it_is_due(connection: Connection, clock: FixedClock) -> None:
    vendor = Vendor(1)
    poller(vendor, clock).run_due(connection)
    clock.sleep(59)
    assert poller(vendor, clock).run_due(connection) == []
    clock.sleep(1)
    assert len(poller(vendor, clock).run_due(connection)) == 1


def test_a_store_that_is_away_while_a_stream_is_read_is_no_case(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor(5)
    vendor.trouble = errors.LockNotAvailable("canceling statement due to lock timeout")
    with pytest.raises(errors.LockNotAvailable):
        poller(vendor, clock).run_due(connection)
    connection.rollback()
    assert len(keys(connection)) == 2
    assert row(connection)[3:] == (0, "")
    vendor.trouble = None
    assert one(poller(vendor, clock).run_due(connection)).new == 3


def test_a_vendor_that_asks_for_patience_gets_it(connection: Connection, clock: FixedClock) -> None:
    vendor = Vendor(5)
    vendor.trouble = RetryLater("slow down", after_seconds=500)
    report = one(poller(vendor, clock).run_due(connection))
    assert (report.items, report.words) == (2, "slow down")
    cursor, _, due, failures, words = row(connection)
    assert (cursor, due, failures, words) == ("2", NOW + timedelta(seconds=500), 1, "slow down")
    clock.sleep(499)
    assert poller(vendor, clock).run_due(connection) == []
    clock.sleep(1)
    vendor.trouble = None
    report = one(poller(vendor, clock).run_due(connection))
    assert (report.new, report.duplicates) == (3, 0)
    assert row(connection)[3:] == (0, "")


def test_a_vendor_that_stays_away_is_asked_ever_more_rarely(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor(5)
    vendor.trouble = RetryLater("away")
    vendor.asked.append("already asked once")
    waits = []
    for _ in range(12):
        report = one(poller(vendor, clock).run_due(connection))
        assert report.due_at is not None
        waits.append((report.due_at - clock.now()).total_seconds())
        clock.sleep(waits[-1])
    assert waits[0] <= 15
    assert 450 <= waits[-1] <= 900
    assert row(connection)[0] == ""


@pytest.mark.parametrize(
    "trouble", [Refused("the token is not valid"), NeedsDecision("x", "odd"), KeyError("defect")]
)
def test_what_a_person_has_to_mend_becomes_one_case_a_day(
    connection: Connection, clock: FixedClock, trouble: Exception
) -> None:
    vendor = Vendor(5)
    vendor.trouble = trouble
    for _ in range(3):
        poller(vendor, clock).run(connection, "orders")
    problems = connection.execute("select problem from message where problem <> ''").fetchall()
    assert len(problems) == 1
    assert str(trouble) in problems[0][0]
    assert row(connection)[0] == "2"
    clock.sleep(86_400)
    poller(vendor, clock).run(connection, "orders")
    found = connection.execute("select count(*) from message where problem <> ''").fetchone()
    assert found == (2,)


def test_a_crash_between_pages_goes_on_from_the_last_stored_one(
    connection: Connection, clock: FixedClock
) -> None:
    class Crash(BaseException):
        pass

    class Crashing(Vendor):
        def poll(self, *arguments: Any) -> Page:
            if len(self.asked) == 2:
                raise Crash
            return super().poll(*arguments)

    with pytest.raises(Crash):
        poller(Crashing(5), clock).run(connection, "orders")
    assert row(connection)[0] == "4"
    assert len(keys(connection)) == 4
    vendor = Vendor(5)
    poller(vendor, clock).run(connection, "orders")
    assert vendor.asked == ["4"]
    assert keys(connection) == [f"order/web/{n}" for n in range(5)]


def test_items_and_cursor_move_together_or_not_at_all(
    connection: Connection, clock: FixedClock
) -> None:
    connection.execute("drop table record_0")
    connection.commit()
    with pytest.raises(Exception, match="no partition"):
        poller(Vendor(5), clock).run(connection, "orders")
    connection.rollback()
    assert row(connection)[0] == ""
    assert connection.execute("select count(*) from message").fetchone() == (0,)


def test_a_page_read_behind_anothers_back_is_thrown_away(
    connection: Connection, clock: FixedClock
) -> None:
    class Overtaken(Vendor):
        def poll(self, *arguments: Any) -> Page:
            connection.execute("update poll_cursor set cursor = '99'")
            connection.commit()
            return super().poll(*arguments)

    report = poller(Overtaken(5), clock).run(connection, "orders")
    assert "moved" in report.words
    assert keys(connection) == []
    assert row(connection)[0] == "99"


def test_one_worker_at_a_time_reads_a_stream(
    database_url: str, connection: Connection, clock: FixedClock
) -> None:
    inner: list[PollReport] = []

    class Looking(Vendor):
        def poll(self, *arguments: Any) -> Page:
            with connect(database_url) as other:
                inner.append(poller(Vendor(5), clock).run(other, "orders"))
            return super().poll(*arguments)

    assert poller(Looking(1), clock).run(connection, "orders").new == 1
    assert "another process" in inner[0].words
    assert poller(Vendor(1), clock).run(connection, "orders").words == ""


def test_a_stream_that_does_not_move_is_not_read_for_ever(
    connection: Connection, clock: FixedClock
) -> None:
    class Stuck(Vendor):
        def poll(self, *arguments: Any) -> Page:
            super().poll(*arguments)
            return Page(items=(), cursor="", more=True)

    vendor = Stuck(5)
    report = poller(vendor, clock).run(connection, "orders")
    assert "does not move" in report.words
    assert len(vendor.asked) == 1


def test_what_is_complete_never_goes_back(connection: Connection, clock: FixedClock) -> None:
    poller(Vendor(1), clock).run(connection, "orders")

    class Forgetful(Vendor):
        def poll(self, *arguments: Any) -> Page:
            return Page(items=(), cursor="0", complete_through=NOW - timedelta(days=1))

    poller(Forgetful(1), clock).run(connection, "orders")
    assert row(connection)[1] == NOW
