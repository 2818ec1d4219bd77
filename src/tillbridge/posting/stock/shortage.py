"""Shortage: what was promised is no longer there, because goods left that the hub could not refuse.

A late till sale, a count or a loss may take a place's on hand below what is reserved there. Then,
in the same transaction: carts lose first, then transfers, then orders, of each kind the newest
first. A cart ends. A transfer or an order stands elsewhere if its other locations have the goods,
an order is promised them out of expected supply if its channel does that, else it ends or is
answered `StockShort`. At the end no more is reserved than is on hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.stock import SELLABLE, StockLine
from tillbridge.posting.stock.hold import Hold
from tillbridge.posting.stock.holds import Holds
from tillbridge.posting.stock.items import Items
from tillbridge.posting.stock.levels import Bucket, Levels
from tillbridge.posting.stock.promises import Promises
from tillbridge.posting.stock.requests import Requests

LOSES = ("soft", "transfer", "firm")
"""Kinds of holds, the first to lose first."""


class Shortages:
    """What follows from movements that take what is promised, in one transaction."""

    def __init__(
        self,
        levels: Levels,
        holds: Holds,
        items: Items,
        promises: Promises,
        requests: Requests,
    ) -> None:
        """Nothing is read before something is short."""
        self._levels = levels
        self._holds = holds
        self._items = items
        self._promises = promises
        self._requests = requests

    def settle(self, buckets: Iterable[Bucket], at: datetime) -> tuple[Fact, ...]:
        """Bring what is reserved at these locked rows down to what is there.

        at: when the goods left. Gives a fact for every hold that moved or ended.
        """
        facts: list[Fact] = []
        for bucket in sorted(set(buckets)):
            if bucket.condition == SELLABLE and self._beyond(bucket) > 0:
                facts += self._settled(bucket, at)
        return tuple(facts)

    def _beyond(self, bucket: Bucket) -> int:
        """How much more is reserved at a place than is there, thousandths."""
        level = self._levels[bucket]
        return level.reserved - max(level.on_hand, 0)

    def _settled(self, bucket: Bucket, at: datetime) -> Iterator[Fact]:
        newest_first = self._holds.standing_at([bucket])
        by_kind = sorted(newest_first, key=lambda hold: LOSES.index(hold.kind))
        losing = _enough(by_kind, bucket, self._beyond(bucket))
        self.ready(losing)
        for hold in losing:
            yield self._lost(hold, bucket, at)

    def ready(self, losing: Iterable[Hold]) -> None:
        """Lock where holds may go instead, and read what could be promised there."""
        holds = [hold for hold in losing if hold.kind != "soft"]
        self._requests.load_promises(hold.key for hold in holds if hold.promised)
        wanted = {
            hold.key: {line.product for line in hold.lines}
            | {piece.product for piece in self._promises.of(hold.key)}
            for hold in holds
        }
        self._items.load(product for products in wanted.values() for product in products)
        places = {
            Bucket(place, product)
            for hold in holds
            for place in hold.locations
            for product in wanted[hold.key]
        }
        self._levels.lock(places)
        self._requests.at_work(place.location for place in places)
        if any(hold.backorder or hold.preorder for hold in holds):
            self._promises.load(place for place in places if place in self._levels)

    def _lost(self, hold: Hold, bucket: Bucket, at: datetime) -> Fact:
        """A hold gives up its place."""
        touched = {line.line for line in hold.lines if _at(line, bucket)}
        loose = [line for line in hold.lines if line.line in touched]
        found = None
        if hold.kind != "soft":
            found = self._requests.elsewhere(hold, loose, self._promises.of(hold.key), at)
        if found is not None:
            return found
        wanted = sum(line.quantity for line in loose if _at(line, bucket))
        level = self._levels[bucket]
        lacks = min(level.reserved - max(level.on_hand, 0), wanted)
        product = bucket.product
        return self._requests.ended(hold, product, (wanted, wanted - lacks), at, bucket.location)


def _at(line: StockLine, bucket: Bucket) -> bool:
    return (line.location, line.product) == (bucket.location, bucket.product)


def _enough(holds: Iterable[Hold], bucket: Bucket, beyond: int) -> list[Hold]:
    """The first holds that together stand there with as much as is missing."""
    found: list[Hold] = []
    for hold in holds:
        if beyond <= 0:
            break
        found.append(hold)
        beyond -= sum(line.quantity for line in hold.lines if _at(line, bucket))
    return found
