"""A sweep over a source of made-up objects: windows, failures, evidence, cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection, errors

from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import Listed, Listing, Window
from tillbridge.contract.transport import Request, Response
from tillbridge.durable.session import connect
from tillbridge.reconciliation.sweeps.report import streams, sweeps
from tillbridge.reconciliation.sweeps.sweeper import Sweeper, Swept

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOURCE = Source(name="web", entity="us", channel="web", currency="USD")


class NoNetwork:
    def send(self, request: Request) -> Response:
        raise AssertionError(request.url)


class Vendor:
    """Signs Lists: orders by number, two to a page."""

    name = "vendor"
    config: Any = None
    listed: tuple[str, ...] = ("orders",)

    def __init__(self, orders: int = 0) -> None:
        self.orders = orders
        self.counted: int | None = None
        self.windows: list[Window] = []
        self.trouble: Exception | None = None

    def list_objects(
        self,
        stream: str,
        window: Window,
        cursor: str,
        connection: Source,
        secrets: Mapping[str, str],
        transport: Any,
    ) -> Listing:
        self.windows.append(window)
        if self.trouble is not None:
            raise self.trouble
        begin = int(cursor or 0)
        end = min(begin + 2, self.orders)
        objects = tuple(
            Listed(
                key=f"order/web/{number}",
                topic="reread/order",
                reference=str(number),
                version="1",
                currency="USD",
                amount=100,
            )
            for number in range(begin, end)
        )
        return Listing(objects=objects, cursor=str(end), more=end < self.orders, count=self.counted)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def sweeper(vendor: Vendor, clock: FixedClock, hours: float = 4) -> Sweeper:
    return Sweeper(vendor, SOURCE, {}, NoNetwork(), clock=clock, every_hours=hours)


def run(connection: Connection, vendor: Vendor, clock: FixedClock, **window: datetime) -> Swept:
    found = sweeper(vendor, clock).run(connection, "orders", **window)
    assert found is not None
    return found


def through(connection: Connection) -> datetime | None:
    found = streams(connection)
    connection.rollback()
    return found[0].complete_through if found else None


def open_cases(connection: Connection) -> list[str]:
    rows = connection.execute("select reason from exception_case where state = 'open'").fetchall()
    connection.rollback()
    return [reason for (reason,) in rows]


def test_windows_follow_each_other_with_an_overlap(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    end = NOW - timedelta(minutes=5)
    assert run(connection, vendor, clock).window == Window(end - timedelta(days=2), end)
    assert through(connection) == end
    clock.sleep(7200)
    run(connection, vendor, clock)
    assert vendor.windows[-1] == Window(end - timedelta(hours=1), end + timedelta(hours=2))
    assert through(connection) == end + timedelta(hours=2)


def test_a_window_somewhere_else_does_not_say_how_far_a_stream_is_complete(
    connection: Connection, clock: FixedClock
) -> None:
    run(connection, Vendor(), clock)
    clock.sleep(86400 * 3)
    tomorrow = NOW + timedelta(days=1)
    run(connection, Vendor(), clock, since=tomorrow, until=tomorrow + timedelta(hours=5))
    assert through(connection) == NOW - timedelta(minutes=5)
    run(connection, Vendor(), clock, since=NOW - timedelta(days=9), until=NOW)
    assert through(connection) == NOW
    with pytest.raises(Refused):
        run(connection, Vendor(), clock, since=NOW, until=NOW)


def test_what_is_missing_is_asked_for_once_and_kept_as_evidence(
    connection: Connection, clock: FixedClock
) -> None:
    swept = run(connection, Vendor(5), clock)
    assert (len(swept.tally.missing), len(swept.asked), swept.complete) == (5, 5, False)
    rows = connection.execute(
        "select key, type, convert_from(body, 'UTF8')::json->>'background' from record order by id"
    ).fetchall()
    assert rows == [(f"reread/web/{n}", "RereadObject", "true") for n in range(5)]
    (report,) = sweeps(connection)
    assert (report.source_count, report.missing, report.asked, report.miss_rate) == (5, 5, 5, 1.0)
    assert report.sums["USD"].source_amount == 500
    connection.rollback()
    assert through(connection) is None


def test_what_is_to_be_read_anyway_is_not_asked_for_again(
    connection: Connection, clock: FixedClock
) -> None:
    assert len(run(connection, Vendor(5), clock).asked) == 5
    connection.execute(
        "insert into document (dest, op, key, kind, state, day)"
        " select 1, 'op' || n, 'reread/web/' || n, 'reread', 'owed', current_date"
        " from generate_series(0, 3) n"
    )
    connection.commit()
    clock.sleep(3600)
    swept = run(connection, Vendor(5), clock)
    assert (len(swept.tally.missing), swept.asked, swept.complete) == (
        5,
        frozenset({"order/web/4"}),
        False,
    )
    (newest, _) = sweeps(connection)
    assert (newest.missing, newest.asked) == (5, 1)


def test_a_listing_shorter_than_the_sources_own_count_is_not_complete(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    vendor.counted = 1
    assert not run(connection, vendor, clock).complete
    assert through(connection) is None
    vendor.counted = 0
    assert run(connection, vendor, clock).complete


def test_a_lasting_refusal_is_a_case_until_a_sweep_goes_through(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    vendor.trouble = Refused("the token may not do this")
    mine = sweeper(vendor, clock)
    assert mine.run_due(connection) == []
    assert open_cases(connection) == ["sweep_failed"]
    vendor.trouble = None
    assert mine.run_due(connection) == []  # not before ten minutes have passed
    clock.sleep(601)
    assert len(mine.run_due(connection)) == 1
    assert open_cases(connection) == []


def test_a_busy_source_is_asked_again_when_it_wished(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    vendor.trouble = RetryLater("busy", after_seconds=30)
    mine = sweeper(vendor, clock)
    assert mine.run_due(connection) == []
    assert open_cases(connection) == []
    vendor.trouble = None
    clock.sleep(29)
    assert mine.run_due(connection) == []
    clock.sleep(1)
    assert len(mine.run_due(connection)) == 1


def test_a_connectors_defect_stops_its_sweep_only(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    vendor.trouble = ZeroDivisionError("oops")
    assert sweeper(vendor, clock).run_due(connection) == []
    assert open_cases(connection) == ["sweep_failed"]


def test_a_store_that_is_away_while_a_stream_is_listed_is_no_case(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor()
    vendor.trouble = errors.LockNotAvailable("canceling statement due to lock timeout")
    with pytest.raises(errors.LockNotAvailable):
        sweeper(vendor, clock).run_due(connection)
    connection.rollback()
    assert open_cases(connection) == []


def test_without_a_rhythm_nothing_runs_by_itself_and_two_never_run_at_once(
    connection: Connection, clock: FixedClock, database_url: str
) -> None:
    assert sweeper(Vendor(1), clock, hours=0).run_due(connection, at_start=True) == []

    class Nosy(Vendor):
        def list_objects(self, *arguments: Any) -> Listing:
            with connect(database_url) as other:
                assert sweeper(Vendor(1), clock).run(other, "orders") is None
            return super().list_objects(*arguments)

    assert len(run(connection, Nosy(1), clock).tally.missing) == 1
