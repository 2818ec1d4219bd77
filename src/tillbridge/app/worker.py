"""The worker: runs the flow, delivers documents, keeps the schedules; and `drain`, which does all
three until nothing is pending.

One thread carries the flow, up to four per destination deliver, one looks into the drop folders,
one polls, one keeps schedules, one ends reservations, one renews the leases of them all, one hears
of new documents; each has a connection of its own.
The flow waits for NOTIFY and polls as a fallback.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

import msgspec
import psycopg
import structlog

from tillbridge.app import publication, replenishment, scheduled_checkpoint, scheduled_verify
from tillbridge.app.api import stored_answers
from tillbridge.app.audit_digests import keep_digests
from tillbridge.app.bell import Bell
from tillbridge.app.flow_process import carry
from tillbridge.app.hub import Hub
from tillbridge.app.money_chores import MONEY_RHYTHM, money_chores
from tillbridge.app.pending import Pending, pending
from tillbridge.app.pickups import expire_pickups
from tillbridge.app.replay.checkpoint import safe_below
from tillbridge.app.stock_comparisons import comparisons
from tillbridge.durable import accounts, jobs, log, pauses, retention, schedules
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.files import DropFolder
from tillbridge.posting.stock import expiry
from tillbridge.posting.stock.waiting import ask_again
from tillbridge.publishing.dispatch import Dispatcher, Target
from tillbridge.publishing.journals import summarise
from tillbridge.reconciliation.holds import look_at_holds
from tillbridge.reconciliation.owed import look_at_owed
from tillbridge.reconciliation.sweeps.files import look_at_files
from tillbridge.reconciliation.tills.cases import tell
from tillbridge.reconciliation.tills.closing import tell_due
from tillbridge.reconciliation.tills.health import health
from tillbridge.reconciliation.tills.sequences import look
from tillbridge.triage import plans
from tillbridge.triage.people import erase_waiting

POLL_SECONDS = 1.0
REST_LEAST_SECONDS = 0.05
AWAY_SECONDS = 1.0
LOOK_SECONDS = 1.0
SWEEP_LOOK_SECONDS = 30.0
QUIET_SECONDS = 600.0
RHYTHM = {
    "partitions": 600,
    "journals": 60,
    "retention": 3600,
    "audit": 3600,
    "tills": 600,
    "erasures": 3600,
    "supply": 300,
    "holds": 300,
    "owed": 3600,
    "files": 300,
    "pickups": 300,
    **MONEY_RHYTHM,
}
DELIVERING_MOST = 4
"""Threads per destination, never more than its account takes calls at once."""
_log = structlog.get_logger("worker")


def rhythm(hub: Hub) -> dict[str, int]:
    """Seconds between two runs of each chore."""
    hours = hub.workspace.settings.hub.replenish_hours
    return {**RHYTHM, "replenishment": int(hours * 3600)} if hours else RHYTHM


def chores(hub: Hub) -> dict[str, schedules.Chore]:
    """What the schedules run."""
    settings = hub.workspace.settings.hub

    def journals(connection: Connection, now: datetime) -> str:
        known = hub.destinations_known(connection)
        return f"owed {summarise(connection, known, now, QUIET_SECONDS)}"

    def forget(connection: Connection, now: datetime) -> str:
        before = (now - timedelta(days=settings.keep_deliveries_days)).date()
        forgot = sum(_until_none(lambda: retention.expire_deliveries(connection, before)))
        forgot += sum(_until_none(lambda: stored_answers.expire(connection, before)))
        oldest = now - timedelta(days=settings.keep_bodies_days)
        dropped = retention.drop_done_partitions(connection, before=oldest, tables=("message",))
        told = (
            f"forgot {forgot} deliveries and answers, dropped {len(dropped)} partitions of bodies"
        )
        if settings.keep_records_days:
            oldest = now - timedelta(days=settings.keep_records_days)
            below = safe_below(connection, hub.workspace.folder)
            dropped = retention.drop_done_partitions(
                connection, before=oldest, tables=("record",), records_below=below
            )
            told += f", {len(dropped)} of the log"
        return told

    def tills(connection: Connection, now: datetime) -> str:
        looked = look(connection, hub.expected, now)
        told = tell(connection, health(connection, hub.expected, now), hub.expected, now)
        counted = tell_due(connection, hub.expected, hub.policies.kind_of)
        return (
            f"{looked.days} till days, {looked.noticed} gaps noticed, {looked.filled} filled; "
            f"{told.opened} cases opened, {told.closed} closed, {counted} counts booked"
        )

    def replenish(connection: Connection, now: datetime) -> str:
        run = replenishment.run_of(hub.workspace, hub.ids, now)
        found, lines = replenishment.counted(replenishment.propose(connection, hub.workspace, run))
        return f"{found} proposals of {lines} lines"

    return {
        "partitions": lambda one, _: f"made {len(retention.make_partitions(one))}",
        "journals": journals,
        "retention": forget,
        "audit": lambda connection, now: keep_digests(connection, hub.workspace.folder, now),
        "tills": tills,
        "supply": lambda one, now: replenishment.look_at_supply(one, hub.workspace, now),
        "replenishment": replenish,
        "files": look_at_files,
        "holds": look_at_holds,
        "owed": look_at_owed,
        "pickups": partial(expire_pickups, hub),
        **money_chores(hub),
        "erasures": lambda connection, now: erase_waiting(connection, now.date()),
    }


def _until_none(step: Callable[[], int]) -> Iterator[int]:
    """Repeat a step that works in portions until it finds nothing more, 100 times at most."""
    for _ in range(100):
        done = step()
        yield done
        if not done:
            return


class Worker:
    """Threads of one process. `start` returns at once; `stop` waits for them."""

    def __init__(self, hub: Hub, *, flow: bool = True) -> None:
        """flow: carry the flow in a thread here; False where processes of their own do."""
        self._hub = hub
        self._flow = flow
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._bells: list[Bell] = []

    def start(self) -> None:
        """Start the threads: flow, schedules, drop folders, one per destination."""
        with self._hub.connect() as connection:
            targets = self._hub.targets(connection)
        if self._flow:
            self._thread("flow", self._carry)
        self._thread("schedules", self._schedules)
        for chore in (scheduled_verify, scheduled_checkpoint):
            self._thread(chore.NAME, partial(chore.keep_running, self._hub, self._stop.wait))
        self._thread("files", self._files)
        self._thread("polls", self._polls)
        self._thread("sweeps", self._sweeps)
        self._thread("leases", partial(beat, self._hub, self._stop))
        self._thread("holds", self._holds)
        for name, body in publication.threads(self._hub, self._stop).items():
            self._thread(name, body)
        self._bells = [Bell() for _ in targets]
        self._thread("ears", self._listen)
        for target, bell in zip(targets, self._bells, strict=True):
            name = target.far.name
            conc = self._hub.workspace.settings.budget_of(name).conc
            for number in range(min(DELIVERING_MOST, conc)):
                self._thread(f"deliver {name} {number + 1}", self._deliver_to(target, bell))

    def stop(self) -> None:
        """Ask all threads to end after their transaction, and wait for them."""
        self.ask_to_stop()
        for thread in self._threads:
            thread.join(timeout=30)

    def ask_to_stop(self) -> None:
        """Let all threads end after their transaction; returns at once (signal handlers)."""
        self._stop.set()
        self._hub.backpressure.release()

    def wait(self, look: Callable[[], None] | None = None) -> None:
        """Block until somebody asked to stop; `look` is called about once a second."""
        while not self._stop.wait(timeout=1.0):
            if look is not None:
                look()

    def _thread(self, name: str, body: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._kept_alive, args=(name, body), name=name)
        thread.daemon = True
        thread.start()
        self._threads.append(thread)

    def _kept_alive(self, name: str, body: Callable[[], None]) -> None:
        """Run a loop again after the database was away; anything else is logged and run again."""
        while not self._stop.is_set():
            try:
                body()
            except psycopg.OperationalError as problem:
                _log.warning("store_away", thread=name, why=str(problem).strip()[:200])
            except Exception:  # noqa: BLE001 - a thread of the hub must not die silently
                _log.exception("thread_failed", thread=name)
            self._stop.wait(AWAY_SECONDS)

    def _carry(self) -> None:
        carry(self._hub, log.ALL_LANES, self._stop.is_set)

    def _holds(self) -> None:
        """End reservations whose time is over; what they held can be sold. Have orders that went
        short sourced again when goods came.
        """
        rules = self._hub.availability_rules
        with self._hub.connect() as connection:
            while not self._stop.wait(LOOK_SECONDS):
                expiry.sweep(connection, self._hub.agreed_clock.now())
                ask_again(connection, rules, self._hub.agreed_clock.now())

    def _files(self) -> None:
        folders = self._hub.drop_folders()
        noted: dict[str, list[str]] = {}
        with self._hub.connect() as connection:
            while not self._stop.is_set():
                for name, folder in self._open_folders(connection, folders):
                    report = folder.look(connection)
                    if report.files or report.notes != noted.get(name, []):
                        _log.info("files", connection=name, **msgspec.to_builtins(report))
                    noted[name] = report.notes
                self._stop.wait(LOOK_SECONDS)

    def _open_folders(
        self, connection: Connection, folders: Mapping[str, DropFolder]
    ) -> list[tuple[str, DropFolder]]:
        """Those whose connection is not paused; none while the flow is far behind."""
        if self._hub.backpressure.held_back(connection):
            return []
        paused = pauses.paused(connection)
        connection.rollback()
        return [(name, folder) for name, folder in folders.items() if name not in paused]

    def _polls(self) -> None:
        pollers = self._hub.pollers()
        with self._hub.connect() as connection:
            while pollers and not self._stop.is_set():
                for name, poller in pollers.items():
                    for report in poller.run_due(connection, self._hub.backpressure.held_back):
                        _log.info("polled", connection=name, **msgspec.to_builtins(report))
                self._stop.wait(LOOK_SECONDS)
            self._stop.wait()

    def _sweeps(self) -> None:
        """Compare with the sources; at the start too, since nobody knows how long the hub was
        away.
        """
        sweepers, stocks = self._hub.sweepers(), comparisons(self._hub)
        at_start = True
        with self._hub.connect() as connection:
            while (sweepers or stocks) and not self._stop.is_set():
                for sweeper in sweepers.values():
                    for swept in sweeper.run_due(connection, at_start=at_start):
                        _log.info("swept", **swept.counts())
                for stock in stocks.values():
                    for compared in stock.run_due(connection):
                        _log.info("stock_compared", **compared.counts())
                at_start = False
                self._stop.wait(SWEEP_LOOK_SECONDS)
            self._stop.wait()

    def _schedules(self) -> None:
        with self._hub.connect() as connection:
            schedules.make(connection, rhythm(self._hub))
            connection.commit()
            todo = chores(self._hub)
            while not self._stop.is_set():
                plans.advance(connection, self._hub.agreed_clock.now())
                connection.commit()
                schedules.run_due(connection, todo, self._hub.agreed_clock.now())
                self._stop.wait(LOOK_SECONDS)

    def _listen(self) -> None:
        """Ring every destination's bell when documents were made."""
        with self._hub.connect() as ears:
            ears.autocommit = True
            ears.execute("listen jobs")
            while not self._stop.is_set():
                for _ in ears.notifies(timeout=POLL_SECONDS, stop_after=1):
                    for bell in self._bells:
                        bell.ring()

    def _deliver_to(self, target: Target, bell: Bell) -> Callable[[], None]:
        def deliver() -> None:
            with self._hub.connect() as connection:
                dispatcher = self._hub.dispatcher(connection, target, bell.ring)
                while not self._stop.is_set():
                    if not dispatcher.run_once().claimed:
                        self._rest(connection, bell, target.dest)

        return deliver

    def _rest(self, connection: Connection, bell: Bell, dest: int) -> None:
        """Wait for a new job, or for the destination's next due one, a second at most."""
        row = connection.execute(jobs.QUERIES.next_due, (dest,)).fetchone()
        connection.rollback()
        wait = POLL_SECONDS
        if row is not None and row[0] is not None:
            left = (row[0] - self._hub.agreed_clock.now()).total_seconds()
            wait = min(max(left, REST_LEAST_SECONDS), POLL_SECONDS)
        bell.wait(wait)


