"""What stands at a place: rows locked in key order, changed in memory, written as one set.

Every change of stock, of a reservation or of a promise happens under the lock of its stock row,
and rows are locked in the order of their keys, so that two transactions never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from psycopg import Cursor

from tillbridge.canonical.stock import SELLABLE
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.posting.stock", "levels.sql")


TURNS_MOST = 16
"""A batch of more products than so many waits for rows only: it would block the way of all."""


class Bucket(msgspec.Struct, frozen=True, order=True, gc=False):
    """One row of the stock book: a product at a location in a condition."""

    location: str
    product: str
    condition: str = SELLABLE


class Level(msgspec.Struct, gc=False):
    """A stock row as this transaction has it, thousandths of the item's base unit."""

    on_hand: int = 0
    reserved: int = 0
    counted_at: datetime | None = None
    heard_at: datetime | None = None

    @property
    def free(self) -> int:
        """On hand and not reserved; below nothing when a till sold what was promised."""
        return self.on_hand - self.reserved


class Levels:
    """The stock rows of one transaction."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is locked before somebody asks."""
        self._connection = connection
        self._levels: dict[Bucket, Level] = {}
        self._changed: set[Bucket] = set()
        self._fallen: set[Bucket] = set()

    def __getitem__(self, bucket: Bucket) -> Level:
        """A locked row; raises KeyError for one that is not."""
        return self._levels[bucket]

    def __contains__(self, bucket: Bucket) -> bool:
        """Whether the row is locked by this transaction."""
        return bucket in self._levels

    def holds(self, product: str) -> bool:
        """Whether pieces of a product stand at a row this transaction has locked."""
        return any(
            (level.on_hand or level.reserved) and bucket.product == product
            for bucket, level in self._levels.items()
        )

    def get(self, bucket: Bucket) -> Level | None:
        """A locked row; None for one that is not, or is not there."""
        return self._levels.get(bucket)

    def take_turn(self, products: Iterable[str]) -> None:
        """Before rows are locked: let other batches of the flow that want these products finish.

        They queue here instead of at the rows, so that a buyer at the hub's own door, who does not
        take turns, waits for one batch and not for all of them.
        """
        wanted = set(products)
        if 0 < len(wanted) <= TURNS_MOST and not self._levels:
            self._connection.execute(QUERIES.turn, (sorted(wanted),))

    def make(self, buckets: Iterable[Bucket]) -> None:
        """Make rows that are not there, for what will stand on them; to be locked next."""
        ordered = sorted(set(buckets) - self._levels.keys())
        if ordered:
            self._connection.execute(QUERIES.make, _columns(ordered))

    def lock(self, buckets: Iterable[Bucket]) -> None:
        """Lock rows in key order; where there is none, nothing stands."""
        self.take(self.ask(buckets))

    def ask(self, buckets: Iterable[Bucket]) -> Cursor[Any] | None:
        """Send the request to lock rows; `take` waits for it, so a pipeline can go on meanwhile."""
        ordered = sorted(set(buckets) - self._levels.keys())
        if not ordered:
            return None
        return self._connection.execute(QUERIES.lock, _columns(ordered), binary=True)

    def take(self, asked: Cursor[Any] | None) -> None:
        """Receive the rows that were asked for."""
        for location, product, condition, on_hand, reserved, counted_at, heard_at in asked or ():
            bucket = Bucket(location, product, condition)
            self._levels[bucket] = Level(on_hand, reserved, counted_at, heard_at)

    def move(self, bucket: Bucket, quantity: int) -> Level:
        """Change what is on hand; gives the row."""
        level = self._levels[bucket]
        level.on_hand += quantity
        self._changed.add(bucket)
        if quantity < 0 and level.reserved > max(level.on_hand, 0):
            self._fallen.add(bucket)
        return level

    def fallen(self) -> set[Bucket]:
        """Rows that fell below what is reserved since this was asked the last time."""
        fallen, self._fallen = self._fallen, set()
        return fallen

    def locked(self) -> set[Bucket]:
        """All rows this transaction has locked."""
        return set(self._levels)

    def reserve(self, bucket: Bucket, quantity: int) -> Level:
        """Change what is reserved; gives the row."""
        level = self._levels[bucket]
        level.reserved += quantity
        self._changed.add(bucket)
        return level

    def heard(self, bucket: Bucket, at: datetime) -> None:
        """A source told of this place as it was at that instant."""
        level = self._levels[bucket]
        if level.heard_at is None or level.heard_at < at:
            level.heard_at = at
            self._changed.add(bucket)

    def counted(self, bucket: Bucket, at: datetime) -> None:
        """The place was counted at that instant."""
        self._levels[bucket].counted_at = at
        self._changed.add(bucket)

    def save(self, now: datetime) -> None:
        """Write every changed row as one set; channels have to be told since `now`."""
        if not self._changed:
            return
        ordered = sorted(self._changed)
        levels = [self._levels[bucket] for bucket in ordered]
        self._connection.execute(
            QUERIES.save,
            (
                now,
                *_columns(ordered),
                [level.on_hand for level in levels],
                [level.reserved for level in levels],
                [level.counted_at for level in levels],
                [level.heard_at for level in levels],
            ),
            binary=True,
        )
        self._changed.clear()


def _columns(buckets: list[Bucket]) -> tuple[list[str], list[str], list[str]]:
    return (
        [bucket.location for bucket in buckets],
        [bucket.product for bucket in buckets],
        [bucket.condition for bucket in buckets],
    )
