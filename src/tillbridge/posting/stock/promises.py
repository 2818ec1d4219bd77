"""Promises: goods of an order that are not there yet, out of a supply that is expected.

A promise is no reservation: it takes nothing from what is on hand. Supply and promises change only
under the lock of the stock row of their place, like what is reserved there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from tillbridge.canonical.stock import StockLine
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.levels import Bucket
from tillbridge.posting.stock.reserve import Shelf, by_line, demand_of, place_all

QUERIES = load("tillbridge.posting.stock", "promises.sql")


class Piece(msgspec.Struct, frozen=True, order=True, gc=False):
    """What one line of an order was promised out of one supply, thousandths."""

    line: str
    product: str
    supply: str
    location: str
    quantity: int

    @property
    def place(self) -> Bucket:
        """The stock row under whose lock it changes."""
        return Bucket(self.location, self.product)

    def told(self) -> StockLine:
        """As the order hears of it."""
        return StockLine(self.line, self.product, self.quantity, self.location)


class Supply(msgspec.Struct, gc=False):
    """What is expected of a product under one number at one location, thousandths.

    version: newest telling, "" before the first. promised: sum of the promises made out of it.
    """

    supply: str
    product: str
    location: str
    version: str = ""
    due_at: datetime | None = None
    expected: int = 0
    received: int = 0
    closed: bool = False
    promised: int = 0

    @property
    def left(self) -> int:
        """What can still be promised; below nothing when too much was."""
        coming = 0 if self.closed else max(self.expected - self.received, 0)
        return coming - self.promised

    @property
    def place(self) -> Bucket:
        """The stock row under whose lock it changes."""
        return Bucket(self.location, self.product)


class Promises:
    """Supply and promises of one transaction."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is read before somebody asks."""
        self._connection = connection
        self._supplies: dict[tuple[str, Bucket], Supply] = {}
        self._places: set[Bucket] = set()
        self._pieces: dict[str, tuple[Piece, ...]] = {}
        self._stored: set[str] = set()
        self._changed: set[str] = set()
        self._changed_supplies: set[tuple[str, Bucket]] = set()

    def load(self, places: Iterable[Bucket]) -> None:
        """Read the supply of locked places."""
        fresh = sorted(set(places) - self._places)
        if not fresh:
            return
        self._places.update(fresh)
        columns = [b.location for b in fresh], [b.product for b in fresh]
        for row in self._connection.execute(QUERIES.at_places, columns, binary=True):
            found = Supply(*row)
            self._supplies[found.supply, found.place] = found

    def load_keys(self, keys: Iterable[str]) -> None:
        """Read what keys were promised whose holds say that they were."""
        fresh = sorted(set(keys) - self._pieces.keys())
        if not fresh:
            return
        self._pieces.update((key, ()) for key in fresh)
        self._stored.update(fresh)
        for key, *row in self._connection.execute(QUERIES.of_keys, (fresh,)):
            self._pieces[key] += (Piece(*row),)

    def forget(self, keys: Iterable[str]) -> None:
        """Read these keys again: their promises were not locked yet."""
        for key in keys:
            self._pieces.pop(key, None)

    def of(self, key: str) -> tuple[Piece, ...]:
        """What a loaded key was promised."""
        return self._pieces.get(key, ())

    def places_of_supplies(self, numbers: Iterable[str]) -> set[Bucket]:
        """Where goods of these supplies are known to be expected; nothing is locked."""
        rows = self._connection.execute(QUERIES.places_of_supplies, (sorted(numbers),))
        return {Bucket(*row) for row in rows}

    def keys_of_supplies(self, numbers: Iterable[str]) -> set[str]:
        """Keys that were promised something out of these supplies."""
        rows = self._connection.execute(QUERIES.keys_of_supplies, (sorted(numbers),))
        return {row[0] for row in rows}

    def keys_at(self, one: Supply) -> list[str]:
        """Loaded keys with a promise out of a supply at its place."""
        return [
            key
            for key, pieces in self._pieces.items()
            if any((piece.supply, piece.place) == (one.supply, one.place) for piece in pieces)
        ]

    def supply(self, number: str, place: Bucket) -> Supply:
        """A supply at a loaded place, made if it is not known; to be changed by its caller."""
        self._changed_supplies.add((number, place))
        found = self._supplies.get((number, place))
        if found is None:
            found = Supply(number, place.product, place.location)
            self._supplies[number, place] = found
        return found

    def known(self, number: str) -> list[Supply]:
        """All loaded rows of a supply."""
        return [found for (name, _), found in self._supplies.items() if name == number]

    def open(self, products: Iterable[str], locations: Sequence[str], at: datetime) -> list[Supply]:
        """Supply of loaded places that is due from an instant on, the soonest first."""
        wanted, places = set(products), set(locations)
        return sorted(
            (
                one
                for one in self._supplies.values()
                if one.product in wanted
                and one.location in places
                and one.left > 0
                and one.due_at is not None
                and one.due_at >= at
            ),
            key=lambda one: (one.due_at, locations.index(one.location), one.supply),
        )

    def stand(self, key: str, pieces: Iterable[Piece]) -> None:
        """Let a key be promised these, and nothing else; their places must be loaded."""
        now = _merged(pieces)
        if now == self.of(key):
            return
        for sign, told in ((-1, self.of(key)), (1, now)):
            for piece in told:
                self._supplies[piece.supply, piece.place].promised += sign * piece.quantity
        self._pieces[key] = now
        self._changed.add(key)

    def save(self) -> None:
        """Write supplies and promises as sets."""
        run = self._connection.execute
        if self._changed_supplies:
            told = [self._supplies[name] for name in sorted(self._changed_supplies)]
            columns = [
                [getattr(one, field) for one in told] for field in Supply.__struct_fields__[:8]
            ]
            run(QUERIES.save_supply, columns, binary=True)
            self._changed_supplies.clear()
        if gone := sorted(self._changed & self._stored):
            run(QUERIES.drop_promises, (gone,))
        rows = [
            (key, *msgspec.structs.astuple(piece))
            for key in sorted(self._changed)
            for piece in self._pieces[key]
        ]
        if rows:
            run(QUERIES.add_promises, [list(c) for c in zip(*rows, strict=True)], binary=True)
        self._stored |= self._changed
        self._changed.clear()


