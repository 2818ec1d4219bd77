"""What trying cases again would do: shown before it is done, and nothing of it is kept.

The parked records go through their real rooms in one transaction that is rolled back, so that
cases that compete for the same stock are seen to. It holds locks like one batch does, so only so
many records are carried; what lies beyond is told as a count and never made up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from psycopg import errors as pg

from tillbridge.app.hub import Hub
from tillbridge.app.work import Work
from tillbridge.atoms.errors import Refused
from tillbridge.canonical import markers
from tillbridge.canonical.stock import StockReserved
from tillbridge.durable import parking
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.triage.cases import HELD_JOBS

QUERIES = load("tillbridge.app.replay", "preview.sql")
RECORDS_MAX = 500
RECORDS_PER_KEY = 100
TRIES = 5


class Effect(msgspec.Struct):
    """What comes of some cases.

    goes: records that would go through. emitted: by type. documents: by (kind, destination), with
    their total. sums: minor units by (entity, account, currency). moved, reserved: thousandths by
    (location, product). entries: how many. stays: why a record would still be parked, by reason
    and words.
    """

    records: int = 0
    goes: int = 0
    behind: int = 0
    emitted: Counter[str] = msgspec.field(default_factory=Counter)
    documents: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    totals: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    entries: int = 0
    sums: Counter[tuple[str, str, str]] = msgspec.field(default_factory=Counter)
    moved: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    reserved: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    stays: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)

    def add(self, other: Effect) -> None:
        """Count another's effects in."""
        self.records += other.records
        self.goes += other.goes
        self.behind += other.behind
        self.entries += other.entries
        for name in ("emitted", "documents", "totals", "sums", "moved", "reserved", "stays"):
            mine: Counter[object] = getattr(self, name)
            for key, count in getattr(other, name).items():
                mine[key] += count


class Preview(msgspec.Struct):
    """The effects of some cases. matched, parked: cases and records in all; previewed: records that
    were carried for it.
    """

    matched: int
    parked: int
    previewed: int
    cases: dict[int, Effect]
    total: Effect

    @property
    def whole(self) -> bool:
        """Whether every record was carried."""
        return self.previewed == self.parked


def preview(hub: Hub, cases: Sequence[int], records_max: int = RECORDS_MAX) -> Preview:
    """Rehearse cases, in order, as far as `records_max` records go; writes nothing.

    Raises Refused when live traffic keeps being in the way.
    """
    with hub.connect(worker=True) as connection:
        runner = hub.runner(connection)
        counts = dict(connection.execute(QUERIES.parked_counts, (list(cases),)).fetchall())
        replays = parking.parked_by(connection, cases, RECORDS_PER_KEY, records_max)
        effects = _documents_held(connection, cases)
        connection.rollback()
        for _ in range(TRIES):
            try:
                found = runner.rehearse(
                    [replay for _, replay in replays],
                    lambda work: _looked_at(connection, work, replays),
                )
                break
            except (pg.LockNotAvailable, pg.DeadlockDetected):
                hub.clock.sleep(0.2)
        else:
            raise Refused("the flow is busy with the same orders or stock; try again in a moment")
    for number, effect in found.items():
        effects.setdefault(number, Effect()).add(effect)
    total = Effect()
    for effect in effects.values():
        total.add(effect)
    parked = sum(counts.values())
    return Preview(len(cases), parked, len(replays), dict(sorted(effects.items())), total)


def _documents_held(connection: Connection, cases: Sequence[int]) -> dict[int, Effect]:
    """Refused documents: looked up over there, then sent again unless they are there."""
    effects: dict[int, Effect] = {}
    values = (list(cases), list(HELD_JOBS))
    for number, _, _, destination, _, kind, total in connection.execute(
        QUERIES.held_documents, values
    ).fetchall():
        effect = effects.setdefault(number, Effect())
        what = (f"{kind or 'document'} sent again", destination)
        effect.documents[what] += 1
        effect.totals[what] += total or 0
    return effects


def _looked_at(
    connection: Connection, work: Work, replays: Sequence[tuple[int, parking.Replay]]
) -> dict[int, Effect]:
    """The effects by case, read before they are rolled back."""
    effects = {number: Effect() for number, _ in replays}
    by_root: dict[int | None, int] = {}
    by_queue: dict[tuple[str, str], int] = {}
    through = {id(replay) for replay in work.replayed}
    waits = {(case.room, case.record.key) for case in work.again}
    for number, replay in replays:
        effect = effects[number]
        effect.records += 1
        by_root.setdefault(_root(replay.record), number)
        by_queue.setdefault((replay.room, replay.record.key), number)
        if id(replay) in through:
            effect.goes += 1
        elif (replay.room, replay.record.key) in waits:
            effect.behind += 1
    for opened in work.again:
        effect = effects[by_queue[(opened.room, opened.record.key)]]
        effect.behind -= 1
        effect.stays[_why(opened)] += 1
    owner = {
        record.body.id: by_root[root]
        for record in (*(r.record for _, r in replays), *work.fused)
        if (root := _root(record)) in by_root and record.type not in markers.NAMES
    }
    for parked in work.parkings:
        if parked.opened is not None and parked.record.body.id in owner:
            effects[owner[parked.record.body.id]].stays[_why(parked.opened)] += 1
    _emitted(effects, owner, work.fused)
    _written(connection, effects, owner)
    return effects


def _why(opened: parking.CaseOpened) -> tuple[str, str]:
    return opened.decision.reason, opened.decision.words


def _root(record: Record) -> int | None:
    return record.id if record.id is not None else record.cause


def _emitted(effects: dict[int, Effect], owner: dict[str, int], fused: Iterable[Record]) -> None:
    for record in fused:
        body = record.body
        if body.id not in owner or record.type in markers.NAMES:
            continue
        effect = effects[owner[body.id]]
        effect.emitted[record.type] += 1
        if isinstance(body, StockReserved):
            for line in body.lines:
                effect.reserved[(line.location or body.location, line.product)] += line.quantity


def _written(connection: Connection, effects: dict[int, Effect], owner: dict[str, int]) -> None:
    ids = (list(owner),)
    for operation, kind, destination, total in connection.execute(QUERIES.documents, ids):
        effect = effects[owner[operation]]
        effect.documents[(kind, destination)] += 1
        effect.totals[(kind, destination)] += total or 0
    entries: set[tuple[str, str]] = set()
    for fact, entity, account, currency, amount in connection.execute(QUERIES.entries, ids):
        effect = effects[owner[fact]]
        effect.sums[(entity, account, currency)] += amount
        if (fact, entity) not in entries:
            entries.add((fact, entity))
            effect.entries += 1
    for fact, location, product, quantity in connection.execute(QUERIES.movements, ids):
        effects[owner[fact]].moved[(location, product)] += quantity
