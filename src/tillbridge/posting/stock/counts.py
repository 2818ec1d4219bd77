"""Counts: an absolute level told by a system becomes a difference, or mere evidence."""

from __future__ import annotations

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.stock import StockCounted
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.levels import Bucket, Levels
from tillbridge.posting.stock.movements import Movements

QUERIES = load("tillbridge.posting.stock", "counts.sql")
Evidence = tuple[str, str, str, str]


class Counts:
    """The counts of one transaction."""

    def __init__(self, connection: Connection, levels: Levels, movements: Movements) -> None:
        """Nothing is read before somebody asks."""
        self._connection = connection
        self._levels = levels
        self._movements = movements
        self._evidence: dict[Evidence, StockCounted] = {}

    def take(self, key: str, body: StockCounted) -> tuple[NeedsDecision, ...]:
        """Book a count; an older one than the last, or mere evidence, moves nothing."""
        evidence = (body.source, body.location, body.product, body.basis)
        known = self._evidence.get(evidence)
        if known is None or known.counted_at <= body.counted_at:
            self._evidence[evidence] = body
        if body.basis != "on_hand":
            return ()
        bucket = Bucket(body.location, body.product, body.condition)
        level = self._levels[bucket]
        if level.counted_at is not None and level.counted_at >= body.counted_at:
            return ()
        kind = "opening" if level.counted_at is None and level.on_hand == 0 else "count"
        difference = body.quantity - level.on_hand
        notices = self._movements.move(
            key, body.id, kind, [(bucket, difference)], body.counted_at, body.source
        )
        self._levels.counted(bucket, body.counted_at)
        self._levels.heard(bucket, body.counted_at)
        return notices

    def save(self) -> None:
        """Write the evidence as one set."""
        if not self._evidence:
            return
        keys = sorted(self._evidence)
        told = [self._evidence[key] for key in keys]
        self._connection.execute(
            QUERIES.save_evidence,
            (
                *([key[i] for key in keys] for i in range(4)),
                [body.quantity for body in told],
                [body.counted_at for body in told],
            ),
        )
        self._evidence.clear()
