"""The runner: carries a batch of records through the flow rooms in one transaction.

Waves: records of the log first, then what the rooms emitted for lanes this transaction holds
(fused); everything else waits in the log. Effects, parked keys, records and cursors commit
together. A deadlock reruns the batch; a batch that fails otherwise is bisected by key, then by
position, under savepoints, so that one poisoned key parks and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec
import psycopg
import structlog
from psycopg import errors as pg

from tillbridge.app.flow import FLOW, Route
from tillbridge.app.marking import first_marks, last_marks
from tillbridge.app.suspects import KILLER, Suspects
from tillbridge.app.waves import READING, Pass
from tillbridge.app.work import Pair, Visit, Work
from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.durable import log, parking
from tillbridge.durable.crash_points import reach
from tillbridge.durable.rooms import Connection, Record, Room, defect

CONSUMER = "flow"
T = TypeVar("T")
RERUNS_MAX = 5
REPLAYED_KEYS, REPLAYED_KEYS_BUSY = 50, 5
"""Parked keys that are tried again in one transaction; live traffic goes before them."""
_TRANSIENT = (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable)
# a case was closed by hand while a record was being put behind its key
_OVERTAKEN = (pg.ForeignKeyViolation,)
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

    @property
    def idle(self) -> bool:
        """Whether there was nothing to do."""
        return not self.taken and not self.replayed


class Pace(msgspec.Struct, frozen=True):
    """How much one transaction takes.

    fuse=False sends every emitted record through the log (it gives the same state). lanes: which
    ones this runner may take. batch_max: records; seconds_max: a transaction that took longer
    halves the next batch, because stock rows stay locked meanwhile.
    """

    fuse: bool = True
    lanes: tuple[int, ...] = log.ALL_LANES
    batch_max: int = 500
    seconds_max: float = 0.1


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
        suspects: Suspects | None = None,
    ) -> None:
        """rooms: by name. on_commit hears of every transaction that did something. suspects: where
        a process of its own remembers what it carries, for the one that follows it.
        """
        self._connection = connection
        self._rooms = rooms
        self._clock = clock
        self._pace = pace = pace or Pace()
        self._flow = flow
        self._on_commit = on_commit
        self._suspects = suspects
        self._batch = pace.batch_max
        self._stuck: set[Pair] = set()
        log.make_cursors(connection, CONSUMER)
        connection.commit()

    def run_once(self) -> BatchReport:
        """One transaction; report.taken + report.replayed == 0 means there was nothing to do."""
        try:
            report = self._run_once()
        finally:
            if self._suspects is not None:
                self._suspects.passed()
        return report

    def _run_once(self) -> BatchReport:
        careful = False
        for rerun in range(RERUNS_MAX):
            began = self._clock.monotonic()
            try:
                report = self._transaction(careful=careful)
            except (*_TRANSIENT, *_OVERTAKEN) as problem:
                self._connection.rollback()
                _log.info("batch_rerun", why=type(problem).__name__, rerun=rerun + 1)
                self._clock.sleep(0.01 * (rerun + 1))
                careful = careful or isinstance(problem, _OVERTAKEN)
                continue
            except Exception as problem:
                if not self._connection.closed:
                    self._connection.rollback()
                if careful or not _poisoned(problem):
                    raise
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

    def rehearse(self, replays: Sequence[parking.Replay], look: Callable[[Work], T]) -> T:
        """Carry parked records through their rooms, let `look` see what came of it, roll back.

        Holds the locks of these records meanwhile, as one batch does, and gives way to live
        traffic: raises psycopg.errors.LockNotAvailable when it is in the way.
        """
        connection = self._connection
        connection.rollback()
        connection.execute("set local lock_timeout = 500")
        self._stuck = set()
        visits = [self._replay_visit(replay) for replay in replays]
        try:
            return look(self._worked(visits, frozenset(log.ALL_LANES), BatchReport()))
        finally:
            if not connection.closed:
                connection.rollback()

    def _transaction(self, *, careful: bool) -> BatchReport:
        """careful: under savepoints, bisecting; only after the batch has failed once."""
        connection = self._connection
        positions = log.take_lanes(connection, CONSUMER, self._pace.lanes)
        if not positions:
            connection.rollback()
            return BatchReport()
        records, replays = self._read(positions)
        reach("flow.lanes_taken")
        report = BatchReport(taken=len(records), replayed=len(replays))
        self._stuck = set()
        visits = [self._replay_visit(replay) for replay in replays]
        visits += [Visit(record, self._routes(record)) for record in records]
        held = frozenset(positions)
        if self._suspects is not None:
            self._suspects.carry(visit.record for visit in visits)
        log.move_cursors(connection, CONSUMER, log.last_ids(records))
        passed: Pass | None = None
        if self._suspects is not None and visits and self._suspects.killer(visits[0].record):
            work = self._held_back(visits[0], KILLER)
        elif careful:
            work = self._worked(visits, held, report)
        else:
            passed = self._pass(held)
            work = passed.run(visits, self._routes)
        # Rows are locked by now: what is left to write goes out at once, with COMMIT at its end.
        with connection.pipeline():
            log.bound(connection)
            if passed is not None:
                passed.flush()
            self._write(work, replays)
            reach("flow.before_append")
            log.append_and_commit(connection, work.waiting, work.fused + last_marks(work))
        report.fused, report.waiting = len(work.fused) - work.marked, len(work.waiting)
        report.parked = len(work.parkings)
        reach("flow.after_commit")
        return report

    def _write(self, work: Work, replays: Sequence[parking.Replay]) -> None:
        """Parked keys and cases."""
        connection = self._connection
        parking.park(connection, CONSUMER, work.parkings)
        parking.park_again(connection, CONSUMER, work.again + _not_moved(replays, work))
        parking.open_cases(connection, work.notices)
        parking.settle(connection, work.settled)
        parking.unpark(connection, work.replayed, "hub")

    def _read(self, positions: dict[int, int]) -> tuple[list[Record], list[parking.Replay]]:
        """A batch of the held lanes: records of the log, and parked ones that are ready."""
        lanes = list(positions)
        if self._suspects is not None and self._suspects.single:
            replays = parking.ready(self._connection, CONSUMER, lanes, 1, 1)
            return [] if replays else log.read(self._connection, positions, 1)[:1], replays
        limit = max(self._batch // len(positions), 8)
        records = log.read(self._connection, positions, limit)[: self._batch]
        busy = len(records) * 2 > self._batch
        keys = REPLAYED_KEYS_BUSY if busy else REPLAYED_KEYS
        return records, parking.ready(self._connection, CONSUMER, lanes, keys, 100)

    def _routes(self, record: Record) -> tuple[Route, ...]:
        return self._flow.get(record.type, ())

    def _replay_visit(self, replay: parking.Replay) -> Visit:
        routes = self._routes(replay.record)
        if replay.room == READING:
            return Visit(replay.record, routes, replay)
        behind = {replay.room}
        for route in routes:
            if route.after in behind:
                behind.add(route.room)
        return Visit(replay.record, tuple(r for r in routes if r.room in behind), replay)

    def _worked(self, visits: list[Visit], held: frozenset[int], report: BatchReport) -> Work:
        """The waves of all visits with their writes, bisecting when something fails."""
        try:
            with self._connection.transaction():
                passed = self._pass(held)
                work = passed.run(visits, self._routes)
                passed.flush()
        except Exception as problem:
            if not _poisoned(problem):
                raise
            report.bisected += 1
            return self._bisected(visits, held, report, problem)
        self._stuck |= work.stuck()
        return work

    def _pass(self, held: frozenset[int]) -> Pass:
        now = self._clock.now()
        return Pass(
            self._connection, self._rooms, now, held, fuse=self._pace.fuse, stuck=self._stuck
        )

    def _bisected(
        self, visits: list[Visit], held: frozenset[int], report: BatchReport, problem: Exception
    ) -> Work:
        """Both halves apart: of the keys, then of one key's records in their order."""
        if len(visits) == 1:
            _log.error("poison", key=visits[0].record.key, why=str(problem), exc_info=problem)
            return self._held_back(visits[0], problem)
        keys = list(dict.fromkeys(visit.record.key for visit in visits))
        if len(keys) > 1:
            first = set(keys[: len(keys) // 2])
            halves = (
                [v for v in visits if v.record.key in first],
                [v for v in visits if v.record.key not in first],
            )
        else:
            halves = visits[: len(visits) // 2], visits[len(visits) // 2 :]
        work = self._worked(halves[0], held, report)
        work.add(self._worked(halves[1], held, report))
        return work

    def _held_back(self, visit: Visit, problem: Exception) -> Work:
        """A poisoned visit: a replayed record keeps its place, a live one parks where it came."""
        decision = _decision_for(visit.record, problem)
        work = Work()
        if visit.replay is not None:
            work.again.append(parking.CaseOpened(visit.replay.room, visit.record, decision))
        else:
            key = visit.record.key
            parked = parking.parked_among(self._connection, [key]) | self._stuck
            for room in (route.room for route in visit.routes if not route.after):
                case = parking.CaseOpened(room, visit.record, decision)
                behind = (room, key) in parked
                work.parkings.append(parking.Parking(room, visit.record, None if behind else case))
            work.fused += first_marks([visit], ()).values()
            work.marked = len(work.fused)
        self._stuck |= work.stuck()
        return work


def _not_moved(replays: Sequence[parking.Replay], work: Work) -> list[parking.CaseOpened]:
    """Ready keys that no room took: without a case they would be tried for ever."""
    moved = {(one.room, one.record.key) for one in work.replayed} | work.stuck()
    return [
        parking.CaseOpened(
            one.room,
            one.record,
            NeedsDecision("room_gone", f"{one.room} takes no {one.record.type} any more"),
        )
        for one in replays
        if (one.room, one.record.key) not in moved
    ]


def _poisoned(problem: Exception) -> bool:
    """Whether the records are to blame, and not the connection, the server or a lock."""
    if isinstance(problem, (*_TRANSIENT, psycopg.InterfaceError, psycopg.InternalError)):
        return False
    if isinstance(problem, psycopg.OperationalError):
        return (problem.sqlstate or "").startswith("54")  # a value beyond a limit of the server
    return not isinstance(problem, MemoryError)


def _decision_for(record: Record, problem: Exception) -> NeedsDecision:
    if isinstance(problem, NeedsDecision):
        return problem
    if isinstance(problem, psycopg.Error):
        words = f"the database refused the write: {problem}"
        return NeedsDecision("write_refused", words[:500], owner="integration")
    return defect(record, problem)
