"""One writer for every request in flight: what is queued goes down in one transaction.

There is no timer: while one commit runs the next group gathers, so a lone request waits for nobody
and a crowd shares one flush of the disk. A future is resolved only after COMMIT came back. What a
group writes is the `Work` given: deliveries at the hub's webhook door, reservations at its API.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import psycopg
import structlog
from psycopg import errors

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.durable.rooms import Connection

BATCH_MOST = 500
BATCH_BYTES = 16 * 1024 * 1024
QUEUE_MOST = 4_000
QUEUE_BYTES = 128 * 1024 * 1024
AWAY_SECONDS = 0.5
"""After a failed connect nobody knocks again for so long; who comes meanwhile is told at once."""
RERUNS_MOST = 6
RETRY_AFTER_SECONDS = 5

# Blame on the rows themselves; anything else is the store's trouble and hits the whole group.
# A missing partition says CheckViolation, which is no fault of the row.
_BLAMES_THE_ROW = (psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded)

_log = structlog.get_logger("group")

Ask = TypeVar("Ask")
Told = TypeVar("Told")


class Work(Generic[Ask, Told]):
    """What a writer does with a group; one for each thread, so it may keep what it read."""

    what = "request"
    rerun: tuple[type[psycopg.Error], ...] = (
        errors.DeadlockDetected,
        errors.SerializationFailure,
    )

    def fresh(self) -> None:
        """The next connection is a new one, perhaps to another store: forget what was read."""

    def gate(self, connection: Connection) -> None:
        """What the transaction does before its group is formed; nothing as a rule."""

    def commit(self, connection: Connection, asks: Sequence[Ask]) -> Sequence[Told]:
        """Write a group in one transaction and commit it; an answer each, in order."""
        raise NotImplementedError


class GroupWriter(Generic[Ask, Told]):
    """Writer threads with a database connection each, fed from event loops.

    Raises out of the future: RetryLater when the store is away, busy or stopping (nothing was
    acknowledged; it may be there, so a repetition must be known again), Refused when PostgreSQL
    cannot hold this one request.
    """

    def __init__(
        self,
        connector: Callable[[], Connection],
        work: Callable[[], Work[Ask, Told]],
        *,
        threads: int = 1,
        clock: Clock | None = None,
        queue_most: int = QUEUE_MOST,
        batch_most: int = BATCH_MOST,
        name: str = "group",
    ) -> None:
        """threads: 1 is enough for 2 cores. queue_most: who comes beyond it is told to wait."""
        self._connect = connector
        self._work = work
        self._clock = clock or SystemClock()
        self._name = name
        self._queue: deque[_Waiting[Ask, Told]] = deque()
        self._queued_bytes = 0
        self._queue_most = queue_most
        self._batch_most = batch_most
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
            threading.Thread(target=self._run, name=f"{self._name}-{number}", daemon=True)
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

    def submit(self, ask: Ask, /, size: int = 0) -> asyncio.Future[Told]:
        """Queue a request of `size` bytes; the future is done after COMMIT. Raises RetryLater when
        full. To be called in a running event loop.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Told] = loop.create_future()
        with self._ready:
            if self._stopping:
                raise RetryLater(f"{self._name} is stopping", after_seconds=RETRY_AFTER_SECONDS)
            if len(self._queue) >= self._queue_most or self._queued_bytes + size > QUEUE_BYTES:
                raise RetryLater(f"{self._name} is full", after_seconds=RETRY_AFTER_SECONDS)
            self._queue.append(_Waiting(ask, size, loop, answer))
            self._queued_bytes += size
            self._ready.notify()
        return answer

    def _run(self) -> None:
        session = Session(self._connect, self._work(), self._clock)
        while self._wait():
            session.gate()
            if group := self._take():
                self._write(session, group)
            else:  # another thread was faster
                session.leave()
        session.drop()

    def _write(self, session: Session[Ask, Told], group: Sequence[_Waiting[Ask, Told]]) -> None:
        answers: Sequence[Told | Exception]
        try:
            answers = session.write([waiting.ask for waiting in group])
        except Exception as problem:  # noqa: BLE001 - a defect must not end the only writer
            _log.exception("group_defect", of=self._name, requests=len(group))
            session.drop()
            answers = [_away(type(problem).__name__)]
            if len(group) > 1:  # it is one request's: the others have done nothing wrong
                for waiting in group:
                    self._write(session, [waiting])
                return
        self.batches += 1
        self.written += len(group)
        _resolve(group, answers)

    def _wait(self) -> bool:
        """Until something is queued; False at the end."""
        with self._ready:
            while not self._queue and not self._stopping:
                self._ready.wait()
            return bool(self._queue)

    def _take(self) -> list[_Waiting[Ask, Told]]:
        """Everything queued, up to a count and a size."""
        with self._ready:
            group: list[_Waiting[Ask, Told]] = []
            size = 0
            while self._queue and len(group) < self._batch_most and size < BATCH_BYTES:
                waiting = self._queue.popleft()
                size += waiting.size
                group.append(waiting)
            self._queued_bytes -= size
            return group


