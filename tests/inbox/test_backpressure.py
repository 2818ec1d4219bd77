"""Polls and files wait while the flow is far behind, and go on when half of it is carried."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg import Connection

from tests.durable.floor import notes
from tests.inbox.signed_shop import ShopConnector
from tests.inbox.test_polls import SOURCE, Vendor, keys, poller
from tillbridge.atoms.clock import FixedClock
from tillbridge.durable import log
from tillbridge.inbox.backpressure import Backpressure
from tillbridge.inbox.files import DropFolder

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


def _since(connection: Connection) -> datetime | None:
    row = connection.execute("select held_back_since from hub").fetchone()
    connection.rollback()
    return row[0] if row else None


def _append(connection: Connection, count: int, prefix: str) -> None:
    log.make_cursors(connection, "flow")
    connection.commit()
    log.append_and_commit(connection, notes(count, prefix=prefix))


def _carry(connection: Connection, left: int) -> None:
    """The flow carries all but the newest `left` records."""
    connection.execute(
        "update record set fused = true where id in"
        " (select id from record where not fused order by id desc offset %s)",
        (left,),
    )
    connection.commit()


def test_it_begins_above_the_mark_and_ends_at_half_of_it(
    connection: Connection, clock: FixedClock
) -> None:
    pressure = Backpressure(clock, 10)
    _append(connection, 10, "a")
    assert not pressure.held_back(connection)
    _append(connection, 1, "b")
    assert not pressure.held_back(connection), "it looks once a second"
    clock.sleep(1)
    assert pressure.held_back(connection)
    assert _since(connection) == NOW.replace(second=1)
    _carry(connection, 6)
    clock.sleep(1)
    assert pressure.held_back(connection)
    assert Backpressure(clock, 10).held_back(connection), "every process tells the same"
    assert _since(connection) == NOW.replace(second=1)
    _carry(connection, 5)
    clock.sleep(1)
    assert not pressure.held_back(connection)
    assert _since(connection) is None


def test_a_poll_reads_no_page_while_the_flow_is_behind_and_loses_nothing(
    connection: Connection, clock: FixedClock
) -> None:
    pressure = Backpressure(clock, 10)
    _append(connection, 11, "a")
    vendor = Vendor(5)
    assert poller(vendor, clock).run_due(connection, pressure.held_back) == []
    assert vendor.asked == []
    _carry(connection, 0)
    clock.sleep(1)
    (report,) = poller(vendor, clock).run_due(connection, pressure.held_back)
    assert (report.new, report.words) == (5, "")
    assert keys(connection)[-5:] == [f"order/web/{n}" for n in range(5)]


def test_a_poll_stops_between_two_pages_and_goes_on_from_there(
    connection: Connection, clock: FixedClock
) -> None:
    vendor = Vendor(5)
    asked: list[bool] = []

    def behind(_: Connection) -> bool:
        asked.append(len(asked) == 1)
        return asked[-1]

    (report,) = poller(vendor, clock).run_due(connection, behind)
    assert (report.pages, report.new) == (1, 2)
    (report,) = poller(vendor, clock).run_due(connection, behind)
    assert (report.new, report.duplicates) == (3, 0)


class Flowing(FixedClock):
    """A clock during whose sleep the flow carries everything."""

    def __init__(self, now: datetime, connection: Connection) -> None:
        super().__init__(now)
        self.slept = 0
        self._connection = connection

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.slept += 1
        if self.slept == 3:
            _carry(self._connection, 0)


def test_a_file_waits_between_its_batches_and_is_taken_whole(
    connection: Connection, tmp_path: Path
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "many.csv").write_bytes(b"".join(b"s-%d;1.00\n" % n for n in range(1000)))
    flowing = Flowing(datetime.now(UTC), connection)
    _append(connection, 11, "a")
    folder = DropFolder(
        ShopConnector(),
        SOURCE,
        drop,
        tmp_path / "archive",
        clock=flowing,
        settle_seconds=0.0,
        backpressure=Backpressure(flowing, 10),
    )
    report = folder.look(connection)
    assert (report.files, report.new, flowing.slept) == (1, 1000, 3)


def test_who_waits_is_let_go_when_the_process_ends(
    connection: Connection, clock: FixedClock
) -> None:
    pressure = Backpressure(clock, 10)
    _append(connection, 11, "a")
    pressure.release()
    pressure.wait(connection)
    assert pressure.held_back(connection)
