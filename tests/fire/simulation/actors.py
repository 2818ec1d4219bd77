"""The processes of the hub as actors: each does what its thread in production does."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Mapping
from datetime import timedelta
from typing import Any, cast

import msgspec

from tests.fire.simulation.link import Links
from tests.fire.simulation.outside import Line, Sending, Shop
from tests.fire.simulation.scheduler import Actor
from tests.one_person import waived
from tillbridge.app.hub import Hub
from tillbridge.app.runner import BatchReport, Pace
from tillbridge.app.worker import RHYTHM, chores
from tillbridge.atoms.errors import RetryLater
from tillbridge.atoms.ids import SeededIds
from tillbridge.connectors.sandbox.loopback import Answer, Call
from tillbridge.durable import jobs, schedules
from tillbridge.durable.group_writer import Session
from tillbridge.durable.messages import Incoming, Stored
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.group_commit import IntakeWork
from tillbridge.inbox.webhooks import IntakeConnection, Webhooks
from tillbridge.mapping.names import NameRow, set_names
from tillbridge.posting.money.periods import set_period
from tillbridge.triage.cases import HELD_JOBS, list_cases, replay, resolve

Far = Mapping[str, Callable[[Call], Answer]]
IDLE_SECONDS = 300.0


class SimHub(Hub):
    """The hub of one process: its own clock, ids and connections, the settings of all."""

    def __init__(self, shared: Hub, actor: Actor, links: Links, far: Far) -> None:
        super().__init__(
            shared.workspace,
            shared.url,
            clock=actor,
            ids=SeededIds(actor.scheduler.dice.below(1 << 30)),
            transport=Line(actor, far),
            overrides=shared._overrides,
        )
        self.actor = actor
        self._links = links
        for name in ("sources", "policies", "money_policy", "book"):
            self.__dict__[name] = getattr(shared, name)

    def connect(self, *, worker: bool = False) -> Connection:
        """A connection with yield points; the first one tells the time all agree on."""
        self.actor.point("connect", "")
        connection = self._links.connect(self.actor, worker=worker)
        if not self.agreed_clock.known:
            self.agreed_clock.set(connection)
        return connection


Process = Callable[[Actor, Hub], None]


def flow(actor: Actor, hub: Hub) -> None:
    """A flow runner."""
    scheduler, plan = actor.scheduler, actor.scheduler.plan

    def carried(report: BatchReport) -> None:
        counts = scheduler.counts
        counts["records carried"] += report.taken
        counts["a parked record was replayed"] += report.replayed
        counts["a batch was bisected"] += report.bisected
        counts["a lock conflict reran a batch"] += report.reruns

    with hub.connect(worker=True) as connection:
        runner = hub.runner(connection, Pace(batch_max=plan.batch, fuse=plan.fuse))
        runner._on_commit = carried
        while True:
            if runner.run_once().idle:
                actor.rest(IDLE_SECONDS, "log")


def deliver(name: str) -> Process:
    """A dispatcher of one destination."""

    def run(actor: Actor, hub: Hub) -> None:
        with hub.connect() as connection:
            target = next(one for one in hub.targets(connection) if one.far.name == name)
            dispatcher = hub.dispatcher(connection, target)
            while True:
                if not dispatcher.run_once().claimed:
                    _rest(actor, connection, target.dest)

    return run


def _rest(actor: Actor, connection: Connection, dest: int) -> None:
    row = connection.execute(jobs.QUERIES.next_due, (dest,)).fetchone()
    connection.rollback()
    wait = IDLE_SECONDS
    if row is not None and row[0] is not None:
        left = (row[0] - actor.now()).total_seconds()
        wait = min(max(left, 1.0), IDLE_SECONDS)
    actor.rest(wait, "jobs")


def files(actor: Actor, hub: Hub) -> None:
    """Looks into the drop folders."""
    folders = hub.drop_folders()
    for folder in folders.values():
        folder._settle_seconds = float("-inf")  # a file's time of change is the machine's
    with hub.connect() as connection:
        while True:
            for folder in folders.values():
                report = folder.look(connection)
                actor.scheduler.counts["a file was read again"] += report.repeated
                actor.scheduler.counts["duplicate refused (file)"] += report.duplicates
            actor.rest(IDLE_SECONDS, "files")


def polls(actor: Actor, hub: Hub) -> None:
    """Polls the shop, once the stock of the morning is there."""
    actor.rest(max(60.0 - actor.scheduler.elapsed, 0.0))
    pollers = hub.pollers()
    with hub.connect() as connection:
        while True:
            for poller in pollers.values():
                for report in poller.run_due(connection):
                    actor.scheduler.counts["a poll brought something new"] += report.new
                    actor.scheduler.counts["a poll was put off"] += bool(report.words)
            actor.rest(IDLE_SECONDS)


IDLE = ("cards", "costs", "files", "holds", "pickups", "settlement", "supply")
"""Schedules that find nothing to do in this trade: looked at once an hour, no oftener."""


def keep_schedules(actor: Actor, hub: Hub) -> None:
    """Keeps the schedules."""
    with hub.connect() as connection:
        schedules.make(connection, {**RHYTHM, **dict.fromkeys(IDLE, 3600)})
        connection.commit()
        todo = chores(hub)
        while True:
            for name in schedules.run_due(connection, todo, actor.now()):
                actor.scheduler.counts[f"schedule {name} ran"] += 1
            actor.rest(IDLE_SECONDS)


class Clerk:
    """The operator: sends refused documents again, gives poison up, and enters a name late."""

    def __init__(self, late: NameRow, *, lock: tuple[str, str] | None) -> None:
        """lock: (entity, month) to lock in mid-run."""
        self._late = late
        self._lock = lock
        self.named = False
        self.locked = False

    def __call__(self, actor: Actor, hub: Hub) -> None:
        """A round every few minutes."""
        with hub.connect() as connection:
            while True:
                actor.rest(float(actor.scheduler.dice.between(60, 600)))
                self._cases(actor, connection)
                if actor.scheduler.elapsed > 1200 and not self.named:
                    set_names(connection, [self._late])
                    connection.commit()
                    self.named = True
                    actor.scheduler.counts["a name was given late"] += 1
                if self._lock and not self.locked and actor.scheduler.elapsed > 1800:
                    with waived(connection):
                        set_period(connection, *self._lock, "locked", at=actor.now(), by="finance")
                    connection.commit()
                    self.locked = True
                    actor.scheduler.counts["a month was locked while it traded"] += 1

    def _cases(self, actor: Actor, connection: Connection) -> None:
        cases = list_cases(connection)
        connection.rollback()
        for case in cases:
            if case.reason in HELD_JOBS:
                replay(connection, [case.id], "clerk")
                actor.scheduler.counts["a refused document was sent again"] += 1
            elif case.reason == "write_refused":
                resolve(connection, case.id, "clerk", "no such stock")
                actor.scheduler.counts["poison was given up"] += 1
            elif actor.scheduler.dice.chance(0.3) and case.parked:
                replay(connection, [case.id], "clerk")
                actor.scheduler.counts["a parked key was replayed by hand"] += 1
            connection.commit()


class _Slip:
    """One delivery between the door and the group writer."""

    def __init__(self, arrival: Incoming) -> None:
        self.arrival = arrival
        self.answer: Stored | Exception = RetryLater("not written")

    def __await__(self) -> Generator[_Slip, None, Stored]:
        yield self
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class _Writer:
    """Stands for the group writer's queue; the actor is its thread."""

    def submit(self, arrival: Incoming) -> Any:
        """Awaited by the intake."""
        return _Slip(arrival)


