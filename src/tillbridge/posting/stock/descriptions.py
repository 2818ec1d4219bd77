"""Descriptions: the item master is told; the newest version of an item wins, whole."""

from __future__ import annotations

from collections.abc import Sequence

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.items import ItemDescribed
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import DONE, Connection, Outcome
from tillbridge.posting.stock.items import Item, Items
from tillbridge.posting.stock.levels import Levels

QUERIES = load("tillbridge.posting.stock", "descriptions.sql")


class Descriptions:
    """The descriptions of one transaction."""

    def __init__(self, connection: Connection, items: Items, levels: Levels) -> None:
        """Nothing is read or locked before somebody asks."""
        self._connection = connection
        self._items = items
        self._levels = levels
        self._in_stock: set[str] = set()
        self._changed: set[str] = set()

    def load(self, told: Sequence[ItemDescribed]) -> None:
        """Wait until nobody decides by these items, then read them and what forbids a change."""
        products = sorted({body.product for body in told})
        self._connection.execute(QUERIES.write_lock)
        self._items.load(
            {part.product for body in told for part in body.components}.union(products)
        )
        rows = self._connection.execute(QUERIES.in_stock, (products,)).fetchall()
        self._in_stock.update(row[0] for row in rows)

    def take(self, body: ItemDescribed) -> Outcome:
        """Keep a description unless a newer one is known. Raises NeedsDecision."""
        known, told = self._items[body.product], item_of(body)
        if body.version < known.version or told == known:
            return DONE
        if body.version == known.version:
            return Outcome(notices=(_conflict(known),))
        self._check(known, told)
        self._items.put(told)
        self._changed.add(told.product)
        return DONE

    def _check(self, known: Item, told: Item) -> None:
        within = list(told.components)
        seen: set[str] = set()
        while within:
            product = within.pop()
            if product == told.product:
                raise refused(told.product, "it would be a component of itself")
            if product not in seen:
                seen.add(product)
                within += self._items[product].components
        moved = known.described and known.unit != told.unit
        if (moved or told.components) and self._is_in_stock(told.product):
            what = f"measured in {told.unit}" if moved else "a bundle"
            raise NeedsDecision(
                "item_in_stock",
                f"{told.product} cannot become {what} while pieces of it are in the book",
                owner="fulfilment",
                remedy=f"tillbridge stock show --product {told.product}",
                details={"product": told.product, "unit": told.unit},
            )

    def _is_in_stock(self, product: str) -> bool:
        return product in self._in_stock or self._levels.holds(product)

    def save(self) -> None:
        """Write the items as sets."""
        if not self._changed:
            return
        items = [self._items[product] for product in sorted(self._changed)]
        run, products = self._connection.execute, [item.product for item in items]
        columns = (
            products,
            [item.version for item in items],
            [item.title for item in items],
            [item.unit for item in items],
            [item.step for item in items],
            [item.category for item in items],
            [item.sellable for item in items],
        )
        run(QUERIES.save, columns)
        run(QUERIES.drop_packs, (products,))
        run(QUERIES.drop_components, (products,))
        packs = [(i.product, unit, each) for i in items for unit, each in i.packs.items()]
        parts = [(i.product, part, each) for i in items for part, each in i.components.items()]
        if packs:
            run(QUERIES.add_packs, [list(column) for column in zip(*packs, strict=True)])
        if parts:
            run(QUERIES.add_components, [list(column) for column in zip(*parts, strict=True)])
        self._changed.clear()


def item_of(body: ItemDescribed) -> Item:
    """The item a description tells; raises NeedsDecision when it makes no sense."""
    packs = {pack.unit: pack.quantity for pack in body.packs}
    components = {part.product: part.quantity for part in body.components}
    if not body.unit or body.step <= 0:
        raise refused(body.product, "it needs a base unit and a step above zero")
    if len(packs) < len(body.packs) or body.unit in packs or "" in packs:
        raise refused(body.product, "a unit is told twice, or has no name")
    if len(components) < len(body.components):
        raise refused(body.product, "a component is told twice")
    if any(each <= 0 for each in (*packs.values(), *components.values())):
        raise refused(body.product, "a pack or component holds nothing")
    return Item(
        body.product,
        body.version,
        body.title,
        body.unit,
        body.step,
        body.category,
        body.sellable,
        packs,
        components,
    )


def refused(product: str, why: str) -> NeedsDecision:
    """The case of a description that cannot be kept."""
    return NeedsDecision(
        "item_refused",
        f"{product}: {why}",
        remedy="tillbridge items import FILE",
        details={"product": product},
    )


def _conflict(known: Item) -> NeedsDecision:
    return NeedsDecision(
        "item_conflict",
        f"{known.product}: version {known.version} was told twice with other content; "
        "the first is kept",
        remedy="tillbridge items import FILE",
        details={"product": known.product, "version": known.version},
    )
