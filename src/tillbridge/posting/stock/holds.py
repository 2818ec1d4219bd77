"""Holds: what keys have reserved, and the last answer each of them got."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.stock import ReserveStock, StockLine, StockReserved, StockShort
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import DONE, Connection, Outcome
from tillbridge.posting.stock.activation import Bounds
from tillbridge.posting.stock.levels import Bucket, Levels
from tillbridge.posting.stock.reserve import Answer, Place, answer

QUERIES = load("tillbridge.posting.stock", "holds.sql")
MAPPING = "hub/1"


class Hold(msgspec.Struct, gc=False):
    """The last answer a key got and what it holds."""

    version: int = 0
    ok: bool = True
    short: str = ""
    lines: tuple[StockLine, ...] = ()


class Holds:
    """The holds of one transaction."""

    def __init__(self, connection: Connection, levels: Levels, bounds: Bounds) -> None:
        """Nothing is read before somebody asks."""
        self._connection = connection
        self._levels = levels
        self._bounds = bounds
        self._holds: dict[str, Hold] = {}
        self._answered: set[str] = set()
        self._let_go: set[str] = set()

    def load(self, keys: Iterable[str]) -> None:
        """Read holds and what they reserve."""
        fresh = sorted(set(keys) - self._holds.keys())
        if not fresh:
            return
        self._holds.update((key, Hold()) for key in fresh)
        for key, version, ok, short in self._connection.execute(QUERIES.load, (fresh,)):
            self._holds[key] = Hold(version, ok, short)
        rows = self._connection.execute(QUERIES.load_reservations, (fresh,)).fetchall()
        for key, line, location, product, quantity in rows:
            hold = self._holds[key]
            hold.lines = (*hold.lines, StockLine(line, product, quantity, location))

    def buckets(self, key: str, body: ReserveStock) -> set[Bucket]:
        """The stock rows a request may touch; its key must be loaded."""
        wanted = {Bucket(place, line.product) for place in body.locations for line in body.lines}
        return wanted | {Bucket(held.location, held.product) for held in self._holds[key].lines}

    def reserve(self, key: str, body: ReserveStock) -> Outcome:
        """Answer a request; an older one than the last answered is a no-op."""
        hold = self._holds[key]
        if body.version <= hold.version:
            return DONE
        found = answer(
            body.lines,
            body.locations,
            hold.lines,
            partial(self._free, body.channel),
            split_most=body.split_most,
            barred=body.barred,
        )
        self._take(hold.lines, -1)
        self._take(found.lines, 1)
        if hold.lines:
            self._let_go.add(key)
        self._holds[key] = Hold(body.version, found.held, found.product, found.lines)
        self._answered.add(key)
        return Outcome(emits=(_reply(key, body, found),))

    def _free(self, channel: str, place: Place) -> int:
        """What this channel may still promise there: its safety stock stays."""
        return self._levels[Bucket(*place)].free - self._bounds.safety(channel, *place)

    def _take(self, lines: Sequence[StockLine], sign: int) -> None:
        for line in lines:
            self._levels.reserve(Bucket(line.location, line.product), sign * line.quantity)

    def save(self) -> None:
        """Write answers and reservations as sets."""
        if not self._answered:
            return
        keys = sorted(self._answered)
        run = self._connection.execute
        if self._let_go:
            run(QUERIES.drop_reservations, (sorted(self._let_go),))
        rows = [
            (key, line.line, line.location, line.product, line.quantity)
            for key in keys
            for line in self._holds[key].lines
        ]
        if rows:
            run(QUERIES.add_reservations, [list(c) for c in zip(*rows, strict=True)], binary=True)
        holds = [self._holds[key] for key in keys]
        run(
            QUERIES.save,
            (
                keys,
                [hold.version for hold in holds],
                [hold.ok for hold in holds],
                [hold.short for hold in holds],
            ),
        )
        self._answered.clear()
        self._let_go.clear()


def _reply(key: str, body: ReserveStock, found: Answer) -> StockReserved | StockShort:
    """The book's answer as a fact of the asking aggregate, at the instant of its cause."""
    at, day = body.occurred_at, body.occurred_at.date()
    nobody = Entities(selling="")
    if found.held:
        return StockReserved(
            key=key,
            id=f"{body.id}/reserved",
            source="hub",
            mapping=MAPPING,
            occurred_at=at,
            business_date=day,
            entities=nobody,
            version=body.version,
            location=found.location,
            lines=found.lines,
        )
    return StockShort(
        key=key,
        id=f"{body.id}/short",
        source="hub",
        mapping=MAPPING,
        occurred_at=at,
        business_date=day,
        entities=nobody,
        version=body.version,
        product=found.product,
        wanted=found.wanted,
        free=found.free,
    )
