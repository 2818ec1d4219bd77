"""Capacity: how many orders a location works on at once.

Counted under a lock of the location, taken after the stock rows, by everybody who lets an order
stand there or go: so the log, replayed, counts alike. Carts and transfers are no work yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.hold import Hold

QUERIES = load("tillbridge.posting.stock", "capacity.sql")


class Capacity:
    """Which locations have their hands full, in one transaction."""

    def __init__(self, connection: Connection, most: Mapping[str, int]) -> None:
        """most: orders by location, 0 or not named = any number."""
        self._connection = connection
        self._most = most
        self._stored: dict[str, set[str]] = {}

    def load(self, locations: Iterable[str]) -> None:
        """Lock the locations that are bounded, in their order, and read who stands there."""
        fresh = sorted({one for one in locations if self._most.get(one)} - self._stored.keys())
        if not fresh:
            return
        self._connection.execute(QUERIES.lock, (fresh,))
        self._stored.update((location, set()) for location in fresh)
        for location, key in self._connection.execute(QUERIES.orders_at, (fresh,)):
            self._stored[location].add(key)

    def full(self, changed: Iterable[Hold]) -> set[str]:
        """Loaded locations that take no further order. changed: holds as this transaction has
        them; all others are as they were read.
        """
        if not self._stored:
            return set()
        known = list(changed)
        now = {location: set(keys) for location, keys in self._stored.items()}
        for hold in known:
            order = hold.kind == "firm" and not hold.desk
            places = {line.location for line in hold.lines} if order else set()
            for location, keys in now.items():
                keys.discard(hold.key)
                if location in places:
                    keys.add(hold.key)
        return {location for location, keys in now.items() if len(keys) >= self._most[location]}
