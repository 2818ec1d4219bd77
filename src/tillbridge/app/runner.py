"""The runner: carries a batch of records through the flow rooms in one transaction.

Waves: records of the log first, then what the rooms emitted for lanes this transaction holds
(fused); everything else waits in the log. Effects, parked keys, records and cursors commit
together. A deadlock reruns the batch; a write that fails is bisected by key under savepoints, so
that one poisoned key parks and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec
import psycopg
import structlog
from psycopg import errors as pg

from tillbridge.app.flow import FLOW, ROOMS, Route
from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.durable import log, parking
from tillbridge.durable.rooms import Connection, Outcome, Record, Room, RoomSession, records_of

CONSUMER = "flow"
WAVES_MAX = 32
RERUNS_MAX = 5
_TRANSIENT = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)
_log = structlog.get_logger("runner")


class BatchReport(msgspec.Struct):
    """What one transaction did: records taken from the log, carried fused, parked, rerun."""

    taken: int = 0
    fused: int = 0
    waiting: int = 0
    parked: int = 0
    replayed: int = 0
    reruns: int = 0
    bisected: int = 0


class Pace(msgspec.Struct, frozen=True):
    """How much one transaction takes.

    fuse=False sends every emitted record through the log (it gives the same state). lanes: which
    ones this runner may take. batch_max: records; seconds_max: a transaction that took longer
    halves the next batch, because stock rows stay locked meanwhile.
    """

    fuse: bool = True
    lanes: tuple[int, ...] = log.ALL_LANES
    batch_max: int = 500
    seconds_max: float = 0.25


class Visit(msgspec.Struct, gc=False):
    """A record on its way: the rooms it still has to see. replay is set for a parked one."""

    record: Record
    routes: tuple[Route, ...]
    replay: parking.Replay | None = None


class Work(msgspec.Struct, gc=False):
    """What the waves of one pass left to be written."""

    fused: list[Record] = msgspec.field(default_factory=list)
    waiting: list[Record] = msgspec.field(default_factory=list)
    parkings: list[parking.Parking] = msgspec.field(default_factory=list)
    notices: list[parking.CaseOpened] = msgspec.field(default_factory=list)
    replayed: list[parking.Replay] = msgspec.field(default_factory=list)
    again: list[parking.CaseOpened] = msgspec.field(default_factory=list)

    def add(self, other: Work) -> None:
        """Append another pass's work."""
        self.fused += other.fused
        self.waiting += other.waiting
        self.parkings += other.parkings
        self.notices += other.notices
        self.replayed += other.replayed
        self.again += other.again


