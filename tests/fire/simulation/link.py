"""A database connection of an actor: the hub's own, with yield points around every statement.

A statement that would wait for a lock fails at once and is asked again when somebody has ended a
transaction, so that waiting, too, is the scheduler's to order. A pipeline that ends in COMMIT is
one step, as it is one packet for the server.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from tests.fire.simulation.scheduler import Actor
from tillbridge.durable import accounts, jobs, log, parking, retention
from tillbridge.durable.arrays import pack_columns
from tillbridge.durable.session import (
    IDLE_IN_TRANSACTION_MS,
    WORKER_IDLE_IN_TRANSACTION_MS,
    connection_arguments,
)

LOCK_MS = 1
"""Nobody else runs while a statement waits, so what is held now stays held: no use to wait."""
PATIENCE_SECONDS = 5.0
"""The hub's own lock time-out, in virtual time."""
_IDLE = (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)
_LABELS = {
    text: name
    for queries in (accounts.QUERIES, jobs.QUERIES, log.QUERIES, parking.QUERIES, retention.QUERIES)
    for name, text in queries.items()
}
Seen = Callable[["SimConnection", str, Any, Any], None]


class Links:
    """All connections of a run."""

    def __init__(self, url: str, seen: Seen) -> None:
        """seen: told of every statement with its label, parameters and cursor."""
        self.url = url
        self.seen = seen
        self.open: list[SimConnection] = []

    def connect(self, actor: Actor, *, worker: bool) -> SimConnection:
        """A connection for an actor."""
        arguments = connection_arguments(self.url, worker=worker)
        arguments["options"] = f"{arguments['options']} -c lock_timeout={LOCK_MS} {EXTRA}"
        found = SimConnection.connect(self.url, **arguments)  # type: ignore[arg-type]
        found.prepare_threshold = 2  # many short lives; planning is a tenth of a run
        pack_columns(found)
        found.actor, found.links = actor, self
        idle = WORKER_IDLE_IN_TRANSACTION_MS if worker else IDLE_IN_TRANSACTION_MS
        found.idle_seconds = idle / 1000.0
        self.open.append(found)
        return found

    def of(self, actor: Actor) -> list[SimConnection]:
        """An actor's live connections."""
        return [link for link in self.open if link.actor is actor]

    def cut_all(self, actor: Actor) -> None:
        """The actor's process is gone."""
        for link in self.of(actor):
            link.cut()

    def frozen(self, actor: Actor, seconds: float) -> None:
        """The actor stands still; the server ends transactions that idle too long."""
        limits = [link.idle_seconds for link in self.of(actor) if link.in_transaction]
        limit = min(limits, default=seconds)
        if seconds <= limit:
            actor.rest(seconds)
            return
        actor.rest(limit)
        for link in self.of(actor):
            if link.in_transaction and link.idle_seconds <= limit:
                link.cut()
        actor.scheduler.counts["the server ended an idle transaction"] += 1
        actor.rest(seconds - limit)


EXTRA = "-c search_path=sim,public,pg_catalog -c synchronous_commit=off"
"""Before pg_catalog stands `sim.now()`, the virtual time, for every `now()` of the hub's SQL."""


