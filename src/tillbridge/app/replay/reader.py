"""The log as a replay needs it: its records in the order in which they had their effects.

A fused record has its effects where it stands. One that was taken later has them where the log
says so: in a `RecordsTaken`, or, when translating took it, where the first record it set off
stands. What parked waits in a queue per room and key, and has them where it went through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import cast

import msgspec

from tillbridge.app.flow import MAPPING, Route
from tillbridge.app.marking import IN_ORDER
from tillbridge.app.replay.findings import Findings
from tillbridge.app.waves import READING
from tillbridge.canonical import markers
from tillbridge.canonical.registry import TYPES
from tillbridge.durable.log import ALL_LANES
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record, readable

QUERIES = load("tillbridge.app.replay", "log.sql")
SPAN = 2_000


class Stand(msgspec.Struct, frozen=True):
    """How far a hub was: newest record, the flow's cursors, where the log began to tell all."""

    top: int
    told_from: int
    incarnation: int
    cursors: dict[int, int]


class Told(msgspec.Struct, gc=False):
    """A row of the log."""

    id: int
    fused: bool
    record: Record

    @property
    def root(self) -> int:
        """Which record of the log set this off, itself when it came from outside."""
        return self.id if self.record.cause is None or not self.fused else self.record.cause


class Step(msgspec.Struct, gc=False):
    """A record on its way through rooms again. stopped: rooms that do not let it through."""

    record: Record
    root: int
    routes: list[Route]
    stopped: set[str]


def stand_of(connection: Connection) -> Stand:
    """How far a hub is, in the caller's transaction."""
    top, told_from, incarnation = connection.execute(QUERIES.top).fetchone() or (0, 0, 1)
    cursors = dict(connection.execute(QUERIES.cursors).fetchall())
    return Stand(int(top), int(told_from), int(incarnation), cursors)


def spans(connection: Connection, after: int, top: int) -> Iterator[list[Told]]:
    """The log after a record up to another, in order, some thousand rows at a time."""
    lanes = list(ALL_LANES)
    while after < top:
        end = min(after + SPAN, top)
        rows = connection.execute(QUERIES.span, (lanes, after, end), binary=True).fetchall()
        yield [told_of(row) for row in rows]
        after = end


def pending_at(connection: Connection, stand: Stand) -> list[Told]:
    """What was told up to a stand but taken only after it."""
    lanes, positions = list(stand.cursors), list(stand.cursors.values())
    values = (lanes, positions, stand.top)
    return [told_of(row) for row in connection.execute(QUERIES.pending_at, values, binary=True)]


def told_of(row: tuple[object, ...]) -> Told:
    """A row of the log, decoded."""
    number, lane, key, name, version, fused, trace, cause, body = cast(
        "tuple[int, int, str, str, int, bool, bytes | None, int | None, bytes]", row
    )
    record = Record(key, name, readable(key, name, version, body), lane, None, trace, cause)
    if not fused:
        record.id = number
    if name in TYPES and TYPES[name][1] == version:
        record.encoded = body
    return Told(number, fused, record)


