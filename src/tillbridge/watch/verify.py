"""Verify: every invariant by name, counted and shown, from raw tables in one snapshot.

Safety holds in every committed state; `quiesced` adds what must hold once nothing moves any more,
`deep` folds every order again from the log. All are checked, even when one is broken or its query
fails; one that could not be checked counts as broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import IsolationLevel, sql

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.ids import lane_of
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money.chart import Chart
from tillbridge.watch import fold
from tillbridge.watch.invariants import (
    ACCOUNTS,
    BOOKED,
    FOLD,
    INVARIANTS,
    LANES,
    PENDING,
    READABLE,
    Invariant,
)

SNAPSHOT = load(
    "tillbridge.watch",
    "snapshot.sql",
    "make",
    "drop",
    "settings",
    "fill_records",
    "fill_orders",
    "fill_transfers",
    "fill_held",
    "analyze",
    "top",
)
SHOWN = 20
CONSUMER = "flow"
STATEMENT_SECONDS = 300
_BLOCK = 20_000
_COUNTED = sql.SQL("select count(*) over (), x.* from (\n{}\n) x limit {}")
Rows = list[tuple[Any, ...]]


class Finding(msgspec.Struct, frozen=True):
    """What became of one invariant.

    name: the sentence. lies: how many rows contradict it, rows: the first of them. failed: why it
    could not be checked, which counts as one lie. seconds: how long it took.
    """

    name: str
    lies: int
    rows: list[list[str]]
    says: str = ""
    do: str = ""
    owner: str = "integration"
    failed: str = ""
    seconds: float = 0.0


class Verdict(msgspec.Struct, frozen=True):
    """All findings; `ok` when none is broken. position: newest record the snapshot saw.

    seconds: the whole, preparation included.
    """

    ok: bool
    checked: int
    broken: int
    invariants: list[Finding]
    position: int = 0
    seconds: float = 0.0
    deep: bool = False
    quiesced: bool = False


class _Check:
    """One run inside one snapshot."""

    def __init__(self, connection: Connection, chart: Chart | None, clock: Clock) -> None:
        self._connection = connection
        self._chart = chart
        self._clock = clock
        self._folded: fold.Folded | None = None
        self._unprepared = ""

    def prepare(self, statement_seconds: int) -> int:
        """Settings and temporary tables; gives the log's newest id."""
        run = self._connection.execute
        run(SNAPSHOT.settings, (str(statement_seconds * 1000),))
        row = run(SNAPSHOT.top).fetchone()
        try:
            with self._connection.transaction():
                for query in (
                    SNAPSHOT.fill_records,
                    SNAPSHOT.fill_orders,
                    SNAPSHOT.fill_transfers,
                    SNAPSHOT.fill_held,
                ):
                    run(query)
                run(SNAPSHOT.analyze)
        except psycopg.Error as problem:
            _raise_if_gone(self._connection, problem)
            self._unprepared = f"the log or an order cannot be read: {_words(problem)}"
        return int(row[0]) if row else 0

    def finding(self, one: Invariant) -> Finding:
        """Check one; never raises for what the database says of its query."""
        began = self._clock.monotonic()
        failed = self._unprepared if "seen_" in one.query else ""
        lies = 0
        rows: Rows = []
        if not failed:
            try:
                with self._connection.transaction():
                    lies, rows = self._lies(one)
            except psycopg.Error as problem:
                _raise_if_gone(self._connection, problem)
                failed = _words(problem)
        return Finding(
            one.sentence,
            1 if failed else lies,
            [[failed]] if failed else [[str(value) for value in row] for row in rows],
            says=one.says,
            do=one.do,
            owner=one.owner,
            failed=failed,
            seconds=round(self._clock.monotonic() - began, 3),
        )

    def _lies(self, one: Invariant) -> tuple[int, Rows]:
        worked_out: dict[str, Callable[[], tuple[int, Rows]]] = {
            LANES.name: self._lanes,
            ACCOUNTS.name: self._accounts,
            PENDING.name: self._pending,
            READABLE.name: lambda: self._folded_log("readable"),
            FOLD.name: lambda: self._folded_log("state"),
            BOOKED.name: lambda: self._folded_log("booked"),
        }
        if one.name in worked_out:
            return worked_out[one.name]()
        query = _COUNTED.format(sql.SQL(one.query), sql.Literal(SHOWN))
        rows = self._connection.execute(query).fetchall()
        return (int(rows[0][0]), [row[1:] for row in rows]) if rows else (0, [])

    def _folded_log(self, which: str) -> tuple[int, Rows]:
        """The log is folded once, for all who ask."""
        if self._folded is None:
            self._folded = fold.folded(self._connection, SHOWN)
        tally: fold.Tally = getattr(self._folded, which)
        return tally.told()

    def _lanes(self) -> tuple[int, Rows]:
        """Every key of the log and of what is parked, in blocks: crc32 is not SQL's before 18."""
        lies = 0
        shown: Rows = []
        with self._connection.cursor(name="lanes") as cursor:
            cursor.itersize = _BLOCK
            cursor.execute(LANES.query)
            for key, lane in cursor:
                if lane_of(key) != lane:
                    lies += 1
                    if len(shown) < SHOWN:
                        shown.append((key, lane))
        return lies, shown

    def _accounts(self) -> tuple[int, Rows]:
        if self._chart is None:
            return 0, []
        rows = self._connection.execute(
            "select account, count(*) from entry_line group by account order by account"
        ).fetchall()
        unknown = [row for row in rows if self._chart.find(row[0]) is None]
        return len(unknown), unknown[:SHOWN]

    def _pending(self) -> tuple[int, Rows]:
        count, oldest = log.backlog(self._connection, CONSUMER)
        return count, [(count, oldest)] if count else []


def verify(
    connection: Connection,
    *,
    quiesced: bool = False,
    deep: bool = False,
    chart: Chart | None = None,
    statement_seconds: int = STATEMENT_SECONDS,
    clock: Clock | None = None,
) -> Verdict:
    """Check everything in one REPEATABLE READ snapshot of a connection not in a transaction.

    chart: the workspace's, to look for accounts it does not know. statement_seconds: limit of each
    query. Raises psycopg.OperationalError when the database goes away meanwhile.
    """
    clock = clock or SystemClock()
    began = clock.monotonic()
    todo = [one for one in INVARIANTS if (quiesced or not one.at_rest) and (deep or not one.deep)]
    with _snapshot(connection):
        check = _Check(connection, chart, clock)
        position = check.prepare(statement_seconds)
        found = [check.finding(one) for one in todo]
    broken = sum(1 for finding in found if finding.lies)
    return Verdict(
        ok=broken == 0,
        checked=len(found),
        broken=broken,
        invariants=found,
        position=position,
        seconds=round(clock.monotonic() - began, 3),
        deep=deep,
        quiesced=quiesced,
    )


@contextmanager
def _snapshot(connection: Connection) -> Iterator[None]:
    """A read-only transaction; only temporary tables, made before, are written in it."""
    connection.execute(SNAPSHOT.make)
    connection.commit()
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    try:
        yield
    finally:
        if not connection.closed:
            connection.rollback()
        connection.isolation_level = None
        connection.read_only = None
    connection.execute(SNAPSHOT.drop)
    connection.commit()


def _raise_if_gone(connection: Connection, problem: psycopg.Error) -> None:
    if connection.closed or connection.broken:
        raise problem


def _words(problem: psycopg.Error) -> str:
    return f"{type(problem).__name__}: {problem}".strip().splitlines()[0][:300]
