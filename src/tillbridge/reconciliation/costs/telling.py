"""What is new about the worth of goods, as valued facts: one per key, entity and day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from tillbridge.canonical.costs import CostedGoods, CostMoved, cost_key
from tillbridge.canonical.fact import Entities
from tillbridge.reconciliation.costs.goods import Valuing
from tillbridge.reconciliation.costs.lists import Named
from tillbridge.reconciliation.costs.worth import POLICY, Listed, Piece, Worth

DAMAGED, REVALUED = "damaged", "revalued"


class Row(msgspec.Struct):
    """A movement as it is kept, and what was told of it. turn: how often."""

    origin: str
    named: Named
    key: str
    location: str
    category: str
    piece: Piece
    amount: int | None
    worth: int | None
    turn: int


class Shelf(msgspec.Struct, frozen=True):
    """What a new cost of the list did to the goods that stood at a place. amount: more than was
    told. unit_cost: the new one.
    """

    named: Named
    since: date
    location: str
    amount: int
    turn: int
    unit_cost: int


def changed(row: Row, now: Worth) -> list[CostedGoods]:
    """What is new of a movement: its own amount, and what makes it worth what it is worth."""
    first = row.amount is None
    amount = now.amount - (row.amount or 0)
    rest = now.worth - (row.worth or 0) - amount
    quantity = row.piece.quantity if first else 0
    found = []
    if amount:
        found.append(_goods(row, row.piece.kind, amount, now.listed, quantity))
    if rest:
        found.append(_goods(row, DAMAGED if row.piece.damaged else REVALUED, rest, None, 0))
    return found


def _goods(row: Row, kind: str, amount: int, listed: Listed | None, quantity: int) -> CostedGoods:
    return CostedGoods(
        kind=kind,
        product=row.named[1],
        amount=amount,
        quantity=quantity,
        location=row.location,
        category=row.category,
        unit_cost=listed.unit_cost if listed else None,
        since=listed.since if listed else None,
    )


def moved_facts(
    valuing: Valuing, told: Iterable[tuple[Row, list[CostedGoods]]], now: datetime
) -> list[CostMoved]:
    """One fact per key, entity and day. Its id is that of a movement and its turn, which stand in
    one fact alone.
    """
    groups: dict[tuple[str, str, date], list[tuple[Row, list[CostedGoods]]]] = {}
    for row, goods in told:
        groups.setdefault((row.key, row.named[0], row.piece.day), []).append((row, goods))
    facts = []
    for (key, entity, day), rows in groups.items():
        first = min((row for row, _ in rows), key=lambda row: row.piece.movement)
        told_goods = tuple(one for _, found in rows for one in found)
        if _cancels(told_goods):
            continue
        ident = f"{key}/cost/{entity}/{first.piece.movement}.{first.turn + 1}"
        locations = sorted({row.location for row, _ in rows})
        facts.append(_fact(valuing, key, ident, entity, day, now, told_goods, locations[0]))
    return facts


def _cancels(goods: Iterable[CostedGoods]) -> bool:
    """Whether nothing is left of them, whatever the accounts: goods that only went on their way."""
    sums: dict[tuple[str, str, str], int] = {}
    for one in goods:
        name = (one.kind, one.location, one.category)
        sums[name] = sums.get(name, 0) + one.amount
    return not any(sums.values())


def shelf_facts(valuing: Valuing, shelves: Iterable[Shelf], now: datetime) -> list[CostMoved]:
    """One fact per product, entity and cost of the list."""
    groups: dict[tuple[Named, date], list[Shelf]] = {}
    for shelf in shelves:
        groups.setdefault((shelf.named, shelf.since), []).append(shelf)
    facts = []
    for ((entity, product), since), rows in groups.items():
        rows.sort(key=lambda shelf: shelf.location)
        goods = tuple(
            CostedGoods(
                REVALUED, product, one.amount, 0, one.location, "", one.unit_cost, one.since
            )
            for one in rows
        )
        key, first = cost_key(entity, product), rows[0]
        ident = f"{key}/{since.isoformat()}/{first.location}.{first.turn}"
        facts.append(_fact(valuing, key, ident, entity, since, now, goods, first.location))
    return facts


def _fact(
    valuing: Valuing,
    key: str,
    ident: str,
    entity: str,
    day: date,
    now: datetime,
    goods: tuple[CostedGoods, ...],
    location: str,
) -> CostMoved:
    return CostMoved(
        key=key,
        id=ident,
        source="hub",
        mapping="hub/1",
        occurred_at=now,
        business_date=day,
        entities=Entities(selling=entity),
        currency=valuing.currencies[entity],
        order=key if key.startswith("order/") else "",
        channel=valuing.channel(key),
        location=location,
        goods=goods,
        policy=POLICY,
    )