class Order:
    """Puts effects in their order. Gives steps; keeps what waits for its place, and the queues."""

    def __init__(
        self,
        flow: Mapping[str, tuple[Route, ...]],
        cursors: Mapping[int, int],
        parked_at: Mapping[int, set[str]],
        findings: Findings,
    ) -> None:
        """cursors: how far the flow is at the end. parked_at: rooms that parked a row."""
        self._flow = flow
        self._cursors = cursors
        self._parked_at = parked_at
        self._findings = findings
        self._waiting: dict[int, dict[int, Told]] = {lane: {} for lane in ALL_LANES}
        self._lane_of: dict[int, int] = {}
        self.queues: dict[tuple[str, str], deque[tuple[Record, int]]] = {}

    def comes(self, told: Told) -> Iterator[Step]:
        """Steps that a row which is no marker gives rise to, in order."""
        record = told.record
        if record.cause is not None:
            yield from self._traced(record.cause)
        routes = self._flow.get(record.type, ())
        if told.fused:
            yield from self._steps(told.id, record, told.root, routes)
        else:
            yield from self.waits(told)

    def waits(self, told: Told) -> Iterator[Step]:
        """A row that was taken later than it was told, if it was taken at all by now."""
        record = told.record
        routes = self._flow.get(record.type, ())
        if told.id > self._cursors.get(record.lane, 0):
            return
        if self._has_place(routes):
            self._waiting[record.lane][told.id] = told
            self._lane_of[told.id] = record.lane
        else:
            yield from self._steps(told.id, record, told.root, routes)

    def marker(self, told: Told) -> Iterator[Step]:
        """Steps that a marker gives rise to."""
        body = told.record.body
        if isinstance(body, markers.RecordsTaken):
            for number in body.records:
                yield from self._placed(number)
        elif isinstance(body, markers.RecordParked) and body.record:
            yield from self._placed(body.record)
        elif isinstance(body, markers.ParkedReplayed):
            head = self._head(body.room, body.key, told.id)
            if head is not None:
                record, root = head
                routes = self._flow.get(record.type, ())
                if body.room != READING:
                    routes = behind(body.room, routes)
                yield from self._steps(told.id, record, root, routes)
        elif isinstance(body, markers.ParkedGivenUp):
            self._head(body.room, body.key, told.id)

    def rest(self) -> Iterator[Step]:
        """At the end of the log: what was taken and set nothing off."""
        for number in sorted(self._lane_of):
            told = self._waiting[self._lane_of[number]][number]
            if any(route.room in IN_ORDER for route in self._flow.get(told.record.type, ())):
                self._findings.add(
                    "a record was taken, and the log does not say where", f"record {number}"
                )
            yield from self._placed(number)

    def _has_place(self, routes: tuple[Route, ...]) -> bool:
        """Whether it matters where such a record had its effects."""
        return any(route.room in IN_ORDER or route.room == MAPPING for route in routes)

    def _traced(self, cause: int) -> Iterator[Step]:
        """The record that set something off was taken here, and all before it in its lane."""
        lane = self._lane_of.get(cause)
        if lane is None:
            return
        waiting = self._waiting[lane]
        for number in list(takewhile(lambda n: n <= cause, waiting)):
            routes = self._flow.get(waiting[number].record.type, ())
            if number == cause or not any(route.room in IN_ORDER for route in routes):
                yield from self._placed(number)

    def _placed(self, number: int) -> Iterator[Step]:
        lane = self._lane_of.pop(number, None)
        if lane is not None:
            told = self._waiting[lane].pop(number)
            routes = self._flow.get(told.record.type, ())
            yield from self._steps(number, told.record, told.root, routes)

    def _steps(
        self, row: int, record: Record, root: int, routes: tuple[Route, ...]
    ) -> Iterator[Step]:
        """One step with the rooms that took the record; a room that parked it gets it queued."""
        parked = self._parked_at.get(row)
        if parked is None:
            if routes:
                yield Step(record, root, list(routes), set())
            return
        if READING in parked:
            self.queue(READING, record, root)
            return
        step = Step(record, root, [], set())
        for route in routes:
            if route.after in step.stopped:
                continue
            if route.room in parked:
                self.queue(route.room, record, root)
                step.stopped.add(route.room)
            else:
                step.routes.append(route)
        if step.routes:
            yield step

    def queue(self, room: str, record: Record, root: int) -> None:
        """A record waits behind its key in a room."""
        self.queues.setdefault((room, record.key), deque()).append((record, root))

    def _head(self, room: str, key: str, row: int) -> tuple[Record, int] | None:
        queue = self.queues.get((room, key))
        if not queue:
            self._findings.add(
                "a parked record went on that had not parked", f"record {row}: {room} {key}"
            )
            return None
        head = queue.popleft()
        if not queue:
            del self.queues[(room, key)]
        return head


def behind(room: str, routes: tuple[Route, ...]) -> tuple[Route, ...]:
    """The routes a record still has to see that parked in a room."""
    rooms = {room}
    for route in routes:
        if route.after in rooms:
            rooms.add(route.room)
    return tuple(route for route in routes if route.room in rooms)


def parked_rows(connection: Connection, after: int, top: int) -> dict[int, set[str]]:
    """Which rooms parked which row: the record's own, or that of the marker it went on by."""
    found: dict[int, set[str]] = {}
    rows = connection.execute(QUERIES.parkings, (after, top), binary=True)
    for number, version, stored in rows:
        body = readable("", "RecordParked", version, stored)
        if isinstance(body, markers.RecordParked):
            found.setdefault(body.record or number - body.back, set()).add(body.room)
    return found
