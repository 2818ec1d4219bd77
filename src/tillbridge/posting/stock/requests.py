"""Requests: what orders ask to be held, answered, and answered anew when goods leave or arrive.

An answer is everything the order holds and is promised. `turn` counts the answers of one request,
so that the order knows the newest whatever the order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.stock import ReserveStock, StockLine
from tillbridge.durable.rooms import DONE, Outcome
from tillbridge.posting.stock.capacity import Capacity
from tillbridge.posting.stock.hold import Hold, moved, named_after, released, reserved, short
from tillbridge.posting.stock.holds import Holds
from tillbridge.posting.stock.items import Items
from tillbridge.posting.stock.levels import Bucket, Levels
from tillbridge.posting.stock.promises import Backorder, Piece, Promises, backordered
from tillbridge.posting.stock.reserve import Answer, Free, Place, Shelf, answer, place_all
from tillbridge.posting.stock.waiting import Waiting


class Requests:
    """The requests of one transaction. All rows an answer may touch are locked by its caller."""

    def __init__(
        self,
        levels: Levels,
        holds: Holds,
        items: Items,
        promises: Promises,
        free: Callable[[str, Place], int],
        capacity: Capacity,
        waiting: Waiting,
    ) -> None:
        """free: what a channel may still promise at a place."""
        self._waiting = waiting
        self._capacity = capacity
        self._levels = levels
        self._holds = holds
        self._items = items
        self._promises = promises
        self._channel_free = free

    def load(self, asks: Iterable[tuple[str, ReserveStock]]) -> None:
        """Read promises and supply, where requests may need them; their rows are locked."""
        keys: list[str] = []
        places: set[Bucket] = set()
        for key, body in asks:
            self.at_work((*body.locations, *(li.location for li in self._holds[key].lines)))
            if self._holds[key].promised:
                keys.append(key)
            if body.backorder or body.preorder:
                lines = self._items.expand(body.lines)
                places |= {Bucket(p, line.product) for p in body.locations for line in lines}
        self.load_promises(keys)
        self._promises.load(place for place in places if place in self._levels)

    def at_work(self, locations: Iterable[str]) -> None:
        """Orders will come to stand at these locations, or leave them."""
        self._capacity.load(locations)

    def load_promises(self, keys: Iterable[str]) -> None:
        """Read what keys were promised, and the supply it comes from, under its locks."""
        wanted = list(keys)
        while wanted:
            self._promises.load_keys(wanted)
            places = {piece.place for key in wanted for piece in self._promises.of(key)}
            elsewhere = [place for place in places if place not in self._levels]
            if not elsewhere:
                self._promises.load(places)
                break
            self._levels.lock(elsewhere)  # they moved meanwhile: read again
            self._promises.forget(wanted)

    def answer(self, key: str, body: ReserveStock, gone: Mapping[str, int]) -> Outcome:
        """Answer an order's request; an older one than the last answered is a no-op.

        The keys `key` and `body.takes` must be locked. A reservation that is taken over is part of
        what the order holds; it stays as it is when the order cannot be held. gone: what of it left
        already, thousandths by product.
        """
        hold = self._holds[key]
        if body.version <= hold.version:
            return DONE
        lines = less(self._items.expand(body.lines), gone)
        mine, cart = hold.lines, self._holds[body.takes] if body.takes else None
        if cart is not None:
            mine = (*mine, *named_after(lines, cart.lines))
        free = partial(self._channel_free, body.channel)
        found = answer(
            lines,
            body.locations,
            mine,
            free,
            body.split_most,
            self._capacity.full(self._holds.known()),
            body.barred,
        )
        before = self._promises.of(key)
        self.promise(hold, ())
        late = None if found.held else self._backordered(body, lines, mine, before, free)
        if not hold.version:
            hold.placed_at = body.occurred_at
        was_short = not hold.ok
        hold.version, hold.turn, hold.ok = body.version, 0, found.held or late is not None
        hold.short = "" if hold.ok else found.product
        hold.kind, hold.channel, hold.locations = body.kind, body.channel, body.locations
        hold.split_most = body.split_most
        hold.backorder, hold.preorder = body.backorder, self._preordered(body)
        self._holds.stand(hold, found.lines if late is None else late.lines)
        self.promise(hold, () if late is None else late.promised)
        if not hold.ok:
            self._waiting.put(hold, lines, body.takes, (body.recount, body.failed_at))
        elif was_short:
            self._waiting.drop(key)
        emits: list[Fact] = [self._told(hold, found, body.occurred_at)]
        if hold.ok and cart is not None and cart.lines:
            emits.append(self._taken_over(cart, body.occurred_at))
        return Outcome(emits=tuple(emits))

    def left(self, key: str, gone: Mapping[str, int], at: datetime) -> tuple[Fact, ...]:
        """Goods of a transfer are about to leave: it holds so much less, and hears of it."""
        hold = self._holds[key]
        lines = less(hold.lines, gone)
        if lines == hold.lines:
            return ()
        self._holds.change(key, lines)
        return (self.told_anew(hold, at),)

    def _taken_over(self, cart: Hold, at: datetime) -> Fact:
        """Let a reservation go whose pieces an order took: a cart, or the order it replaces, which
        holds nothing from now on and asks for nothing more once it knows.
        """
        self._holds.cut(cart.key, "taken_over")
        return released(cart, at) if cart.desk else self.told_anew(cart, at)

    def _told(self, hold: Hold, found: Answer, at: datetime) -> Fact:
        if hold.ok:
            return reserved(hold, at, self._promised(hold))
        return short(hold, found.product, found.wanted, found.free, at)

    def _promised(self, hold: Hold) -> tuple[StockLine, ...]:
        return tuple(piece.told() for piece in self._promises.of(hold.key))

    def promise(self, hold: Hold, pieces: Iterable[Piece]) -> None:
        """Let a hold be promised these, and nothing else."""
        self._promises.stand(hold.key, pieces)
        hold.promised = bool(self._promises.of(hold.key))

    def _preordered(self, body: ReserveStock) -> tuple[str, ...]:
        """Products that may be promised in any case, bundles as what is in them."""
        named = [line for line in body.lines if line.product in body.preorder]
        return tuple(sorted({line.product for line in self._items.expand(named)}))

    def _backordered(
        self,
        body: ReserveStock,
        lines: Sequence[StockLine],
        mine: Sequence[StockLine],
        before: Sequence[Piece],
        free: Free,
    ) -> Backorder | None:
        """What is there reserved and the rest promised; what was promised before stays so."""
        stays = [line for line in mine if line.location not in body.barred]
        kept = kept_as_it_was(lines, stays, before) if before else None
        if kept is not None:
            return kept
        allowed = {line.product for line in lines} if body.backorder else self._preordered(body)
        supplies = self._promises.open(allowed, body.locations, body.occurred_at)
        if not supplies:
            return None
        shelf = Shelf(free, mine)
        return backordered(lines, body.locations, shelf, body.split_most, supplies)

    def elsewhere(
        self, hold: Hold, loose: Sequence[StockLine], pieces: Sequence[Piece], at: datetime
    ) -> Fact | None:
        """Find another place for some of what a hold has, and tell where it stands now.

        loose: reserved lines that cannot stay, all pieces of a line or none; what the hold is
        promised beyond `pieces` cannot stay either. What is not touched stays where it is if that
        is possible. None when nothing serves; nothing is changed then.
        """
        rest = [line for line in hold.lines if line not in loose]
        late = [one.told() for one in self._promises.of(hold.key) if one not in pieces]
        lost = [msgspec.structs.replace(line, location="") for line in (*loose, *late)]
        anew = [msgspec.structs.replace(line, location="") for line in rest]
        shelf = Shelf(partial(self._channel_free, hold.channel), hold.lines)
        found: Backorder | None = None
        for stays in (rest, anew):
            placed = place_all([*stays, *lost], hold.locations, shelf, hold.split_most)
            if placed is not None:
                found = Backorder(placed, ())
                break
        if found is None and not hold.desk:
            allowed = {line.product for line in lost} if hold.backorder else hold.preorder
            supplies = self._promises.open(allowed, hold.locations, at)
            lines = [*rest, *lost]
            found = backordered(lines, hold.locations, shelf, hold.split_most, supplies)
        if found is None:
            return None
        self._holds.change(hold.key, found.lines)
        if hold.desk:
            return moved(hold, at)
        self.promise(hold, (*pieces, *found.promised))
        return self.told_anew(hold, at)

    def told_anew(self, hold: Hold, at: datetime) -> Fact:
        """The next answer of an order's last request: where it stands now."""
        hold.turn += 1
        return reserved(hold, at, self._promised(hold))

    def ended(
        self, hold: Hold, product: str, lacks: tuple[int, int], at: datetime, place: str
    ) -> Fact:
        """Let a hold go for lack of a product; tell whose it is. lacks: (wanted, free)."""
        wanted = [*hold.lines, *self._promised(hold)]
        self._holds.cut(hold.key, "short", product)
        if hold.desk:
            return released(hold, at)
        self.promise(hold, ())
        hold.turn += 1
        self._waiting.put(hold, [msgspec.structs.replace(one, location="") for one in wanted])
        return short(hold, product, *lacks, at, place)


