"""One writer for every request in flight: what is queued goes down in one transaction.

There is no timer: while one commit runs the next group gathers, so a lone request waits for nobody
and a crowd shares one flush of the disk. A future is resolved only after COMMIT came back.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
import psycopg
import structlog
from psycopg import errors

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.durable import log
from tillbridge.durable.crash_points import reach
from tillbridge.durable.messages import Incoming, Stored, connection_ids, store
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect

BATCH_MOST = 500
BATCH_BYTES = 16 * 1024 * 1024
QUEUE_MOST = 4_000
QUEUE_BYTES = 128 * 1024 * 1024
AWAY_SECONDS = 0.5
"""After a failed connect nobody knocks again for so long; who comes meanwhile is told at once."""
STATEMENT_TIMEOUT_MS = 8_000
RERUNS_MOST = 3
RETRY_AFTER_SECONDS = 5

# Blame on the rows themselves; anything else is the store's trouble and hits the whole group.
# A missing partition says CheckViolation, which is no fault of the row.
_BLAMES_THE_ROW = (psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded)
_RERUN = (errors.DeadlockDetected, errors.SerializationFailure)

_log = structlog.get_logger("intake")


class _Waiting(msgspec.Struct, gc=False, eq=False):
    arrival: Incoming
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Stored]


Answer = Stored | Exception


class GroupWriter:
    """Writer threads with a database connection each, fed from event loops.

    Raises out of `store`: RetryLater when the store is away, busy or stopping (nothing was
    acknowledged; the row may be there, then the next telling is a duplicate), Refused when
    PostgreSQL cannot hold this one delivery.
    """

    def __init__(
        self,
        url: str,
        *,
        threads: int = 1,
        clock: Clock | None = None,
        queue_most: int = QUEUE_MOST,
        connector: Callable[[], Connection] | None = None,
    ) -> None:
        """threads: 1 is enough for 2 cores. queue_most: who comes beyond it is told to wait."""
        self._connect = connector or (
            lambda: connect(
                url, name="tillbridge intake", statement_timeout_ms=STATEMENT_TIMEOUT_MS
            )
        )
        self._clock = clock or SystemClock()
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._queue_most = queue_most
        self._ready = threading.Condition()
        self._stopping = False
        self._size = threads
        self._threads: list[threading.Thread] = []
        self.batches = 0
        self.written = 0

    def start(self) -> None:
        """Begin to write. The database need not be there yet."""
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._run, name=f"intake-{number}", daemon=True)
            for number in range(self._size)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Write what is queued, then end."""
        with self._ready:
            self._stopping = True
            self._ready.notify_all()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def submit(self, arrival: Incoming) -> asyncio.Future[Stored]:
        """Queue a delivery; the future is done after COMMIT. Raises RetryLater when full.

        To be called in a running event loop.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Stored] = loop.create_future()
        size = len(arrival.body)
        with self._ready:
            if self._stopping:
                raise RetryLater("intake is stopping", after_seconds=RETRY_AFTER_SECONDS)
            if len(self._queue) >= self._queue_most or self._queued_bytes + size > QUEUE_BYTES:
                raise RetryLater("intake is full", after_seconds=RETRY_AFTER_SECONDS)
            self._queue.append(_Waiting(arrival, loop, answer))
            self._queued_bytes += size
            self._ready.notify()
        return answer

    def _run(self) -> None:
        session = _Session(self._connect, self._clock)
        while group := self._take():
            try:
                answers = session.write([waiting.arrival for waiting in group])
            except Exception as problem:  # noqa: BLE001 - a defect must not end the only writer
                _log.exception("intake_defect", deliveries=len(group))
                session.drop()
                answers = [_away(type(problem).__name__)] * len(group)
            self.batches += 1
            self.written += len(group)
            _resolve(group, answers)
        session.drop()

    def _take(self) -> list[_Waiting]:
        """Everything queued, up to a count and a size; empty only at the end."""
        with self._ready:
            while not self._queue and not self._stopping:
                self._ready.wait()
            group: list[_Waiting] = []
            size = 0
            while self._queue and len(group) < BATCH_MOST and size < BATCH_BYTES:
                waiting = self._queue.popleft()
                size += len(waiting.arrival.body)
                group.append(waiting)
            self._queued_bytes -= size
            return group


class _Session:
    """One thread's connection, made when needed and dropped when anything about it is odd."""

    def __init__(self, connector: Callable[[], Connection], clock: Clock) -> None:
        self._connector = connector
        self._clock = clock
        self._connection: Connection | None = None
        self._numbers: dict[str, int] = {}
        self._away_until = float("-inf")
        self._away_words = ""

    def drop(self) -> None:
        """Close; ids of connections are read anew next time (the store may be another one)."""
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
        self._connection = None
        self._numbers = {}

    def write(self, arrivals: Sequence[Incoming]) -> list[Answer]:
        """One answer per delivery, after COMMIT."""
        if self._clock.monotonic() < self._away_until:
            return [_away(self._away_words)] * len(arrivals)
        stale = self._connection is not None
        try:
            return self._write_group(arrivals)
        except psycopg.Error as problem:
            lost = self._connection is None or self._connection.broken or self._connection.closed
            self.drop()
            if stale and lost and not isinstance(problem, errors.QueryCanceled):
                # The connection had died while idle or under way; a new one may well work, and a
                # group that did get through is answered as duplicates.
                return self._write_anew(arrivals)
            return self._gone(arrivals, problem)

    def _write_anew(self, arrivals: Sequence[Incoming]) -> list[Answer]:
        try:
            return self._write_group(arrivals)
        except psycopg.Error as problem:
            self.drop()
            return self._gone(arrivals, problem)

    def _gone(self, arrivals: Sequence[Incoming], problem: psycopg.Error) -> list[Answer]:
        self._away_until = self._clock.monotonic() + AWAY_SECONDS
        self._away_words = type(problem).__name__
        _log.error("store_away", problem=str(problem).strip()[:300], deliveries=len(arrivals))
        return [_away(self._away_words)] * len(arrivals)

    def _write_group(self, arrivals: Sequence[Incoming]) -> list[Answer]:
        try:
            return list(self._commit(arrivals))
        except _BLAMES_THE_ROW as problem:
            if isinstance(problem, errors.CheckViolation):
                raise
            self._rollback()
        if len(arrivals) > 1:
            return [answer for arrival in arrivals for answer in self._write_group([arrival])]
        _log.error("delivery_unstorable", connection=arrivals[0].connection)
        return [Refused("this delivery cannot be stored", code="unstorable")]

    def _commit(self, arrivals: Sequence[Incoming]) -> list[Stored]:
        for _ in range(RERUNS_MOST):
            try:
                return self._commit_once(arrivals)
            except _RERUN:
                self._rollback()
        return self._commit_once(arrivals)

    def _commit_once(self, arrivals: Sequence[Incoming]) -> list[Stored]:
        connection = self._connected()
        missing = {arrival.connection for arrival in arrivals} - self._numbers.keys()
        if missing:
            found = connection_ids(connection, sorted(missing))
            connection.commit()
            self._numbers.update(found)
        # One pipeline: the bodies travel while the record is made, and the COMMIT follows at once.
        with connection.pipeline():
            stored, records = store(connection, arrivals, self._numbers)
            reach("intake.before_append")
            log.append(connection, records)
            connection.commit()
        reach("intake.after_commit")
        return stored

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self.drop()
            self._connection = self._connector()
        return self._connection

    def _rollback(self) -> None:
        if self._connection is not None:
            self._connection.rollback()


def _away(words: str) -> RetryLater:
    return RetryLater(f"the store is away ({words})", after_seconds=RETRY_AFTER_SECONDS)


def _resolve(group: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
    """Hand answers over, one call per event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Stored], Answer]]] = {}
    for waiting, answer in zip(group, answers, strict=True):
        loops.setdefault(waiting.loop, []).append((waiting.answer, answer))
    for loop, pairs in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, pairs)
        except RuntimeError:  # the loop has ended; nobody waits there any more
            continue


def _settle(pairs: Sequence[tuple[asyncio.Future[Stored], Answer]]) -> None:
    for future, answer in pairs:
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
