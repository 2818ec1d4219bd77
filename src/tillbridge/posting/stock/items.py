"""Items: what the book knows of a product, and demand told in its units and bundles.

A quantity is thousandths of the unit it was told in; the book keeps thousandths of the item's base
unit. A bundle has no stock: what is asked of it is asked of its components. Both are exact or
refused. Of an item that was never described nothing is forbidden: its unit is the one told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.quantity import SCALE, to_text
from tillbridge.canonical.stock import StockLine
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.posting.stock", "items.sql")


DEPTH_MOST, PIECES_MOST = 8, 1_000
"""So far a bundle is opened: levels (`availability.sql` opens as many) and things in it."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """A product as its owner describes it. unit: base unit, "" = never described. step: smallest
    quantity, thousandths. packs: other unit -> thousandths of the base unit. components: product
    -> thousandths of its base unit in one of this bundle.
    """

    product: str
    version: str = ""
    title: str = ""
    unit: str = ""
    step: int = 1
    category: str = ""
    sellable: bool = True
    packs: dict[str, int] = {}
    components: dict[str, int] = {}

    @property
    def described(self) -> bool:
        """Whether anybody ever told what this product is."""
        return bool(self.unit)

    def converted(self, quantity: int, unit: str) -> int:
        """Thousandths of `unit` in thousandths of the base unit; raises NeedsDecision."""
        if not self.unit:
            return quantity
        if unit and unit != self.unit:
            quantity = self._unpacked(quantity, unit)
        if quantity % self.step:
            raise self._fraction(f"{to_text(quantity)} {self.unit}")
        return quantity

    def _unpacked(self, quantity: int, unit: str) -> int:
        pack = self.packs.get(unit)
        if pack is None:
            known = ", ".join([self.unit, *sorted(self.packs)])
            raise NeedsDecision(
                "unit_unknown",
                f"{self.product} is told in {unit}; its units are {known}",
                remedy="tillbridge items import FILE",
                details={"product": self.product, "unit": unit},
            )
        whole, rest = divmod(quantity * pack, SCALE)
        if rest:
            raise self._fraction(f"{to_text(quantity)} {unit}")
        return whole

    def _fraction(self, told: str) -> NeedsDecision:
        return NeedsDecision(
            "quantity_fraction",
            f"{self.product}: {told} is no multiple of {to_text(self.step)} {self.unit}",
            owner="fulfilment",
            remedy="tillbridge items import FILE",
            details={"product": self.product, "told": told},
        )


def expand(lines: Iterable[StockLine], items: Mapping[str, Item]) -> tuple[StockLine, ...]:
    """Lines in base units, bundles as their components; one line per (line, product, location,
    condition), in the order told. Expanding twice changes nothing.

    items: every product named and everything in it; one that is missing was never described.
    Raises NeedsDecision for an unknown unit, a quantity finer than an item's step, or a bundle with
    too much in it.
    """
    out: dict[tuple[str, str, str, str], StockLine] = {}
    for told in lines:
        for line in _pieces(told, items, [PIECES_MOST]):
            place = (line.line, line.product, line.location, line.condition)
            known = out.get(place)
            out[place] = line if known is None else _more(known, line.quantity)
    return tuple(out.values())


def _more(line: StockLine, quantity: int) -> StockLine:
    return msgspec.structs.replace(line, quantity=line.quantity + quantity)


def _pieces(
    line: StockLine, items: Mapping[str, Item], left: list[int], depth: int = 0
) -> list[StockLine]:
    left[0] -= 1
    if left[0] < 0 or depth > DEPTH_MOST:
        raise NeedsDecision(
            "bundle_too_large",
            f"{line.product} is in a bundle of more than {DEPTH_MOST} levels, {PIECES_MOST} things",
            owner="fulfilment",
            details={"product": line.product},
        )
    item = items.get(line.product)
    if item is None:
        return [line if not line.unit else msgspec.structs.replace(line, unit="")]
    quantity = item.converted(line.quantity, line.unit)
    if not item.components:
        if quantity == line.quantity and not line.unit:
            return [line]
        return [msgspec.structs.replace(line, quantity=quantity, unit="")]
    found: list[StockLine] = []
    for product, each in item.components.items():
        part, rest = divmod(quantity * each, SCALE)
        if rest:
            raise NeedsDecision(
                "quantity_fraction",
                f"{to_text(quantity)} of {item.product} cannot be divided into its components",
                owner="fulfilment",
                details={"product": item.product, "component": product},
            )
        piece = msgspec.structs.replace(line, product=product, quantity=part, unit="")
        found += _pieces(piece, items, left, depth + 1)
    return found


class Items:
    """The items of one transaction."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is read before somebody asks."""
        self._connection = connection
        self._items: dict[str, Item] = {}
        self._asked: set[str] = set()

    def __getitem__(self, product: str) -> Item:
        """What is known of a loaded product; nothing is forbidden to one never described."""
        return self._items.get(product) or Item(product)

    def load(self, products: Iterable[str]) -> None:
        """Read items and what is in them, under the lock that keeps them as they are."""
        fresh = sorted(set(products) - self._asked)
        if not fresh:
            return
        with self._connection.pipeline():
            self._connection.execute(QUERIES.read_lock)
            rows = self._connection.execute(QUERIES.load, (fresh,))
        self._asked.update(fresh)
        for row in rows.fetchall():
            # What is here already is as it is in the database, or newer: described just now.
            self._items.setdefault(row[0], Item(*row))

    def put(self, item: Item) -> None:
        """An item as this transaction describes it; what is in it is loaded already."""
        self._items[item.product] = item

    def expand(self, lines: Iterable[StockLine]) -> tuple[StockLine, ...]:
        """See the function; every product named must be loaded."""
        return expand(lines, self._items)