def intake(shop: Shop) -> Process:
    """The HTTP door with its group writer: signature, group commit, answer."""

    def run(actor: Actor, hub: Hub) -> None:
        connector = _connector("shopify")
        secrets = hub.workspace.secrets("web")["webhook"]
        door = Webhooks(
            {"web": IntakeConnection(name="web", connector=connector, secrets=secrets)},
            _Writer(),
            clock=actor,
        )
        session = Session(hub.connect, IntakeWork(), actor)
        while True:
            group = shop.arriving(actor, 5)
            if not group:
                actor.rest(max(shop.next_in(), 0.01))
                continue
            statuses = _served(door, session, group)
            actor.point("answered", "shop")
            for sending, status in zip(group, statuses, strict=True):
                shop.answered(actor, sending, status)
            for (_, outcome), number in door.counts.values.items():
                actor.scheduler.counts[f"intake: {outcome}"] += number
            door.counts.values.clear()

    return run


def _connector(name: str) -> object:
    from tillbridge.app import registry

    return registry.connector(name)


def _served(door: Webhooks, session: Session[Incoming, Stored], group: list[Sending]) -> list[int]:
    """All requests up to the writer, one group commit, then their answers."""
    statuses = [0] * len(group)
    waiting: list[tuple[_Slip, Coroutine[Any, Any, None]]] = []
    for place, sending in enumerate(group):
        request = _request(door, sending, statuses, place)
        try:
            waiting.append((cast("_Slip", request.send(None)), request))
        except StopIteration:
            continue
    if waiting:
        answers = session.write([slip.arrival for slip, _ in waiting])
        for (slip, request), answer in zip(waiting, answers, strict=True):
            slip.answer = answer
            try:
                request.send(None)
            except StopIteration:
                continue
    return statuses


async def _request(door: Webhooks, sending: Sending, statuses: list[int], place: int) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": sending.body, "more_body": False}

    async def send(event: Any) -> None:
        if event["type"] == "http.response.start":
            statuses[place] = event["status"]

    raw = [(name.lower().encode(), text.encode()) for name, text in sending.headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/in/web", "headers": raw}
    await door(scope, receive, send)


def jumping(processes: list[Actor]) -> Callable[[], None]:
    """One process's clock is set forwards or backwards by up to an hour."""

    def jump() -> None:
        scheduler = processes[0].scheduler
        if not scheduler.faulty:
            return
        actor = scheduler.dice.pick(processes)
        by = scheduler.dice.pick((-3600.0, -300.0, 300.0, 3600.0))
        actor.skew += by
        scheduler.counts["fault: clock jumped" + (" back" if by < 0 else " ahead")] += 1

    return jump


def late_name(row: Any) -> NameRow:
    """The cross-reference nobody had entered in the morning."""
    return NameRow(row.connection, row.table, row.theirs, row.ours)


def month_before(actor: Actor) -> str:
    """Last month as a period."""
    first = actor.now().replace(day=1) - timedelta(days=1)
    return f"{first.year:04d}-{first.month:02d}"


def encoded(value: object) -> bytes:
    """For hashes: a value as stable bytes."""
    return msgspec.json.encode(value, order="sorted")
