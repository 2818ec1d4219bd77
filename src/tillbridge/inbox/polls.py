"""Polls: a vendor's stream read page by page; what was read and the cursor move together.

The connector keeps its overlap in the cursor; what comes twice is refused as a duplicate by its
delivery id. No transaction is open while the vendor is asked. A crash between pages goes on from
the last stored one. Where a piece is a settlement, its lines are written with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from io import BytesIO

import msgspec
import psycopg
import structlog

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.atoms.ids import Ids, SystemIds
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import Item, Page, Polls
from tillbridge.contract.transport import Transport
from tillbridge.durable import accounts, log
from tillbridge.durable.alone import alone
from tillbridge.durable.crash_points import reach
from tillbridge.durable.messages import Stored, connection_ids, store
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.inbox.arrivals import arrival
from tillbridge.inbox.backpressure import Asked, never
from tillbridge.inbox.files import HEAD_BYTES, Settlements

QUERIES = load(
    "tillbridge.inbox",
    "polls.sql",
    "make_cursor",
    "read_cursor",
    "move_cursor",
    "set_due",
)
PAGES_MOST = 500
"""Pages per run of one stream; the rest follows at once in the next run."""
EVERY_SECONDS = 60.0
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 15.0, 900.0
NO_ROOM = "the account is paused, away, or busy with what comes first"
FLOW_BEHIND = "the flow is far behind"
PROBLEM_TOPIC = "poll"

_log = structlog.get_logger("polls")


class PollReport(msgspec.Struct):
    """What one run of a stream brought. lines: of settlements. words: why it ended early, "" when
    it did not.
    """

    stream: str
    pages: int = 0
    items: int = 0
    new: int = 0
    duplicates: int = 0
    conflicts: int = 0
    problems: int = 0
    lines: int = 0
    complete_through: datetime | None = None
    due_at: datetime | None = None
    words: str = ""


class _NoRoom(Exception):
    """No page may be read now, through nobody's fault; the words say why."""


class _Moved(Exception):
    """Another process moved the cursor meanwhile."""


class _Row(msgspec.Struct, frozen=True):
    """How far a stream is read, when it is read next, its failures in a row."""

    cursor: str
    due_at: datetime
    failures: int
    due: bool = True