def less(lines: Sequence[StockLine], gone: Mapping[str, int]) -> tuple[StockLine, ...]:
    """Lines without what is gone of their products, taken off the first names first."""
    if not gone:
        return tuple(lines)
    left = dict(gone)
    kept = {}
    for line in sorted(lines, key=lambda line: line.line):
        off = min(max(left.get(line.product, 0), 0), line.quantity)
        left[line.product] = left.get(line.product, 0) - off
        if line.quantity > off:
            kept[id(line)] = msgspec.structs.replace(line, quantity=line.quantity - off)
    return tuple(kept[id(line)] for line in lines if id(line) in kept)


def kept_as_it_was(
    lines: Sequence[StockLine], held: Sequence[StockLine], promised: Sequence[Piece]
) -> Backorder | None:
    """What is held and promised cut down to a demand it covers; promises are given up first."""
    kept: list[StockLine] = []
    pieces: list[Piece] = []
    for line in lines:
        left = line.quantity
        for have in held:
            if (have.line, have.product) == (line.line, line.product) and left:
                much = min(left, have.quantity)
                left -= much
                kept.append(msgspec.structs.replace(have, quantity=much))
        for piece in promised:
            if (piece.line, piece.product) == (line.line, line.product) and left:
                much = min(left, piece.quantity)
                left -= much
                pieces.append(msgspec.structs.replace(piece, quantity=much))
        if left:
            return None
    return Backorder(tuple(kept), tuple(pieces))
