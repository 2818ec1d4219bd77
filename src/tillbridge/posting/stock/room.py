"""The stock room: movements and reservations, rows locked in key order, written as sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import groupby

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.items import ItemDescribed
from tillbridge.canonical.registry import Body
from tillbridge.canonical.sales import SaleRung, SaleVoided
from tillbridge.canonical.stock import (
    ConditionChanged,
    HoldConfirmed,
    HoldMoved,
    HoldReleased,
    MoveStock,
    ReserveStock,
    StockAdjusted,
    StockCounted,
    StockHeld,
    StockLine,
    StockReceived,
    SupplyExpected,
    TransferDispatched,
    TransferReceived,
)
from tillbridge.canonical.supply import PurchaseClosed, PurchaseOrdered
from tillbridge.durable.rooms import DONE, Connection, KeyedSession, Outcome, Record
from tillbridge.posting.stock.activation import Bounds, RulesInForce
from tillbridge.posting.stock.bookings import booking, condition_known, place_known
from tillbridge.posting.stock.capacity import Capacity
from tillbridge.posting.stock.counts import Counts
from tillbridge.posting.stock.descriptions import Descriptions
from tillbridge.posting.stock.holds import HoldFact, Holds
from tillbridge.posting.stock.items import Items
from tillbridge.posting.stock.levels import Bucket, Levels
from tillbridge.posting.stock.movements import Movements
from tillbridge.posting.stock.promises import Promises
from tillbridge.posting.stock.purchases import Purchases, SupplyFact, SupplyTold, lines_of
from tillbridge.posting.stock.requests import Requests
from tillbridge.posting.stock.reserve import Place
from tillbridge.posting.stock.shortage import Shortages
from tillbridge.posting.stock.supply import Supplies
from tillbridge.posting.stock.transfers import PREFIX, TransferFact, Transfers, taken
from tillbridge.posting.stock.waiting import Waiting

WITH_LINES = (
    ReserveStock,
    MoveStock,
    SaleRung,
    StockAdjusted,
    ConditionChanged,
    StockReceived,
    TransferDispatched,
    TransferReceived,
    SupplyExpected,
    PurchaseOrdered,
)


class StockBook:
    """Room `posting.stock`."""

    name = "posting.stock"

    def __init__(
        self,
        rules: RulesInForce | None = None,
        locations: AbstractSet[str] = frozenset(),
        capacity: Mapping[str, int] | None = None,
    ) -> None:
        """rules: the availability rules in force, none when not given. locations: the places there
        are, by code; empty = not known, none is refused. capacity: orders a place works on at once.
        """
        self._capacity = capacity or {}
        self._rules = rules or RulesInForce()
        self._locations = locations

    def open(self, connection: Connection, now: datetime) -> StockSession:
        """A session on this transaction."""
        return StockSession(connection, now, self._rules, self._locations, self._capacity)


class StockSession(KeyedSession):
    """Stock rows, holds and movements of one transaction."""

    room = StockBook.name

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        rules: RulesInForce,
        locations: AbstractSet[str],
        capacity: Mapping[str, int],
    ) -> None:
        """Nothing is read or locked before the first records come."""
        self._now = now
        self._locations = locations
        self._levels = Levels(connection)
        self._items = Items(connection)
        self._bounds = Bounds(connection, rules, self._items, hold=True)
        self._descriptions = Descriptions(connection, self._items, self._levels)
        self._movements = Movements(connection, self._levels)
        self._counts = Counts(connection, self._levels, self._movements)
        self._transfers = Transfers(connection)
        self._holds = Holds(connection, self._levels)
        self._promises = promises = Promises(connection)
        book = (self._levels, self._holds, self._items, promises)
        self._waiting = waiting = Waiting(connection)
        self._requests = Requests(*book, self._free, Capacity(connection, capacity), waiting)
        self._shortages = Shortages(*book, self._requests)
        self._purchases = Purchases(connection)
        self._supplies = Supplies(*book, self._requests, self._shortages, self._purchases)

    def take(self, records: Sequence[Record]) -> Sequence[Outcome]:
        """See RoomSession. What is told before an item's description goes by the old one."""
        if not any(isinstance(record.body, ItemDescribed) for record in records):
            return super().take(records)
        outcomes: list[Outcome] = []
        parked: set[str] = set()
        for _, run in groupby(records, key=lambda record: isinstance(record.body, ItemDescribed)):
            wave = list(run)
            found = iter(super().take([record for record in wave if record.key not in parked]))
            outcomes += [
                Outcome(follows=True) if record.key in parked else next(found) for record in wave
            ]
            parked.update(
                record.key
                for record, outcome in zip(wave, outcomes[-len(wave) :], strict=True)
                if outcome.decision is not None
            )
        return outcomes

    def load(self, records: Sequence[Record]) -> None:
        """Read items; lock the stock rows the records name, in key order; read holds and known
        movements.
        """
        told = [record.body for record in records if isinstance(record.body, ItemDescribed)]
        if told:
            self._descriptions.load(told)
            return
        self._items.load(name for record in records for name in _products(record.body))
        asks = [r.body for r in records if isinstance(r.body, ReserveStock)]
        if any(ask.lines for ask in asks):
            self._bounds.load()
        keys = {
            r.key
            for r in records
            if isinstance(r.body, ReserveStock | HoldFact | TransferDispatched)
        }
        keys.update(ask.takes for ask in asks)
        self._movements.load_sums(r.body.voided for r in records if isinstance(r.body, SaleVoided))
        self._transfers.load(r.key for r in records if r.key.startswith(PREFIX))
        wanted: set[Bucket] = set()
        made: set[Bucket] = set()
        counted: list[tuple[Bucket, datetime]] = []
        for record in records:
            places = self._buckets(record)
            (wanted if isinstance(record.body, ReserveStock) else made).update(places)
            if isinstance(record.body, StockCounted):
                counted += [(place, record.body.counted_at) for place in places]
        supplies = [r.body for r in records if isinstance(r.body, SupplyFact | StockReceived)]
        if supplies:
            made |= self._supplies.places(supplies)
        self._levels.take_turn(place.product for place in wanted | made)
        self._holds.lock(keys - {""}, wanted, made)
        self._requests.load((r.key, r.body) for r in records if isinstance(r.body, ReserveStock))
        self._supplies.load(supplies)
        self._movements.load_booked(
            r.body.id for r in records if not isinstance(r.body, ReserveStock | HoldFact)
        )
        self._movements.load_later(counted)

    def _buckets(self, record: Record) -> set[Bucket]:
        """The rows a record may touch; none when it will be refused."""
        try:
            return self._places(record)
        except NeedsDecision:
            return set()

    def _places(self, record: Record) -> set[Bucket]:
        match record.body:
            case ReserveStock() as body:
                lines = self._items.expand(body.lines)
                places = {*body.locations, *(li.location for li in lines)} - {""}
                return {Bucket(place, li.product) for place in places for li in lines}
            case SupplyExpected() | PurchaseOrdered() as body:
                return self._expected_at(body)
            case StockHeld() | HoldMoved() as body:
                return {Bucket(li.location, li.product) for li in body.lines}
            case StockCounted() as body if body.basis == "on_hand":
                told = self._counted(body)
                return {Bucket(told.location, told.product, told.condition)}
            case SaleVoided() as body:
                return set(self._movements.buckets_of(body.voided))
            case body:
                found = booking(body, self._locations)
                moved = {bucket for bucket, _ in self._moved(found.lines)} if found else set()
                if isinstance(body, StockReceived) and body.supply:
                    moved |= {Bucket(bucket.location, bucket.product) for bucket in moved}
                return moved

    def _expected_at(self, body: SupplyTold) -> set[Bucket]:
        """Where goods are expected; raises NeedsDecision when they cannot be there."""
        place_known(body.location, self._locations, body.source)
        return {Bucket(body.location, li.product) for li in self._items.expand(lines_of(body))}

    def handle(self, record: Record) -> Outcome:
        """One record, and what it does to those who were promised what it takes."""
        outcome = self._taken(record)
        fallen = self._levels.fallen()
        if not fallen or not isinstance(record.body, Fact | MoveStock):
            return outcome
        facts = self._shortages.settle(fallen, record.body.occurred_at)
        emits = (*outcome.emits, *facts)
        return Outcome(emits=emits, notices=outcome.notices, settles=outcome.settles)

    def _taken(self, record: Record) -> Outcome:
        """One request, description, supply or hold; else a movement, once."""
        body, key = record.body, record.key
        match body:
            case ReserveStock():
                return self._requests.answer(key, body, self._transfers.sent(key))
            case SupplyExpected() | PurchaseOrdered() | PurchaseClosed():
                if not isinstance(body, PurchaseClosed):
                    place_known(body.location, self._locations, body.source)
                return Outcome(emits=self._supplies.expected(body))
            case StockHeld() | HoldConfirmed() | HoldReleased() | HoldMoved():
                return self._holds.apply(body)
            case ItemDescribed():
                return self._descriptions.take(body)
            case _:
                return self._booked(key, body)

    def _booked(self, key: str, body: Body) -> Outcome:
        """One movement, count, till sale or void."""
        if self._movements.is_booked(body.id):
            return DONE
        if isinstance(body, SaleVoided):
            back = self._movements.undoing(body.voided)
            self._movements.move(key, body.id, "return", back, body.occurred_at, "void")
            return DONE
        if isinstance(body, StockCounted):
            return Outcome(notices=self._counts.take(key, self._counted(body)))
        found = booking(body, self._locations)
        if found is None:
            words = f"the stock book takes no {type(body).__name__}"
            raise NeedsDecision("unexpected", words)
        rows = self._moved(found.lines)
        held: tuple[Fact, ...] = ()
        if isinstance(body, TransferDispatched):
            held = self._requests.left(key, taken(rows), body.occurred_at)
        self._movements.move(key, body.id, found.kind, rows, found.at, found.cause)
        if key.startswith(PREFIX) and isinstance(body, TransferFact):
            notices, settles = self._transfers.take(key, body, rows)
            return Outcome(emits=held, notices=notices, settles=settles)
        if isinstance(body, StockReceived):
            return Outcome(emits=self._supplies.received(body, rows))
        return DONE

    def _free(self, channel: str, place: Place) -> int:
        """What this channel may still promise there: its safety stock stays."""
        level = self._levels.get(Bucket(*place))
        return (0 if level is None else level.free) - self._bounds.safety(channel, *place)

    def _counted(self, body: StockCounted) -> StockCounted:
        """A count in base units; raises NeedsDecision for one that counts nothing that is there."""
        item = self._items[body.product]
        if body.basis == "on_hand":
            place_known(body.location, self._locations, body.source)
            condition_known(body.condition)
            if item.components:
                raise NeedsDecision(
                    "bundle_counted",
                    f"{body.product} is a bundle: count its components",
                    owner="stores",
                    details={"product": body.product},
                )
        quantity = item.converted(body.quantity, body.unit)
        return msgspec.structs.replace(body, quantity=quantity, unit="")

    def _moved(self, lines: Iterable[StockLine]) -> list[tuple[Bucket, int]]:
        """Movements of lines: base units, bundles as their components."""
        return [
            (Bucket(line.location, line.product, line.condition), line.quantity)
            for line in self._items.expand(lines)
        ]

    def flush(self) -> None:
        """Write items, stock rows, movements, reservations, answers and evidence as sets."""
        self._descriptions.save()
        self._levels.save(self._now)
        self._movements.save()
        self._holds.save()
        self._promises.save()
        self._purchases.save()
        self._waiting.save()
        self._counts.save()


def _products(body: Body) -> Iterable[str]:
    """The products a record names."""
    if isinstance(body, StockCounted):
        return (body.product,)
    if isinstance(body, WITH_LINES):
        return (line.product for line in body.lines)
    return ()
