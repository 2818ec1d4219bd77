"""Supply: goods that are expected, and what happens to promises when they come, or do not.

A purchase is a supply whose supplier is known. A supply is told whole, newest version wins, in
whatever order versions and receipts arrive. When its goods come, the orders promised out of it are
served in the order in which they were placed: a promise that becomes a reservation is no new
acceptance, so safety stock does not stand in its way; what is on hand does. When less comes than
was promised, the newest promises look for another place, another supply, or end with `StockShort`.
Goods that come damaged came all the same: they are expected no longer, and serve nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.stock import SELLABLE, StockLine, StockReceived
from tillbridge.canonical.supply import PurchaseClosed
from tillbridge.posting.stock.hold import Hold
from tillbridge.posting.stock.holds import Holds
from tillbridge.posting.stock.items import Items
from tillbridge.posting.stock.levels import Bucket, Levels
from tillbridge.posting.stock.promises import Piece, Promises, Supply
from tillbridge.posting.stock.purchases import (
    Purchases,
    SupplyFact,
    SupplyTold,
    due_of,
    lines_of,
)
from tillbridge.posting.stock.requests import Requests
from tillbridge.posting.stock.reserve import demand_of, merged
from tillbridge.posting.stock.shortage import Shortages


class Supplies:
    """What follows from supply told and received, in one transaction."""

    def __init__(
        self,
        levels: Levels,
        holds: Holds,
        items: Items,
        promises: Promises,
        requests: Requests,
        shortages: Shortages,
        purchases: Purchases,
    ) -> None:
        """Nothing is read before somebody asks."""
        self._purchases = purchases
        self._levels = levels
        self._holds = holds
        self._items = items
        self._promises = promises
        self._requests = requests
        self._shortages = shortages

    def places(self, bodies: Sequence[SupplyFact | StockReceived]) -> set[Bucket]:
        """Stock rows under whose locks these supplies change."""
        numbers = {body.supply for body in bodies if body.supply}
        return self._promises.places_of_supplies(numbers)

    def load(self, bodies: Sequence[SupplyFact | StockReceived]) -> None:
        """Read supplies and the holds that were promised out of them; the rows are locked."""
        numbers = {body.supply for body in bodies if body.supply}
        if not numbers:
            return
        self._purchases.load(b.supply for b in bodies if not isinstance(b, StockReceived))
        keys = self._promises.keys_of_supplies(numbers)
        self._holds.lock(keys)
        self._requests.load_promises(keys)
        self._promises.load(self._levels.locked())
        self._requests.at_work(
            place.location for place in self._promises.places_of_supplies(numbers)
        )

    def expected(self, body: SupplyFact) -> tuple[Fact, ...]:
        """Take the newest telling of a supply, or that it is over; no news changes nothing."""
        if isinstance(body, PurchaseClosed):
            known = self._purchases.closed(body)
            rows = self._promises.known(body.supply) if known is not None and known.over else []
            return tuple(self._ended(rows, body.occurred_at))
        return tuple(self._told(body))

    def _ended(self, rows: Iterable[Supply], at: datetime) -> Iterator[Fact]:
        for one in sorted(rows, key=lambda row: row.place):
            self._promises.supply(one.supply, one.place).closed = True
            yield from self._cut_to(one, at)

    def _told(self, body: SupplyTold) -> Iterator[Fact]:
        known = self._purchases.told(body)
        if known is None:
            return
        lines = self._items.expand(lines_of(body))
        wanted = demand_of(lines)
        due = {line.product: due_of(body, line.line) for line in reversed(lines)}
        for line in lines:
            due[line.product] = min(due[line.product], due_of(body, line.line))
        places = {Bucket(body.location, product) for product in wanted}
        places |= {one.place for one in self._promises.known(body.supply)}
        for place in sorted(places):
            one = self._promises.supply(body.supply, place)
            here = place.location == body.location
            one.expected = max(wanted.get(place.product, 0), 0) if here else 0
            one.due_at = due.get(place.product, body.due_at)
            one.version, one.closed = body.version, known.over
            yield from self._cut_to(one, body.occurred_at)

    def received(self, body: StockReceived, rows: Iterable[tuple[Bucket, int]]) -> tuple[Fact, ...]:
        """Serve the orders that wait for these goods; they are booked already."""
        facts: list[Fact] = []
        if not body.supply:
            return ()
        for place, quantity in rows:
            if quantity > 0:
                shelf = Bucket(place.location, place.product)
                one = self._promises.supply(body.supply, shelf)
                one.received += quantity
                if place.condition == SELLABLE:
                    facts += self._serve(one, quantity, body.occurred_at)
                facts += self._cut_to(one, body.occurred_at)
        return tuple(facts)

    def _waiting(self, one: Supply) -> list[Hold]:
        """Holds promised something out of a supply, the first placed first."""
        keys = self._promises.keys_at(one)
        holds = [self._holds[key] for key in keys]
        return sorted(holds, key=lambda hold: (hold.placed_at, hold.key))

    def _serve(self, one: Supply, quantity: int, at: datetime) -> Iterator[Fact]:
        for hold in self._waiting(one):
            level = self._levels[one.place]
            much = min(quantity, level.free)
            served, pieces = _taken(self._promises.of(hold.key), one, much)
            if not served:
                return
            quantity -= sum(line.quantity for line in served)
            self._holds.change(hold.key, tuple(merged([*hold.lines, *served])))
            self._requests.promise(hold, pieces)
            yield self._requests.told_anew(hold, at)

    def _cut_to(self, one: Supply, at: datetime) -> Iterator[Fact]:
        """No more is promised than will come: the newest promises give way."""
        if one.left >= 0:
            return
        newest_first = self._waiting(one)[::-1]
        losing: list[Hold] = []
        missing = -one.left
        for hold in newest_first:
            if missing <= 0:
                break
            losing.append(hold)
            missing -= sum(p.quantity for p in self._promises.of(hold.key) if _out_of(p, one))
        self._shortages.ready(losing)
        for hold in losing:
            yield self._unpromised(hold, one, at)

    def _unpromised(self, hold: Hold, one: Supply, at: datetime) -> Fact:
        pieces = self._promises.of(hold.key)
        kept = [piece for piece in pieces if not _out_of(piece, one)]
        found = self._requests.elsewhere(hold, (), kept, at)
        if found is not None:
            return found
        wanted = sum(piece.quantity for piece in pieces if _out_of(piece, one))
        return self._requests.ended(hold, one.product, (wanted, 0), at, one.location)


def _out_of(piece: Piece, one: Supply) -> bool:
    return (piece.supply, piece.place) == (one.supply, one.place)


def _taken(pieces: Iterable[Piece], one: Supply, much: int) -> tuple[list[StockLine], list[Piece]]:
    """Pieces that are served out of a supply, as lines, and those that still wait."""
    served: list[StockLine] = []
    waiting: list[Piece] = []
    for piece in pieces:
        part = min(piece.quantity, max(much, 0)) if _out_of(piece, one) else 0
        if part:
            much -= part
            served.append(msgspec.structs.replace(piece.told(), quantity=part))
        if piece.quantity > part:
            waiting.append(msgspec.structs.replace(piece, quantity=piece.quantity - part))
    return served, waiting