class SimConnection(psycopg.Connection[Any]):
    """See the module."""

    actor: Actor
    links: Links
    idle_seconds: float
    _piped = False
    _hurried = False
    _told: frozenset[str] = frozenset()

    @property
    def in_transaction(self) -> bool:
        """Whether the server holds a transaction open for it."""
        return self.pgconn.transaction_status not in _IDLE

    def execute(self, query: Any, params: Any = None, **words: Any) -> Any:
        """A statement between two yield points."""
        known = _LABELS.get(query) if isinstance(query, str) else ""
        label = known or f"{zlib.crc32(str(query).encode()):08x}"
        if label == "notify":
            self._told |= {"log" if query == log.QUERIES.notify else "jobs"}
        elif isinstance(query, str) and query.startswith("notify "):
            self._told |= {query.removeprefix("notify ")}
        if self._piped:
            cursor = super().execute(query, params, **words)
            if label == "park_records":
                self.links.seen(self, label, params, cursor)
            return cursor
        self.actor.point("statement", label)
        cursor = self._patiently(query, params, words)
        self._hurried = self._hurried or label == "hurry"
        self.links.seen(self, label, params, cursor)
        return cursor

    def _patiently(self, query: Any, params: Any, words: dict[str, Any]) -> Any:
        if self.closed:
            raise errors.AdminShutdown("the server has ended this session")
        if not any(link.in_transaction for link in self.links.open if link is not self):
            return super().execute(query, params, **words)
        begun = self.actor.monotonic()
        while True:
            super().execute("savepoint sim")
            try:
                cursor = super().execute(query, params, **words)
            except errors.LockNotAvailable:
                super().execute("rollback to savepoint sim")
                waited = self.actor.monotonic() - begun
                if self._hurried or waited >= PATIENCE_SECONDS:
                    raise
                self._wait(PATIENCE_SECONDS - waited)
                continue
            super().execute("release savepoint sim")
            return cursor

    def _wait(self, seconds: float) -> None:
        """Until somebody ends a transaction; a circle of waiters is a deadlock."""
        scheduler = self.actor.scheduler
        scheduler.counts["a statement waited for a lock"] += 1
        holders = {link.actor for link in self.links.open if link.in_transaction}
        if all(actor is self.actor or actor.listening == "release" for actor in holders):
            scheduler.counts["a deadlock was broken"] += 1
            raise errors.DeadlockDetected("all who hold anything wait")
        self.actor.rest(seconds, "release")
        if self.closed:
            raise errors.AdminShutdown("the server has ended this session")

    def commit(self) -> None:
        """COMMIT, which may be cut off before or after it took effect."""
        if self._piped:
            super().commit()
            return
        self.actor.point("commit", "commit")
        with self._doubtful():
            super().commit()
        self.actor.point("committed", "commit")

    def rollback(self) -> None:
        """ROLLBACK; no yield point, since nothing is seen of it but freed locks."""
        super().rollback()
        self._told = frozenset()
        self._ended()

    @contextlib.contextmanager
    def pipeline(self) -> Iterator[psycopg.Pipeline]:
        """A pipeline as one step; all of the hub's end in COMMIT, or are part of one that does."""
        if self._piped:
            with super().pipeline() as pipeline:
                yield pipeline
            return
        self.actor.point("commit", "pipeline")
        with self._doubtful():
            self._piped = True
            try:
                with super().pipeline() as pipeline:
                    yield pipeline
            finally:
                self._piped = False
        self.actor.point("committed", "pipeline")

    @contextlib.contextmanager
    def _doubtful(self) -> Iterator[None]:
        scheduler = self.actor.scheduler
        doubt = ""
        if scheduler.faulty and scheduler.dice.chance(scheduler.plan.unknown_commit):
            doubt = scheduler.dice.pick(("before", "after"))
        if self.closed:
            raise errors.AdminShutdown("the server has ended this session")
        if doubt == "before":
            scheduler.counts["commit unknown: not applied"] += 1
            self.cut()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        yield
        self._ended()
        if doubt == "after":
            scheduler.counts["commit unknown but applied"] += 1
            self.cut()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    def _ended(self) -> None:
        """Locks are free, notices go out."""
        self._hurried = False
        for channel in sorted(self._told):
            self.actor.scheduler.tell(channel)
        self._told = frozenset()
        self.actor.scheduler.tell("release")

    def close(self) -> None:
        """Close, and let the server be done with it before anybody else steps."""
        if not self.closed:
            self.cut()

    def cut(self) -> None:
        """The connection is gone; its transaction and its locks with it."""
        if self in self.links.open:
            self.links.open.remove(self)
        if not self.closed:
            if self.in_transaction:
                self.pgconn.exec_(b"rollback")
            self.pgconn.exec_(b"select pg_advisory_unlock_all()")
            super().close()
        self._told = frozenset()
        self.actor.scheduler.tell("release")
