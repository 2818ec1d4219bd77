"""The waves: records visit their rooms, what the rooms emit visits its rooms in the next wave.

One pass takes visits through all waves inside the transaction (or savepoint) of its caller, writes
the rooms' effects, and leaves as `Work` what the runner has to write: records, parkings, cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from tillbridge.app.flow import ROOMS, Route
from tillbridge.app.marking import first_marks
from tillbridge.app.work import Pair, Visit, Work
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.durable import parking
from tillbridge.durable.rooms import (
    Connection,
    Outcome,
    Record,
    Room,
    RoomSession,
    Unreadable,
    records_of,
    storable,
)

WAVES_MAX = 32
READING = "reading"
"""Where a record is parked that this release cannot read: before every room."""


class Pass:
    """One run of visits through the rooms in waves, inside a savepoint."""

    def __init__(
        self,
        connection: Connection,
        rooms: Mapping[str, Room],
        now: datetime,
        held: frozenset[int],
        *,
        fuse: bool,
        stuck: set[Pair],
    ) -> None:
        """held: lanes this transaction holds; only their records are carried fused. stuck: parked
        by an earlier pass of this transaction, replays included.
        """
        self._connection = connection
        self._held = held
        self._fuse = fuse
        self._sessions: dict[str, RoomSession] = {}
        self._rooms = rooms
        self._now = now
        self._work = Work()
        self._stuck = frozenset(stuck)
        self._parked: set[Pair] = set(stuck)
        self._asked: set[str] = set()
        self._late: list[Visit] = []

    def run(self, visits: list[Visit], routes_of: Callable[[Record], tuple[Route, ...]]) -> Work:
        """All waves; nothing is written before `flush`.

        The last room waits until nothing else moves, then takes what has come together for it. Its
        rows are those that others wait for: so they are locked once, in their order, and late.
        """
        wave = visits
        for _ in range(WAVES_MAX):
            if not wave and not self._late:
                break
            emitted = self._wave(wave) if wave else self._last_room()
            wave = []
            for record in emitted:
                storable(record)
                if self._fuse and record.lane in self._held:
                    self._work.fused.append(record)
                    wave.append(Visit(record, routes_of(record)))
                else:
                    self._work.waiting.append(record)
        else:
            raise RuntimeError(f"a batch did not come to rest within {WAVES_MAX} waves")
        marks = first_marks(visits, self._work.replayed)
        if marks:
            self._work.fused[:0] = marks.values()
            self._work.marks, self._work.marked = marks, len(marks)
        return self._work

    def flush(self) -> None:
        """Every room's writes."""
        for name in ROOMS:
            if name in self._sessions:
                self._sessions[name].flush()

    def _wave(self, visits: list[Visit]) -> list[Record]:
        self._look_up_parked(visit.record.key for visit in visits)
        visits = self._readable(visits)
        emitted: list[Record] = []
        stopped: set[tuple[int, str]] = set()
        by_room: dict[str, list[tuple[Visit, Route]]] = {}
        for visit in visits:
            for route in visit.routes:
                by_room.setdefault(route.room, []).append((visit, route))
        for name in ROOMS:
            stops = [v for v, route in by_room.get(name, ()) if self._passes(v, route, stopped)]
            if name == ROOMS[-1]:
                self._late += stops
            elif stops:
                self._visit(name, stops, stopped, emitted)
        return emitted

    def _last_room(self) -> list[Record]:
        emitted: list[Record] = []
        visits, self._late = self._late, []
        self._visit(ROOMS[-1], visits, set(), emitted)
        return emitted

    def _readable(self, visits: Sequence[Visit]) -> list[Visit]:
        """Park what this release cannot read, and what comes behind such a record of its key."""
        kept: list[Visit] = []
        held: set[Pair] = set(self._stuck)
        for visit in visits:
            body, key = visit.record.body, visit.record.key
            room = READING if visit.replay is None else visit.replay.room
            if isinstance(body, Unreadable):
                decision = NeedsDecision("record_unreadable", body.words)
                behind = held if visit.replay is not None else self._parked
                self._hold(room, visit, None if (room, key) in behind else decision)
                held.add((room, key))
                self._parked.add((room, key))
            elif visit.replay is None and (READING, key) in self._parked:
                self._hold(READING, visit, None)
            elif visit.replay is not None and room == READING:
                if (room, key) not in held:
                    self._work.replayed.append(visit.replay)
                    kept.append(visit)
            else:
                kept.append(visit)
        return kept

    def _goes_on(self, visit: Visit, room: str) -> bool:
        """Whether a visit to a parked key is the replay that the key waits for."""
        return self._replays(visit, room) and (room, visit.record.key) not in self._stuck

    def _passes(self, visit: Visit, route: Route, stopped: set[tuple[int, str]]) -> bool:
        return not route.after or (id(visit), route.after) not in stopped

    def _visit(
        self,
        name: str,
        visits: list[Visit],
        stopped: set[tuple[int, str]],
        emitted: list[Record],
    ) -> None:
        taking: list[Visit] = []
        for visit in visits:
            blocked = (name, visit.record.key) in self._parked
            if blocked and not self._goes_on(visit, name):
                self._hold(name, visit, None)
                stopped.add((id(visit), name))
            else:
                taking.append(visit)
        if not taking:
            return
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = self._opened(name)
        outcomes = session.take([visit.record for visit in taking])
        for visit, outcome in zip(taking, outcomes, strict=True):
            self._settle(name, visit, outcome, stopped, emitted)

    def _opened(self, name: str) -> RoomSession:
        return self._rooms[name].open(self._connection, self._now)

    def _settle(
        self,
        name: str,
        visit: Visit,
        outcome: Outcome,
        stopped: set[tuple[int, str]],
        emitted: list[Record],
    ) -> None:
        if outcome.decision is not None or outcome.follows:
            stopped.add((id(visit), name))
            self._parked.add((name, visit.record.key))
            self._hold(name, visit, outcome.decision)
            return
        if outcome.halt:
            stopped.add((id(visit), name))
        if visit.replay is not None and visit.replay.room == name:
            self._work.replayed.append(visit.replay)
        for notice in outcome.notices:
            self._work.notices.append(parking.CaseOpened(name, visit.record, notice))
            # what was settled before it has a ground again
            again = (name, visit.record.key, notice.reason)
            self._work.settled = [one for one in self._work.settled if one != again]
        for reason in outcome.settles:
            self._work.settled.append((name, visit.record.key, reason))
        if outcome.emits:
            emitted += records_of(outcome.emits, visit.record)

    def _hold(self, name: str, visit: Visit, decision: NeedsDecision | None) -> None:
        """Park a visit in a room, or leave a replayed one where it is in its queue."""
        opened = None if decision is None else parking.CaseOpened(name, visit.record, decision)
        if not self._replays(visit, name):
            self._work.parkings.append(parking.Parking(name, visit.record, opened))
        elif opened is not None:  # it keeps its place in the queue and waits for another decision
            self._work.again.append(opened)

    def _replays(self, visit: Visit, name: str) -> bool:
        return visit.replay is not None and visit.replay.room == name

    def _look_up_parked(self, keys: Iterable[str]) -> None:
        fresh = [key for key in dict.fromkeys(keys) if key not in self._asked]
        self._asked.update(fresh)
        self._parked |= parking.parked_among(self._connection, fresh)