class Session(Generic[Ask, Told]):
    """One thread's connection, made when needed and dropped when anything about it is odd."""

    def __init__(
        self, connector: Callable[[], Connection], work: Work[Ask, Told], clock: Clock
    ) -> None:
        self._connector = connector
        self._work = work
        self._clock = clock
        self._connection: Connection | None = None
        self._away_until = float("-inf")
        self._away_words = ""

    def drop(self) -> None:
        """Close; what the work kept is read anew next time (the store may be another one)."""
        if self._connection is not None:
            with contextlib.suppress(psycopg.Error):
                self._connection.close()
        self._connection = None
        self._work.fresh()

    def gate(self) -> None:
        """Begin a transaction before its group is formed; trouble shows when it is written."""
        if self._connection is None or self._connection.closed:
            return
        try:
            self._work.gate(self._connection)
        except psycopg.Error:
            self.drop()

    def leave(self) -> None:
        """End the transaction the gate began: there is nothing to write."""
        try:
            self._rollback()
        except psycopg.Error:
            self.drop()

    def write(self, asks: Sequence[Ask]) -> list[Told | Exception]:
        """One answer per request, after COMMIT."""
        if self._clock.monotonic() < self._away_until:
            return [_away(self._away_words)] * len(asks)
        stale = self._connection is not None
        try:
            return self._write_group(asks)
        except psycopg.Error as problem:
            lost = self._connection is None or self._connection.broken or self._connection.closed
            self.drop()
            if stale and lost and not isinstance(problem, errors.QueryCanceled):
                # The connection had died while idle or under way; a new one may well work, and a
                # group that did get through is known again.
                return self._write_anew(asks)
            return self._gone(asks, problem)

    def _write_anew(self, asks: Sequence[Ask]) -> list[Told | Exception]:
        try:
            return self._write_group(asks)
        except psycopg.Error as problem:
            self.drop()
            return self._gone(asks, problem)

    def _gone(self, asks: Sequence[Ask], problem: psycopg.Error) -> list[Told | Exception]:
        self._away_until = self._clock.monotonic() + AWAY_SECONDS
        self._away_words = type(problem).__name__
        _log.error("store_away", problem=str(problem).strip()[:300], requests=len(asks))
        return [_away(self._away_words)] * len(asks)

    def _write_group(self, asks: Sequence[Ask]) -> list[Told | Exception]:
        try:
            return list(self._commit(asks))
        except _BLAMES_THE_ROW as problem:
            if isinstance(problem, errors.CheckViolation):
                raise
            self._rollback()
        if len(asks) > 1:
            return [answer for ask in asks for answer in self._write_group([ask])]
        _log.error("request_unstorable", what=self._work.what)
        return [Refused(f"this {self._work.what} cannot be stored", code="unstorable")]

    def _commit(self, asks: Sequence[Ask]) -> Sequence[Told]:
        for _ in range(RERUNS_MOST):
            try:
                return self._work.commit(self._connected(), asks)
            except self._work.rerun:
                self._rollback()
        return self._work.commit(self._connected(), asks)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self.drop()
            self._connection = self._connector()
        return self._connection

    def _rollback(self) -> None:
        if self._connection is not None:
            self._connection.rollback()


class _Waiting(Generic[Ask, Told]):
    """A request in the queue and where its answer goes."""

    __slots__ = ("answer", "ask", "loop", "size")

    def __init__(
        self, ask: Ask, size: int, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[Told]
    ) -> None:
        self.ask, self.size, self.loop, self.answer = ask, size, loop, answer


def _away(words: str) -> RetryLater:
    return RetryLater(f"the store is away ({words})", after_seconds=RETRY_AFTER_SECONDS)


def _resolve(group: Sequence[_Waiting[Ask, Told]], answers: Sequence[Told | Exception]) -> None:
    """Hand answers over, one call per event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Told], Told | Exception]]] = {}
    for waiting, answer in zip(group, answers, strict=True):
        loops.setdefault(waiting.loop, []).append((waiting.answer, answer))
    for loop, pairs in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, pairs)
        except RuntimeError:  # the loop has ended; nobody waits there any more
            continue


def _settle(pairs: Sequence[tuple[asyncio.Future[Told], Told | Exception]]) -> None:
    for future, answer in pairs:
        if future.done():
            continue
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
