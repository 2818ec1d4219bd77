"""What a flow room is to the runner: it takes records in waves and writes its effects as sets.

A room never knows whether a record came from the log or was handed over inside the same
transaction (fused). It gives outcomes back; only the runner appends, parks and moves cursors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
import psycopg
import structlog

from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Command
from tillbridge.canonical.registry import Body, UnknownType, decode, encode, version_of

Connection = psycopg.Connection[Any]

_log = structlog.get_logger("rooms")


class Record(msgspec.Struct, gc=False):
    """One record of the log, decoded. id is None while it exists only inside a transaction.

    cause is the id of the log record that set this off; trace is a W3C traceparent. encoded keeps
    the body's bytes once they were made.
    """

    key: str
    type: str
    body: Body
    lane: int
    id: int | None = None
    trace: bytes | None = None
    cause: int | None = None
    encoded: bytes | None = None

    def stored_body(self) -> bytes:
        """The body as the log holds it."""
        if self.encoded is None:
            self.encoded = encode(self.body)
        return self.encoded


KEY_BYTES_MAX = 1000
"""A key stands in indexes, whose entries PostgreSQL limits to 2,704 bytes."""


def storable(record: Record) -> None:
    """Raise ValueError when the log could not hold a record: its key, or a text in its body."""
    size = len(record.key.encode())
    if not 0 < size <= KEY_BYTES_MAX or "\x00" in record.key:
        raise ValueError(f"{record.type} has an unusable key of {size} bytes: {record.key[:60]!r}")
    record.stored_body()


class Unreadable(Command, frozen=True, kw_only=True):
    """Stands for a stored body that this release cannot read; parked as it is, never changed."""

    version: int
    stored: bytes
    words: str


def readable(key: str, name: str, version: int, stored: bytes) -> Body:
    """The body of a stored record, or `Unreadable`: one record must not stop all others."""
    try:
        return decode(name, version, stored)
    except (UnknownType, msgspec.MsgspecError, ValueError, KeyError, TypeError) as problem:
        words = f"the stored {name} (version {version}) cannot be read: {problem}"
        return Unreadable(key=key, id="", version=version, stored=stored, words=words)


def stored_form(record: Record) -> tuple[int, bytes]:
    """Version and bytes under which a record's body is stored."""
    if isinstance(record.body, Unreadable):
        return record.body.version, record.body.stored
    return version_of(record.type), encode(record.body)


class Outcome(msgspec.Struct, gc=False):
    """What a room says of one record.

    emits: facts and commands that follow. decision: the record (and so its key in this room) is
    parked with this case. follows: queue behind a record of the same key parked just before.
    notices: cases to open without parking anything. settles: reasons of such cases of this key
    that have no ground any more. halt: rooms gated behind this one do not get the record (a
    duplicate, say).
    """

    emits: tuple[Body, ...] = ()
    decision: NeedsDecision | None = None
    follows: bool = False
    notices: tuple[NeedsDecision, ...] = ()
    settles: tuple[str, ...] = ()
    halt: bool = False


DONE = Outcome()


class RoomSession(Protocol):
    """A room's work inside one transaction."""

    def take(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """One outcome per record, in order. May be called once per wave; state loaded for a key
        is kept for later waves of the same transaction.
        """

    def flush(self) -> None:
        """Write every remembered effect as sets. Called once, before records and cursors."""


class Room(Protocol):
    """A flow room, opened anew for each transaction."""

    @property
    def name(self) -> str:
        """Name in the wiring table, e.g. `posting.money`."""

    def open(self, connection: Connection, now: datetime) -> RoomSession:
        """A session on this transaction's connection; `now` is the transaction's instant (UTC)."""


class KeyedSession:
    """A session that loads state for keys once and handles records one after the other.

    Subclasses give `load` and `handle`. `handle` must not change the session's state before it is
    certain to return: an exception leaves state as it was, and parks the key.
    """

    room = ""

    def load(self, records: Sequence[Record]) -> None:
        """Load the state the records need; keys seen in an earlier wave are already here."""

    def handle(self, record: Record) -> Outcome:
        """Outcome of one record. May raise NeedsDecision."""
        raise NotImplementedError

    def take(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See RoomSession. A record behind a parked one of its key queues."""
        self.load(records)
        outcomes: list[Outcome] = []
        parked: set[str] = set()
        for record in records:
            if record.key in parked:
                outcomes.append(Outcome(follows=True))
                continue
            outcome = self._handled(record)
            if outcome.decision is not None:
                parked.add(record.key)
            outcomes.append(outcome)
        return outcomes

    def _handled(self, record: Record) -> Outcome:
        try:
            return self.handle(record)
        except NeedsDecision as decision:
            return Outcome(decision=decision)
        except (Refused, RetryLater) as problem:
            return Outcome(decision=NeedsDecision("refused", problem.words))
        except psycopg.Error:
            raise
        except Exception as problem:  # noqa: BLE001 - a defect parks one key, not the hub
            _log.exception("room_defect", room=self.room, key=record.key, type=record.type)
            return Outcome(decision=defect(record, problem))


def defect(record: Record, problem: Exception) -> NeedsDecision:
    """The case for a record that our own code failed on; the log has the traceback."""
    words = f"{record.type} could not be handled: {type(problem).__name__}: {problem}"
    return NeedsDecision("defect", words[:500], owner="integration")


def records_of(bodies: Iterable[Body], parent: Record) -> list[Record]:
    """Records for bodies a room emitted while handling `parent`."""
    root = parent.id if parent.id is not None else parent.cause
    return [
        Record(
            key=body.key,
            type=type(body).__name__,
            body=body,
            lane=lane_of(body.key),
            trace=parent.trace,
            cause=root,
        )
        for body in bodies
    ]