class Poller:
    """Reads one connection's streams. The database connection given to each method stands outside
    a transaction before and after; psycopg.Error goes to the caller, nothing is half done then.
    """

    def __init__(  # noqa: PLR0913 - ports, all but the first four by keyword
        self,
        connector: Polls,
        source: Source,
        secrets: Mapping[str, str],
        transport: Transport,
        *,
        clock: Clock,
        ids: Ids | None = None,
        every_seconds: float = EVERY_SECONDS,
        leases: accounts.Leases | None = None,
        settlements: Settlements | None = None,
    ) -> None:
        """every_seconds: rest between two runs of a stream that is read to its end. leases: those
        of the process, which somebody renews. settlements: who takes in what is one.
        """
        self._connector = connector
        self._source = source
        self._secrets = secrets
        self._transport = transport
        self._clock = clock
        self._ids = ids or SystemIds()
        self._every_seconds = every_seconds
        self._leases = leases or accounts.Leases()
        self._settlements = settlements

    def run_due(self, connection: Connection, behind: Asked = never) -> list[PollReport]:
        """Read every stream whose time has come; one that finds no room at its account waits.

        behind: whether the flow is so far behind that nothing shall be fetched, asked per page.
        """
        reports = []
        for stream in self._connector.streams:
            self._make(connection, stream)
            if self._row(connection, stream).due:
                report = self.run(connection, stream, behind)
                if report.pages or report.words not in (NO_ROOM, FLOW_BEHIND):
                    reports.append(report)
        return reports

    def run(self, connection: Connection, stream: str, behind: Asked = never) -> PollReport:
        """Read one stream from its cursor to its end, due or not."""
        report = PollReport(stream=stream)
        self._make(connection, stream)
        with alone(connection, "poll", self._source.name, stream) as held:
            if not held:
                report.words = "another process reads this stream"
                return report
            row = self._row(connection, stream)
            try:
                self._read_on(connection, report, row, behind)
            except _NoRoom as problem:
                report.words = str(problem)
            except RetryLater as later:
                report.words = later.words
                self._wait(connection, report, row.failures, later.after_seconds)
            except (NeedsDecision, Refused) as problem:
                self._store_problem(connection, report, str(problem))
                self._wait(connection, report, row.failures, LONGEST_WAIT_SECONDS)
            except _Moved:
                report.words = "another process moved the cursor"
        return report

    def _read_on(
        self, connection: Connection, report: PollReport, row: _Row, behind: Asked
    ) -> None:
        more, cursor = True, row.cursor
        since = min(row.due_at, self._clock.now())
        while more and report.pages < PAGES_MOST:
            if behind(connection):
                raise _NoRoom(FLOW_BEHIND)
            page = self._page(connection, report.stream, cursor, since)
            since = self._clock.now()
            if page.more and page.cursor == cursor:
                raise NeedsDecision(
                    "poll_stuck", f"stream {report.stream} says there is more but does not move"
                )
            reach("polls.page_read")
            self._store(connection, report, page.items, (cursor, page))
            reach("polls.page_stored")
            _note(report, page)
            more, cursor = page.more, page.cursor
        now = self._clock.now()
        report.due_at = now if more else now + timedelta(seconds=self._every_seconds)
        self._set_due(connection, report, 0)

    def _page(self, connection: Connection, stream: str, cursor: str, since: datetime) -> Page:
        """One page within the account's budget. Raises _NoRoom when it is others' turn."""
        with accounts.polling(
            connection, self._source.name, self._transport, self._clock, self._leases, since
        ) as way_out:
            if way_out is None:
                raise _NoRoom(NO_ROOM)
            return self._asked(stream, cursor, way_out)

    def _asked(self, stream: str, cursor: str, transport: Transport) -> Page:
        try:
            return self._connector.poll(stream, cursor, self._source, self._secrets, transport)
        except (RetryLater, NeedsDecision, Refused, psycopg.Error):  # the way out asks the store
            raise
        except Exception as problem:  # noqa: BLE001 - a connector's defect stops one stream only
            _log.exception("poll_defect", connection=self._source.name, stream=stream)
            words = f"stream {stream} could not be read: {type(problem).__name__}: {problem}"
            raise NeedsDecision("defect", words[:500]) from None

    def _store(
        self,
        connection: Connection,
        report: PollReport,
        items: tuple[Item, ...],
        move: tuple[str, Page] | None = None,
    ) -> None:
        """Store a page's items and, with `move` = (old cursor, page), move the cursor."""
        now = self._clock.now()
        numbers = connection_ids(connection, [self._source.name])
        connection.commit()
        if move is not None:
            old, page = move
            moved = connection.execute(
                QUERIES.move_cursor,
                (
                    page.cursor,
                    page.complete_through,
                    now,
                    self._source.name,
                    report.stream,
                    old,
                ),
            )
            if moved.rowcount != 1:
                connection.rollback()
                raise _Moved
        arrivals = [arrival(self._source.name, item, now) for item in items]
        stored, records = store(connection, arrivals, numbers)
        records += self._settled(connection, report, items, stored)
        log.append_and_commit(connection, records)
        report.items += len(items)
        report.problems += sum(1 for item in items if item.problem)
        for one in stored:
            report.new += one.outcome == "new"
            report.duplicates += one.outcome == "duplicate"
            report.conflicts += one.outcome == "conflict"

    def _settled(
        self,
        connection: Connection,
        report: PollReport,
        items: Sequence[Item],
        stored: Sequence[Stored],
    ) -> list[Record]:
        """Write the lines of the pieces that are settlements; gives what the log is to be told.

        Raises NeedsDecision, and nothing of the page is kept, when one cannot be read: the cursor
        stays before it, for behind it nothing would be known to be complete.
        """
        records: list[Record] = []
        files = self._settlements
        for item, one in zip(items, stored, strict=True):
            if files is None or one.outcome != "new" or item.problem:
                continue
            if not files.takes(item.place, item.body[:HEAD_BYTES]):
                continue
            digest = hashlib.sha256(item.body).digest()
            try:
                taken, told = files.told(
                    connection, BytesIO(item.body), item.place, digest, self._clock.now()
                )
            except NeedsDecision:
                connection.rollback()
                raise
            report.lines += taken.lines
            report.problems += len(taken.broken)
            records += told
        return records

    def _store_problem(self, connection: Connection, report: PollReport, words: str) -> None:
        """A stream that a person has to mend becomes a case: one a day while it lasts."""
        report.words = words
        body = msgspec.json.encode({"stream": report.stream, "problem": words})
        day = self._clock.now().date().isoformat()
        item = Item(
            topic=PROBLEM_TOPIC,
            delivery=f"poll:{report.stream}:{day}:{hashlib.sha256(body).hexdigest()[:16]}",
            body=body,
            place=f"stream {report.stream}",
            problem=words,
        )
        self._store(connection, report, (item,))

    def _wait(
        self, connection: Connection, report: PollReport, failures: int, asked: float | None
    ) -> None:
        """Next try after what the vendor asked for, at least; growing, with jitter."""
        wait = min(FIRST_WAIT_SECONDS * 2 ** min(failures, 10), LONGEST_WAIT_SECONDS)
        wait = max(wait * (0.5 + self._ids.jitter() / 2), asked or 0.0)
        report.due_at = self._clock.now() + timedelta(seconds=wait)
        self._set_due(connection, report, failures + 1)

    def _set_due(self, connection: Connection, report: PollReport, failures: int) -> None:
        row = (report.due_at, failures, report.words[:500], self._source.name, report.stream)
        connection.execute(QUERIES.set_due, row)
        connection.commit()

    def _make(self, connection: Connection, stream: str) -> None:
        """The stream's cursor and the connection's budget, where they are missing."""
        connection.execute(QUERIES.make_cursor, (self._source.name, stream))
        accounts.make_missing(connection, self._source.name)
        connection.commit()

    def _row(self, connection: Connection, stream: str) -> _Row:
        now = self._clock.now()
        row = connection.execute(QUERIES.read_cursor, (self._source.name, stream)).fetchone()
        connection.rollback()
        return _Row(row[0], row[1], row[2], due=row[1] <= now) if row else _Row("", now, 0)


def _note(report: PollReport, page: Page) -> None:
    report.pages += 1
    report.complete_through = page.complete_through or report.complete_through
