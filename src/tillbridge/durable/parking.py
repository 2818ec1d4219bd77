"""Parking and cases: a record that needs a decision parks its key in that room, nothing else.

Arrival of a record of a parked key copies it behind; resolving marks the key ready; a worker that
holds the lane's cursor replays in order. All in the runner's transaction, so a crash moves nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.intake import Received
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record, readable, stored_form

QUERIES = load("tillbridge.durable", "parking.sql")
# an escaped NUL, which jsonb refuses; an even number of backslashes before it escape each other
_NUL = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")


class CaseOpened(msgspec.Struct, gc=False):
    """A case to be written: which room found it for which record."""

    room: str
    record: Record
    decision: NeedsDecision

    @property
    def fingerprint(self) -> str:
        """What makes two cases the same one while open: room, key, reason (and operation). A
        notice about a place is one case for all its products: `place` stands for the key.
        """
        operation = str(self.decision.details.get("operation", ""))
        about = str(self.decision.details.get("place", self.record.key))
        text = f"{self.room}\x1f{about}\x1f{self.decision.reason}\x1f{operation}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


class Parking(msgspec.Struct, gc=False):
    """A record to be put behind its parked key. opened is set for the one that parks the key."""

    room: str
    record: Record
    opened: CaseOpened | None = None


def parked_among(connection: Connection, keys: Sequence[str]) -> set[tuple[str, str]]:
    """Which (room, key) of these keys are parked; one query for all rooms."""
    if not keys:
        return set()
    rows = connection.execute(QUERIES.parked_among, (list(keys),)).fetchall()
    return {(room, key) for room, key in rows}


Settled = tuple[str, str, str]
"""Room, key and reason of cases that have no ground any more."""


def settle(connection: Connection, settled: Sequence[Settled]) -> None:
    """Resolve cases that were opened without parking anything."""
    if settled:
        columns = [list(column) for column in zip(*settled, strict=True)]
        connection.execute(QUERIES.settle, columns)


def open_cases(connection: Connection, opened: Sequence[CaseOpened]) -> dict[str, int]:
    """Write cases (an open one with the same fingerprint counts up): {fingerprint: case id}."""
    if not opened:
        return {}
    unique = {case.fingerprint: case for case in sorted(opened, key=lambda c: c.fingerprint)}
    rows = connection.execute(
        QUERIES.open_cases,
        (
            [case.decision.reason for case in unique.values()],
            [case.decision.owner for case in unique.values()],
            [case.room for case in unique.values()],
            [case.record.key for case in unique.values()],
            list(unique),
            [plain(case.decision.words) for case in unique.values()],
            [plain(case.decision.remedy) for case in unique.values()],
            [case.decision.amount for case in unique.values()],
            [case.decision.currency for case in unique.values()],
            [_details(case.decision) for case in unique.values()],
            [case.record.type for case in unique.values()],
            [_message(case.record) for case in unique.values()],
        ),
        binary=True,
    ).fetchall()
    return {fingerprint: int(number) for number, fingerprint in rows}


def park(connection: Connection, consumer: str, parkings: Sequence[Parking]) -> None:
    """Write cases, parked keys and parked records as three sets."""
    opening = [parking for parking in parkings if parking.opened is not None]
    numbers = open_cases(connection, [p.opened for p in opening if p.opened is not None])
    keys = {
        (p.room, p.record.key): (p.record.lane, numbers[p.opened.fingerprint])
        for p in opening
        if p.opened is not None
    }
    if keys:
        connection.execute(
            QUERIES.park_keys,
            (
                consumer,
                [room for room, _ in keys],
                [key for _, key in keys],
                [lane for lane, _ in keys.values()],
                [case for _, case in keys.values()],
            ),
        )
    _park_records(connection, parkings)


def park_again(connection: Connection, consumer: str, opened: Sequence[CaseOpened]) -> None:
    """A replayed record needs another decision: it stays first in its queue under the new case."""
    opened = list({(case.room, case.record.key): case for case in reversed(opened)}.values())
    if not opened:
        return
    rooms = [case.room for case in opened]
    keys = [case.record.key for case in opened]
    before = connection.execute(QUERIES.parked_cases, (rooms, keys)).fetchall()
    numbers = open_cases(connection, opened)
    now = [numbers[case.fingerprint] for case in opened]
    lanes = [case.record.lane for case in opened]
    connection.execute(QUERIES.park_keys, (consumer, rooms, keys, lanes, now))
    superseded = {int(row[0]) for row in before} - set(now)
    if superseded:
        connection.execute(
            QUERIES.close_cases,
            ("hub", "superseded by another case of the same record", sorted(superseded)),
        )


def _park_records(connection: Connection, parkings: Sequence[Parking]) -> None:
    if not parkings:
        return
    records = [parking.record for parking in parkings]
    stored = [stored_form(record) for record in records]
    connection.execute(
        QUERIES.park_records,
        (
            [parking.room for parking in parkings],
            [record.key for record in records],
            [record.id for record in records],
            [record.type for record in records],
            [version for version, _ in stored],
            [record.trace for record in records],
            [record.cause for record in records],
            [body for _, body in stored],
        ),
        binary=True,
    )


class Replay(msgspec.Struct, gc=False):
    """A parked record that is ready to be tried again, and its place in the queue."""

    room: str
    n: int
    record: Record


def ready(
    connection: Connection, consumer: str, lanes: Sequence[int], keys_max: int, each_max: int
) -> list[Replay]:
    """Parked records of ready keys in held lanes, in order, at most `each_max` per key."""
    keys = connection.execute(QUERIES.ready_keys, (consumer, list(lanes), keys_max)).fetchall()
    if not keys:
        return []
    rows = connection.execute(
        QUERIES.parked_records,
        ([room for room, _ in keys], [key for _, key in keys], each_max),
        binary=True,
    ).fetchall()
    return [_replay(row) for row in rows]


def parked_by(
    connection: Connection, cases: Sequence[int], each_max: int, most: int
) -> list[tuple[int, Replay]]:
    """What cases hold back, ready or not: (case, record), in order of queueing, at most so many.

    Reads only; who writes by it has to hold the lanes, or to roll back.
    """
    values = (list(cases), each_max, most)
    rows = connection.execute(QUERIES.parked_by, values, binary=True).fetchall()
    found = [(int(number), _replay(tuple(row))) for number, *row in rows]
    found.sort(key=lambda one: one[1].n)
    return found


def _replay(row: Sequence[Any]) -> Replay:
    room, key, n, number, name, version, trace, cause, body = row
    found = readable(key, name, version, body)
    return Replay(room, n, Record(key, name, found, lane_of(key), number, trace, cause))


def unpark(connection: Connection, done: Sequence[Replay], resolved_by: str) -> None:
    """Delete replayed records; keys left empty are unparked and their cases closed."""
    if not done:
        return
    rooms = [replay.room for replay in done]
    keys = [replay.record.key for replay in done]
    cases = connection.execute(QUERIES.parked_cases, (rooms, keys)).fetchall()
    connection.execute(QUERIES.unpark_records, (rooms, keys, [replay.n for replay in done]))
    connection.execute(QUERIES.unpark_empty_keys, (rooms, keys))
    left = connection.execute(QUERIES.parked_cases, (rooms, keys)).fetchall()
    closed = {int(row[0]) for row in cases} - {int(row[0]) for row in left}
    if closed:
        connection.execute(
            QUERIES.close_cases, (resolved_by, "the parked records went through", sorted(closed))
        )


def plain(text: str) -> str:
    """Text as PostgreSQL can hold it: no NUL, no lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _details(decision: NeedsDecision) -> str:
    """The evidence as JSON; a case must be written whatever its evidence holds."""
    try:
        text = msgspec.json.encode(decision.details).decode()
    except (UnicodeEncodeError, TypeError, ValueError):
        text = msgspec.json.encode({"unprintable": plain(repr(decision.details))[:2000]}).decode()
    return _NUL.sub(r"\1", text)


def _message(record: Record) -> int | None:
    return record.body.message if isinstance(record.body, Received) else None