def _merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """One piece for each line, product and supply, in their order."""
    found: dict[tuple[str, str, str, str], int] = {}
    for piece in pieces:
        name = (piece.line, piece.product, piece.supply, piece.location)
        found[name] = found.get(name, 0) + piece.quantity
    return tuple(Piece(*name, much) for name, much in sorted(found.items()))


class Backorder(msgspec.Struct, frozen=True):
    """What of a demand is reserved, and what is promised instead."""

    lines: tuple[StockLine, ...]
    promised: tuple[Piece, ...]


def backordered(
    lines: Sequence[StockLine],
    locations: Sequence[str],
    shelf: Shelf,
    split_most: int,
    supplies: Sequence[Supply],
) -> Backorder | None:
    """Reserve what is there and promise the rest, or None when supply does not suffice. Pure.

    supplies: in the order they are to be used. A line that can be served whole is reserved whole;
    of another one what is there is reserved, unless it is a bundle, which is promised as a whole.
    """
    kept: list[StockLine] = []
    lacking: list[list[StockLine]] = []
    for parts in by_line(lines):
        if place_all([*kept, *parts], locations, shelf, split_most) is not None:
            kept += parts
        else:
            lacking.append(parts)
    placed = list(place_all(kept, locations, shelf, split_most) or ())
    shelf = shelf.copied()
    for line in placed:
        shelf.take((line.location, line.product), line.quantity)
    left = {id(one): one.left for one in supplies}
    promised: list[Piece] = []
    for parts in lacking:
        name = parts[0].line
        if len(demand_of(parts)) == 1:
            placed += _what_is_there(parts, placed, locations, shelf, split_most)
        for product, wanted in demand_of(parts).items():
            there = sum(p.quantity for p in placed if (p.line, p.product) == (name, product))
            missing = wanted - there
            for one in supplies:
                much = min(missing, left[id(one)])
                if one.product == product and much > 0:
                    left[id(one)] -= much
                    missing -= much
                    promised.append(Piece(name, product, one.supply, one.location, much))
            if missing:
                return None
    return Backorder(tuple(placed), tuple(promised))


def _what_is_there(
    parts: Sequence[StockLine],
    placed: Sequence[StockLine],
    locations: Sequence[str],
    shelf: Shelf,
    split_most: int,
) -> list[StockLine]:
    """Pieces of a line that cannot be served whole, from where the order stands already and from
    the fullest other places.
    """
    line, product = parts[0].line, parts[0].product
    wanted = sum(part.quantity for part in parts)
    used = list(dict.fromkeys(one.location for one in placed))
    others = [place for place in locations if place not in used]
    others.sort(key=lambda place: -shelf.left((place, product)))
    found: list[StockLine] = []
    for place in [*used, *others[: max(split_most - len(used), 0)]]:
        much = min(wanted, shelf.left((place, product))) if place in locations else 0
        if much:
            shelf.take((place, product), much)
            found.append(StockLine(line, product, much, place))
            wanted -= much
    return found
