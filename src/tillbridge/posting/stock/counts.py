"""Counts: an absolute level told by a system becomes a difference, or mere evidence.

The difference is to the book as it was when they counted: what moved later is no part of it, and
what is told later although it moved earlier is taken back (movements.py). The newest count rules;
of two of the same instant the lower one, so that nothing is promised that may not be there.
"""

from __future__ import annotations

from datetime import datetime

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.stock import SELLABLE, StockCounted
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
        """Book a count, told in the base unit; an older one than the last moves nothing."""
        if body.condition == SELLABLE:
            self._note(body)
        if body.basis != "on_hand":
            return ()
        if body.quantity < 0:
            return (_negative(body),)
        bucket, at = Bucket(body.location, body.product, body.condition), body.counted_at
        counted = self._levels[bucket].counted_at
        known = self._movements.as_of(bucket, at)
        if counted is not None and at <= counted:
            if body.quantity == known:
                return ()
            if at < counted:
                return (_old(body, counted),)
            if body.quantity > known:
                return (_disagree(body, known),)
        kind = "opening" if counted is None and self._levels[bucket].on_hand == 0 else "count"
        moved = [(bucket, body.quantity - known)]
        self._movements.move(key, body.id, kind, moved, at, body.source)
        self._levels.counted(bucket, at)
        self._levels.heard(bucket, at)
        return (_disagree(body, known),) if counted == at else ()

    def _note(self, body: StockCounted) -> None:
        evidence = (body.source, body.location, body.product, body.basis)
        known = self._evidence.get(evidence)
        if known is None or known.counted_at <= body.counted_at:
            self._evidence[evidence] = body

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


def _old(body: StockCounted, counted: datetime) -> NeedsDecision:
    return NeedsDecision(
        "stock_snapshot_old",
        f"{body.location}: {body.source} told {body.product} as of {body.counted_at:%Y-%m-%d %H:%M}"
        f" UTC, after its count of {counted:%Y-%m-%d %H:%M} UTC was booked; the book is unchanged",
        owner="stores",
        remedy=f"tillbridge stock show --location {body.location}",
        details={"place": body.location, "product": body.product, "told": body.quantity},
    )


def _disagree(body: StockCounted, known: int) -> NeedsDecision:
    lower = min(known, body.quantity)
    return NeedsDecision(
        "stock_counts_disagree",
        f"{body.location}: {body.product} was counted twice at {body.counted_at:%Y-%m-%d %H:%M} "
        f"UTC, as {to_text(known)} and as {to_text(body.quantity)}; {to_text(lower)} stands",
        owner="stores",
        remedy=f"tillbridge stock show --product {body.product}",
        details={"place": body.location, "product": body.product, "told": body.quantity},
    )


def _negative(body: StockCounted) -> NeedsDecision:
    return NeedsDecision(
        "stock_count_negative",
        f"{body.location}: {body.source} counted {to_text(body.quantity)} of {body.product}; "
        "the book is unchanged",
        owner="stores",
        details={"place": body.location, "product": body.product, "told": body.quantity},
    )
