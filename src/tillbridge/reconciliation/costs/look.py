"""One look at goods: costs and movements read, worths reckoned, what is new told to the books,
goods without a cost told to finance. Target less booked: without news it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import lane_of
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.costs import CostedGoods, CostMoved, cost_key
from tillbridge.durable import log
from tillbridge.durable.rooms import Connection, Record
from tillbridge.reconciliation.costs.goods import Valuing, read_goods
from tillbridge.reconciliation.costs.lists import QUERIES, Named, cost_lists, read_costs
from tillbridge.reconciliation.costs.telling import Row, Shelf, changed, moved_facts, shelf_facts
from tillbridge.reconciliation.costs.worth import CostList, Piece, value_of, worths
from tillbridge.reconciliation.findings import settle

GROUPS = 5_000
"""Products of a key that are reckoned at a time."""


class Looked(msgspec.Struct):
    """What a look came to."""

    costs: int = 0
    movements: int = 0
    told: int = 0
    missing: int = 0

    @property
    def words(self) -> str:
        """For the schedule."""
        return (
            f"{self.costs} costs and {self.movements} movements read, {self.told} facts told to "
            f"the books, {self.missing} products without a cost"
        )


def look_at_goods(connection: Connection, valuing: Valuing, now: datetime) -> Looked:
    """Value what is due; the caller commits at once, for the log was appended to."""
    if not valuing.currencies:
        return Looked()
    looked = Looked(costs=read_costs(connection))
    looked.movements = read_goods(connection, valuing)
    shelves = connection.execute(QUERIES.products, (now.date(),)).fetchall()
    facts = _value(connection, valuing, now)
    facts += _revalue(connection, valuing, [(row[0], row[1]) for row in shelves], now)
    looked.told = len(facts)
    looked.missing = _tell_missing(connection, valuing, now)
    if facts:
        records = [Record(f.key, "CostMoved", f, lane_of(f.key)) for f in facts]
        log.append(connection, records)
    return looked


def _value(connection: Connection, valuing: Valuing, now: datetime) -> list[CostMoved]:
    """Reckon everything that is due, some groups at a time."""
    facts: list[CostMoved] = []
    while True:
        rows = [_row(row) for row in connection.execute(QUERIES.due, (GROUPS,)).fetchall()]
        if not rows:
            return facts
        costs = cost_lists(connection, (row.named for row in rows), valuing.currencies)
        told: list[tuple[Row, list[CostedGoods]]] = []
        kept: list[tuple[int, int | None, int | None, int]] = []
        for (_, named), group in groupby(rows, key=lambda row: (row.origin, row.named)):
            _reckon(list(group), costs[named], told, kept)
        columns = [list(column) for column in zip(*kept, strict=True)]
        connection.execute(QUERIES.value, columns)
        facts += moved_facts(valuing, told, now)


def _reckon(
    rows: Sequence[Row],
    costs: CostList,
    told: list[tuple[Row, list[CostedGoods]]],
    kept: list[tuple[int, int | None, int | None, int]],
) -> None:
    """What is new of one product under one key; `told` and `kept` grow by it. A worth that was told
    stands until another is known.
    """
    found = worths([row.piece for row in rows], costs)
    for row in rows:
        now = found[row.piece.movement]
        if now is None:
            kept.append((row.piece.movement, row.amount, row.worth, row.turn))
            continue
        news = changed(row, now)
        if news:
            told.append((row, news))
        turn = row.turn + 1 if news else row.turn
        kept.append((row.piece.movement, now.amount, now.worth, turn))


def _row(row: Sequence[Any]) -> Row:
    origin, entity, product, movement, key, location, damaged, kind, quantity, *rest = row
    day, at, voided, category, amount, worth, turn = rest
    return Row(
        origin=origin,
        named=(entity, product),
        key=key,
        location=location,
        category=category,
        piece=Piece(movement, kind, quantity, day, at, damaged, voided),
        amount=amount,
        worth=worth,
        turn=turn,
    )


def _revalue(
    connection: Connection, valuing: Valuing, products: Iterable[Named], now: datetime
) -> list[CostMoved]:
    """What stood on the shelf is worth the new cost from its day on; a day to come waits."""
    today = now.date()
    changes = {
        (named, after.since): (before, after)
        for named, costs in cost_lists(connection, products, valuing.currencies).items()
        for before, after in costs.changes()
        if after.since <= today and named[0] in valuing.currencies
    }
    connection.execute(QUERIES.reckoned, (today,))
    if not changes:
        return []
    names = [(*named, since) for named, since in changes]
    columns = [list(column) for column in zip(*names, strict=True)]
    target = {
        ((entity, product), since, location): quantity
        for entity, product, since, location, quantity in connection.execute(
            QUERIES.shelves, columns
        )
    }
    told = {
        ((entity, product), since, location): (amount, turn)
        for entity, product, since, location, amount, turn in connection.execute(
            QUERIES.revalued, columns[:2]
        )
    }
    shelves, kept = [], []
    for place in sorted(target.keys() | told.keys()):
        named, since, location = place
        if (named, since) not in changes:
            continue
        before, after = changes[named, since]
        quantity, (booked, turn) = target.get(place, 0), told.get(place, (0, 0))
        amount = value_of(quantity, after.unit_cost) - value_of(quantity, before.unit_cost)
        if amount != booked:
            rest = amount - booked
            shelves.append(Shelf(named, since, location, rest, turn + 1, after.unit_cost))
            kept.append((*named, since, location, amount, turn + 1))
    if kept:
        connection.execute(QUERIES.revalue, [list(column) for column in zip(*kept, strict=True)])
    return shelf_facts(valuing, shelves, now)


def _tell_missing(connection: Connection, valuing: Valuing, now: datetime) -> int:
    """Cases of goods whose cost nobody told, which come and go; gives how many products."""
    found: dict[str, NeedsDecision] = {}
    for entity, product, movements, quantity, day in connection.execute(QUERIES.missing):
        currency = valuing.currencies.get(entity)
        if currency is None:
            continue
        found[cost_key(entity, product)] = NeedsDecision(
            "cost_missing",
            f"{entity}: {movements} movements of {product} ({to_text(quantity)} in all) wait for "
            f"its cost of {day.isoformat()}",
            owner="finance",
            remedy=f"tillbridge costs set {product} --entity {entity} --since {day.isoformat()} "
            "--cost COST --reason WORDS",
            details={"entity": entity, "product": product},
        )
    settle(connection, "cost_missing", found, now)
    columns = (list(valuing.currencies), list(valuing.currencies.values()))
    foreign = {
        f"{cost_key(entity, product)}/{since.isoformat()}": NeedsDecision(
            "cost_currency",
            f"{entity}: {product} is told to cost an amount in {currency} from {since.isoformat()} "
            f"on, and its books are in {valuing.currencies[entity]}",
            owner="finance",
            details={"entity": entity, "product": product},
        )
        for entity, product, since, currency in connection.execute(QUERIES.foreign, columns)
    }
    settle(connection, "cost_currency", foreign, now)
    return len(found)
