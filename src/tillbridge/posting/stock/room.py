"""The stock room: movements and reservations, rows locked in key order, written as sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.sales import SaleRung, SaleVoided
from tillbridge.canonical.stock import (
    MoveStock,
    ReserveStock,
    StockCounted,
    StockLine,
    StockReserved,
    StockShort,
)
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import DONE, Connection, KeyedSession, Outcome, Record
from tillbridge.posting.stock.reserve import Answer, Place, answer

QUERIES = load("tillbridge.posting.stock", "book.sql")
MAPPING = "hub/1"


class Level(msgspec.Struct, gc=False):
    """A stock row as this transaction has it, thousandths."""

    on_hand: int = 0
    reserved: int = 0
    counted_at: datetime | None = None


class Hold(msgspec.Struct, gc=False):
    """The last answer a key got and what it holds."""

    version: int = 0
    ok: bool = True
    short: str = ""
    lines: tuple[StockLine, ...] = ()


class StockBook:
    """Room `posting.stock`."""

    name = "posting.stock"

    def open(self, connection: Connection, now: datetime) -> StockSession:
        """A session on this transaction."""
        return StockSession(connection)


class StockSession(KeyedSession):
    """Stock rows, holds and movements of one transaction."""

    room = StockBook.name

    def __init__(self, connection: Connection) -> None:
        """Nothing is read or locked before the first records come."""
        self._connection = connection
        self._levels: dict[Place, Level] = {}
        self._holds: dict[str, Hold] = {}
        self._booked: set[str] = set()
        self._asked: set[str] = set()
        self._sums: dict[str, dict[Place, int]] = {}
        self._changed: set[Place] = set()
        self._held_keys: set[str] = set()
        self._let_go: set[str] = set()
        self._movements: list[tuple[str, int, str, str, str, str, int, datetime]] = []
        self._evidence: dict[tuple[str, str, str, str], tuple[int, datetime]] = {}

    # -- load ---------------------------------------------------------------------------------

    def load(self, records: Sequence[Record]) -> None:
        """Lock the stock rows the records name, in key order; read holds and known movements."""
        self._load_holds(r.key for r in records if isinstance(r.body, ReserveStock))
        self._load_voided(r.body for r in records if isinstance(r.body, SaleVoided))
        places: set[Place] = set()
        facts: list[str] = []
        for record in records:
            places |= self._places(record)
            if not isinstance(record.body, ReserveStock):
                facts.append(record.body.id)
        self._lock(places - self._levels.keys())
        self._load_booked(facts)

    def _places(self, record: Record) -> set[Place]:
        body = record.body
        if isinstance(body, ReserveStock):
            wanted = {(place, line.product) for place in body.locations for line in body.lines}
            return wanted | {(h.location, h.product) for h in self._holds[record.key].lines}
        if isinstance(body, MoveStock):
            return {(line.location, line.product) for line in body.lines}
        if isinstance(body, SaleRung):
            return {(body.location, line.product) for line in body.lines if line.kind == "goods"}
        if isinstance(body, StockCounted) and body.basis == "on_hand":
            return {(body.location, body.product)}
        if isinstance(body, SaleVoided):
            return set(self._sums.get(body.voided, {}))
        return set()

    def _lock(self, places: set[Place]) -> None:
        if not places:
            return
        ordered = sorted(places)
        columns = ([place[0] for place in ordered], [place[1] for place in ordered])
        self._connection.execute(QUERIES.make_stock, columns)
        rows = self._connection.execute(QUERIES.lock_stock, columns, binary=True).fetchall()
        for location, product, on_hand, reserved, counted_at in rows:
            self._levels[(location, product)] = Level(on_hand, reserved, counted_at)

    def _load_holds(self, keys: Iterable[str]) -> None:
        fresh = sorted(set(keys) - self._holds.keys())
        if not fresh:
            return
        self._holds.update((key, Hold()) for key in fresh)
        for key, version, ok, short in self._connection.execute(QUERIES.load_holds, (fresh,)):
            self._holds[key] = Hold(version, ok, short)
        rows = self._connection.execute(QUERIES.load_reservations, (fresh,)).fetchall()
        for key, line, location, product, quantity in rows:
            hold = self._holds[key]
            hold.lines = (*hold.lines, StockLine(line, product, quantity, location))

    def _load_booked(self, facts: Sequence[str]) -> None:
        fresh = [fact for fact in facts if fact not in self._asked]
        if not fresh:
            return
        self._asked.update(fresh)
        rows = self._connection.execute(QUERIES.known_movements, (fresh,)).fetchall()
        self._booked.update(row[0] for row in rows)

    def _load_voided(self, voids: Iterable[SaleVoided]) -> None:
        keys = sorted({void.voided for void in voids} - self._sums.keys())
        if not keys:
            return
        self._sums.update((key, {}) for key in keys)
        rows = self._connection.execute(QUERIES.movements_of_key, (keys,)).fetchall()
        for key, location, product, quantity in rows:
            self._sums[key][(location, product)] = quantity

    # -- handle -------------------------------------------------------------------------------

    def handle(self, record: Record) -> Outcome:
        """One reservation, movement, count, till sale or void."""
        body = record.body
        if isinstance(body, ReserveStock):
            return self._reserve(record, body)
        if body.id in self._booked:
            return DONE
        if isinstance(body, MoveStock):
            rows = [((li.location, li.product), li.quantity) for li in body.lines]
            return self._move(record.key, body.id, body.kind, rows, body.occurred_at)
        if isinstance(body, SaleRung):
            return self._sale(record.key, body)
        if isinstance(body, SaleVoided):
            return self._move(
                record.key, body.id, "return", self._back(body.voided), body.occurred_at
            )
        if isinstance(body, StockCounted):
            return self._count(record.key, body)
        raise NeedsDecision("unexpected", f"the stock book takes no {record.type}")

    def _back(self, voided: str) -> list[tuple[Place, int]]:
        """What undoes a sale: its stored movements and those of this transaction, turned round."""
        sums = dict(self._sums.get(voided, {}))
        for _, _, key, _, location, product, quantity, _ in self._movements:
            if key == voided:
                sums[(location, product)] = sums.get((location, product), 0) + quantity
        return [(place, -quantity) for place, quantity in sums.items()]

    def _sale(self, key: str, body: SaleRung) -> Outcome:
        out: dict[Place, int] = {}
        for line in body.lines:
            if line.kind == "goods":
                place = (body.location, line.product)
                out[place] = out.get(place, 0) - line.quantity
        return self._move(key, body.id, "sale", list(out.items()), body.occurred_at)

    def _move(
        self, key: str, fact: str, kind: str, rows: Sequence[tuple[Place, int]], at: datetime
    ) -> Outcome:
        notices: list[NeedsDecision] = []
        for place, quantity in rows:
            if quantity == 0:
                continue
            level = self._levels[place]
            level.on_hand += quantity
            self._changed.add(place)
            self._movements.append(
                (fact, len(self._movements), key, kind, place[0], place[1], quantity, at)
            )
            if quantity < 0 and level.reserved and level.on_hand < level.reserved:
                notices.append(_below(place, level))
        self._booked.add(fact)
        return Outcome(notices=tuple(notices))

    def _count(self, key: str, body: StockCounted) -> Outcome:
        """An absolute level becomes a difference; an older count or mere evidence moves nothing."""
        evidence = (body.source, body.location, body.product, body.basis)
        known = self._evidence.get(evidence)
        if known is None or known[1] <= body.counted_at:
            self._evidence[evidence] = (body.quantity, body.counted_at)
        if body.basis != "on_hand":
            return DONE
        place = (body.location, body.product)
        level = self._levels[place]
        if level.counted_at is not None and level.counted_at >= body.counted_at:
            return DONE
        kind = "opening" if level.counted_at is None and level.on_hand == 0 else "count"
        outcome = self._move(
            key, body.id, kind, [(place, body.quantity - level.on_hand)], body.counted_at
        )
        level.counted_at = body.counted_at
        self._changed.add(place)
        return outcome

    def _reserve(self, record: Record, body: ReserveStock) -> Outcome:
        hold = self._holds[record.key]
        if body.version <= hold.version:
            return DONE
        found = answer(body.lines, body.locations, hold.lines, self._free)
        self._take(hold.lines, -1)
        self._take(found.lines, 1)
        if hold.lines:
            self._let_go.add(record.key)
        self._holds[record.key] = Hold(body.version, found.held, found.product, found.lines)
        self._held_keys.add(record.key)
        return Outcome(emits=(_reply(record, body, found),))

    def _free(self, place: Place) -> int:
        level = self._levels[place]
        return level.on_hand - level.reserved

    def _take(self, lines: Sequence[StockLine], sign: int) -> None:
        for line in lines:
            place = (line.location, line.product)
            self._levels[place].reserved += sign * line.quantity
            self._changed.add(place)

    # -- flush --------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write stock rows, movements, reservations, holds and evidence as sets."""
        run = self._connection.execute
        if self._changed:
            places = sorted(self._changed)
            levels = [self._levels[place] for place in places]
            run(
                QUERIES.save_stock,
                (
                    [place[0] for place in places],
                    [place[1] for place in places],
                    [level.on_hand for level in levels],
                    [level.reserved for level in levels],
                    [level.counted_at for level in levels],
                ),
                binary=True,
            )
        if self._movements:
            run(QUERIES.add_movements, [list(c) for c in zip(*self._movements, strict=True)])
        self._flush_holds()
        if self._evidence:
            keys = sorted(self._evidence)
            run(
                QUERIES.save_evidence,
                (
                    *([key[i] for key in keys] for i in range(4)),
                    [self._evidence[key][0] for key in keys],
                    [self._evidence[key][1] for key in keys],
                ),
            )

    def _flush_holds(self) -> None:
        if not self._held_keys:
            return
        keys = sorted(self._held_keys)
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
            QUERIES.save_holds,
            (
                keys,
                [hold.version for hold in holds],
                [hold.ok for hold in holds],
                [hold.short for hold in holds],
            ),
        )


def _below(place: Place, level: Level) -> NeedsDecision:
    return NeedsDecision(
        "stock_below_reserved",
        f"{place[1]} at {place[0]}: {level.on_hand / 1000:g} on hand, "
        f"{level.reserved / 1000:g} promised",
        owner="fulfilment",
        remedy=f"tillbridge stock show --product {place[1]}",
        details={"location": place[0], "product": place[1]},
    )


def _reply(record: Record, body: ReserveStock, found: Answer) -> StockReserved | StockShort:
    """The book's answer as a fact of the asking aggregate, at the instant of its cause."""
    at, day = body.occurred_at, body.occurred_at.date()
    nobody = Entities(selling="")
    if found.held:
        return StockReserved(
            key=record.key,
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
        key=record.key,
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
