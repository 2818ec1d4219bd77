"""The stock room: movements and reservations, rows locked in key order, written as sets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.sales import SaleRung, SaleVoided
from tillbridge.canonical.stock import MoveStock, ReserveStock, StockCounted
from tillbridge.durable.rooms import DONE, Connection, KeyedSession, Outcome, Record
from tillbridge.posting.stock.counts import Counts
from tillbridge.posting.stock.holds import Holds
from tillbridge.posting.stock.levels import Bucket, Levels
from tillbridge.posting.stock.movements import Movements


class StockBook:
    """Room `posting.stock`."""

    name = "posting.stock"

    def open(self, connection: Connection, now: datetime) -> StockSession:
        """A session on this transaction."""
        return StockSession(connection, now)


class StockSession(KeyedSession):
    """Stock rows, holds and movements of one transaction."""

    room = StockBook.name

    def __init__(self, connection: Connection, now: datetime) -> None:
        """Nothing is read or locked before the first records come."""
        self._now = now
        self._levels = Levels(connection)
        self._movements = Movements(connection, self._levels)
        self._counts = Counts(connection, self._levels, self._movements)
        self._holds = Holds(connection, self._levels)

    def load(self, records: Sequence[Record]) -> None:
        """Lock the stock rows the records name, in key order; read holds and known movements."""
        self._holds.load(r.key for r in records if isinstance(r.body, ReserveStock))
        self._movements.load_sums(r.body.voided for r in records if isinstance(r.body, SaleVoided))
        buckets: set[Bucket] = set()
        for record in records:
            buckets |= self._buckets(record)
        self._levels.lock(buckets)
        self._movements.load_booked(
            r.body.id for r in records if not isinstance(r.body, ReserveStock)
        )

    def _buckets(self, record: Record) -> set[Bucket]:
        match record.body:
            case ReserveStock() as body:
                return self._holds.buckets(record.key, body)
            case MoveStock() as body:
                return {Bucket(li.location, li.product, li.condition) for li in body.lines}
            case SaleRung() as body:
                return {
                    Bucket(body.location, li.product) for li in body.lines if li.kind == "goods"
                }
            case StockCounted() as body if body.basis == "on_hand":
                return {Bucket(body.location, body.product, body.condition)}
            case SaleVoided() as body:
                return set(self._movements.buckets_of(body.voided))
            case _:
                return set()

    def handle(self, record: Record) -> Outcome:
        """One reservation, movement, count, till sale or void."""
        body, key = record.body, record.key
        if isinstance(body, ReserveStock):
            return self._holds.reserve(key, body)
        if self._movements.is_booked(body.id):
            return DONE
        move = self._movements.move
        match body:
            case MoveStock():
                rows = [
                    (Bucket(li.location, li.product, li.condition), li.quantity)
                    for li in body.lines
                ]
                told = move(key, body.id, body.kind, rows, body.occurred_at, body.cause)
            case SaleRung():
                told = move(key, body.id, "sale", _sold(body), body.occurred_at)
            case SaleVoided():
                back = self._movements.undoing(body.voided)
                told = move(key, body.id, "return", back, body.occurred_at, "void")
            case StockCounted():
                told = self._counts.take(key, body)
            case _:
                raise NeedsDecision("unexpected", f"the stock book takes no {record.type}")
        return Outcome(notices=told)

    def flush(self) -> None:
        """Write stock rows, movements, reservations, answers and evidence as sets."""
        self._levels.save(self._now)
        self._movements.save()
        self._holds.save()
        self._counts.save()


def _sold(body: SaleRung) -> list[tuple[Bucket, int]]:
    out: dict[Bucket, int] = {}
    for line in body.lines:
        if line.kind == "goods":
            bucket = Bucket(body.location, line.product)
            out[bucket] = out.get(bucket, 0) - line.quantity
    return list(out.items())