def beat(hub: Hub, stop: threading.Event) -> None:
    """Renew the leases of this process until told to stop; raises psycopg.Error when it is away."""
    with hub.connect() as connection:
        while not stop.wait(timeout=accounts.BEAT_SECONDS):
            hub.agreed_clock.set(connection)
            hub.leases.beat(connection, hub.agreed_clock.now())


@contextmanager
def _beating(hub: Hub) -> Iterator[None]:
    """Renew the leases meanwhile, in a thread."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                beat(hub, stop)
            except psycopg.Error as problem:
                _log.warning("store_away", thread="leases", why=str(problem).strip()[:200])
                stop.wait(AWAY_SECONDS)

    thread = threading.Thread(target=work, name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)


def drain(
    hub: Hub, timeout_seconds: float, progress: Callable[[Pending], None] | None = None
) -> Pending:
    """Work in this process until nothing is pending or the time is up; gives what is left."""
    with _beating(hub):
        return _drain(hub, timeout_seconds, progress)


def _drain(hub: Hub, timeout_seconds: float, progress: Callable[[Pending], None] | None) -> Pending:
    began = hub.clock.monotonic()
    with hub.connect() as connection:
        runner = hub.runner(connection)
        delivering = [
            (target.dest, hub.dispatcher(connection, target)) for target in hub.targets(connection)
        ]
        figures = publication.Hand(hub, connection)
        rules = hub.availability_rules
        known = hub.destinations_known(connection)
        connection.rollback()
        served = [entity for entity, erp in known.erp_of.items() if erp in known.ids]
        while True:
            plans.advance(connection, hub.agreed_clock.now())
            connection.commit()
            runner.drain()
            expiry.sweep(connection, hub.agreed_clock.now())
            ask_again(connection, rules, hub.agreed_clock.now())
            plans.advance(connection, hub.agreed_clock.now())
            connection.commit()
            summarise(connection, known, hub.agreed_clock.now())
            connection.commit()
            figures.plan()
            worked = _deliver_all(delivering) + figures.publish()
            left = pending(connection, served, figures.dests, hub.agreed_clock.now())
            if progress is not None:
                progress(left)
            if not left.moving or hub.clock.monotonic() - began > timeout_seconds:
                return left
            if not worked:
                hub.clock.sleep(0.05)


def _deliver_all(delivering: list[tuple[int, Dispatcher]]) -> int:
    return sum(dispatcher.run_once().claimed for _, dispatcher in delivering)