class FlowRunner:
    """Runs the `flow` consumer on one connection. Not shared between threads."""

    def __init__(
        self,
        connection: Connection,
        rooms: Mapping[str, Room],
        clock: Clock,
        pace: Pace | None = None,
        *,
        flow: Mapping[str, tuple[Route, ...]] = FLOW,
        on_commit: Callable[[BatchReport], None] | None = None,
    ) -> None:
        """rooms: by name. on_commit hears of every transaction that did something."""
        self._connection = connection
        self._rooms = rooms
        self._clock = clock
        self._pace = pace = pace or Pace()
        self._flow = flow
        self._on_commit = on_commit
        self._batch = pace.batch_max
        log.make_cursors(connection, CONSUMER)
        connection.commit()

    def run_once(self) -> BatchReport:
        """One transaction; report.taken + report.replayed == 0 means there was nothing to do."""
        careful = False
        for rerun in range(RERUNS_MAX):
            began = self._clock.monotonic()
            try:
                report = self._transaction(careful=careful)
            except _TRANSIENT as problem:
                self._connection.rollback()
                _log.info("batch_rerun", why=type(problem).__name__, rerun=rerun + 1)
                self._clock.sleep(0.01 * (rerun + 1))
                continue
            except psycopg.OperationalError:
                raise
            except psycopg.Error:
                if careful:
                    raise
                self._connection.rollback()
                careful = True
                continue
            report.reruns = rerun
            self._adapt(self._clock.monotonic() - began, report.taken)
            if self._on_commit is not None and (report.taken or report.replayed):
                self._on_commit(report)
            return report
        raise pg.DeadlockDetected("the batch met a lock conflict five times in a row")

    def _adapt(self, seconds: float, taken: int) -> None:
        """Halve the batch after a slow transaction, grow it back after a quick full one."""
        if seconds > self._pace.seconds_max:
            self._batch = max(taken // 2, 20)
        elif taken >= self._batch:
            self._batch = min(self._batch * 2, self._pace.batch_max)

    def drain(self) -> int:
        """Run until the log has nothing more; gives the number of records taken."""
        total = 0
        while True:
            report = self.run_once()
            if not report.taken and not report.replayed:
                return total
            total += report.taken + report.replayed

    def _transaction(self, *, careful: bool) -> BatchReport:
        """careful: under savepoints, bisecting by key; only after a write was refused."""
        connection = self._connection
        positions = log.take_lanes(connection, CONSUMER, self._pace.lanes)
        if not positions:
            connection.rollback()
            return BatchReport()
        limit = max(self._batch // len(positions), 8)
        records = log.read(connection, positions, limit)[: self._batch]
        replays = parking.ready(connection, CONSUMER, list(positions), 50, 100)
        report = BatchReport(taken=len(records), replayed=len(replays))
        visits = [self._replay_visit(replay) for replay in replays]
        visits += [Visit(record, self._routes(record)) for record in records]
        held = frozenset(positions)
        if careful:
            work = self._worked(visits, held, report)
        else:
            work = self._pass(held).run(visits, self._routes)
        parking.park(connection, CONSUMER, work.parkings)
        parking.park_again(connection, CONSUMER, work.again)
        parking.open_cases(connection, work.notices)
        parking.unpark(connection, work.replayed, "hub")
        log.move_cursors(connection, CONSUMER, log.last_ids(records))
        report.fused, report.waiting = len(work.fused), len(work.waiting)
        report.parked = len(work.parkings)
        log.append_and_commit(connection, work.waiting, work.fused)
        return report

    def _routes(self, record: Record) -> tuple[Route, ...]:
        return self._flow.get(record.type, ())

    def _replay_visit(self, replay: parking.Replay) -> Visit:
        routes = self._routes(replay.record)
        kept = tuple(r for r in routes if replay.room in {r.room, r.after})
        return Visit(replay.record, kept, replay)

    def _worked(self, visits: list[Visit], held: frozenset[int], report: BatchReport) -> Work:
        """The waves of all visits with their writes, bisecting by key when a write fails."""
        try:
            with self._connection.transaction():
                return self._pass(held).run(visits, self._routes)
        except _TRANSIENT:
            raise
        except psycopg.OperationalError:
            raise
        except psycopg.Error as problem:
            return self._bisected(visits, held, report, problem)

    def _pass(self, held: frozenset[int]) -> Pass:
        now = self._clock.now()
        return Pass(self._connection, self._rooms, now, held, fuse=self._pace.fuse)

    def _bisected(
        self, visits: list[Visit], held: frozenset[int], report: BatchReport, problem: psycopg.Error
    ) -> Work:
        keys = list(dict.fromkeys(visit.record.key for visit in visits))
        report.bisected += 1
        if len(keys) == 1:
            _log.error("write_refused", key=keys[0], why=str(problem))
            return _all_parked(visits, problem)
        half = set(keys[: len(keys) // 2])
        work = self._worked([v for v in visits if v.record.key in half], held, report)
        work.add(self._worked([v for v in visits if v.record.key not in half], held, report))
        return work


def _all_parked(visits: Sequence[Visit], problem: psycopg.Error) -> Work:
    """Every visit of a poisoned key parked at its first room."""
    decision = NeedsDecision(
        "write_refused", f"the database refused the write: {problem}"[:500], owner="integration"
    )
    work = Work()
    opened: set[str] = set()
    for visit in visits:
        if visit.replay is not None or not visit.routes:
            continue
        room = visit.routes[0].room
        case = None
        if room not in opened:
            opened.add(room)
            case = parking.CaseOpened(room, visit.record, decision)
        work.parkings.append(parking.Parking(room, visit.record, case))
    return work


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
    ) -> None:
        """held: lanes this transaction holds; only their records are carried fused."""
        self._connection = connection
        self._held = held
        self._fuse = fuse
        self._sessions: dict[str, RoomSession] = {}
        self._rooms = rooms
        self._now = now
        self._work = Work()
        self._parked: set[tuple[str, str]] = set()
        self._asked: set[str] = set()

    def run(self, visits: list[Visit], routes_of: Callable[[Record], tuple[Route, ...]]) -> Work:
        """All waves, then every room's writes."""
        wave = visits
        for _ in range(WAVES_MAX):
            if not wave:
                break
            emitted = self._wave(wave)
            wave = []
            for record in emitted:
                if self._fuse and record.lane in self._held:
                    self._work.fused.append(record)
                    wave.append(Visit(record, routes_of(record)))
                else:
                    self._work.waiting.append(record)
        else:
            raise RuntimeError(f"a batch did not come to rest within {WAVES_MAX} waves")
        for name in ROOMS:
            if name in self._sessions:
                self._sessions[name].flush()
        return self._work

    def _wave(self, visits: list[Visit]) -> list[Record]:
        self._look_up_parked(visit.record.key for visit in visits)
        emitted: list[Record] = []
        stopped: set[tuple[int, str]] = set()
        for name in ROOMS:
            stops = [
                visit
                for visit in visits
                if any(r.room == name and self._passes(visit, r, stopped) for r in visit.routes)
            ]
            if stops:
                self._visit(name, stops, stopped, emitted)
        return emitted

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
            if blocked and not self._replays(visit, name):
                self._work.parkings.append(parking.Parking(name, visit.record))
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
        replayed = self._replays(visit, name)
        if outcome.decision is not None or outcome.follows:
            stopped.add((id(visit), name))
            self._parked.add((name, visit.record.key))
            self._hold(name, visit, outcome.decision, replayed=replayed)
            return
        if outcome.halt:
            stopped.add((id(visit), name))
        if replayed and visit.replay is not None:
            self._work.replayed.append(visit.replay)
        for notice in outcome.notices:
            self._work.notices.append(parking.CaseOpened(name, visit.record, notice))
        if outcome.emits:
            emitted += records_of(outcome.emits, visit.record)

    def _hold(
        self, name: str, visit: Visit, decision: NeedsDecision | None, *, replayed: bool
    ) -> None:
        opened = None if decision is None else parking.CaseOpened(name, visit.record, decision)
        if not replayed:
            self._work.parkings.append(parking.Parking(name, visit.record, opened))
        elif opened is not None:  # it keeps its place in the queue and waits for another decision
            self._work.again.append(opened)

    def _replays(self, visit: Visit, name: str) -> bool:
        return visit.replay is not None and visit.replay.room == name

    def _look_up_parked(self, keys: Iterable[str]) -> None:
        fresh = [key for key in dict.fromkeys(keys) if key not in self._asked]
        self._asked.update(fresh)
        self._parked |= parking.parked_among(self._connection, fresh)
