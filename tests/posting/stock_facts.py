"""Facts of goods that the tests of the stock book share, and one transaction of the book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from tests.posting.money_facts import NOW
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical import stock
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.items import Component, ItemDescribed, Pack
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import StockLine
from tillbridge.durable.rooms import Outcome, Record
from tillbridge.posting.stock.room import StockBook

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def take(connection: Connection, *waves: Sequence[Body], book: StockBook) -> list[Outcome]:
    """One transaction."""
    session = book.open(connection, NOW)
    outcomes = [
        outcome
        for wave in waves
        for outcome in session.take(
            [Record(b.key, type(b).__name__, b, lane_of(b.key)) for b in wave]
        )
    ]
    session.flush()
    connection.commit()
    return outcomes


def carried(key: str, name: str, minutes: int = 0) -> dict[str, Any]:
    """What every fact carries; minutes after noon."""
    at = NOON + timedelta(minutes=minutes)
    return {
        "key": key,
        "id": f"{key}/{name}",
        "source": "feed",
        "mapping": "feed/1",
        "occurred_at": at,
        "business_date": at.date(),
        "entities": Entities(selling="us"),
    }


def described(product: str, version: str = "1", **words: Any) -> ItemDescribed:
    """An item; packs and components as {name: thousandths}."""
    packs = tuple(Pack(unit, each) for unit, each in words.pop("packs", {}).items())
    parts = tuple(Component(name, each) for name, each in words.pop("components", {}).items())
    return ItemDescribed(
        **carried(f"item/{product}", version),
        product=product,
        version=version,
        packs=packs,
        components=parts,
        **words,
    )


def adjusted(name: str, quantity: int, product: str = "p", minutes: int = 0, **words: Any) -> Body:
    """A correction at the warehouse."""
    line = StockLine("1", product, quantity, "wh", **words)
    return stock.StockAdjusted(
        **carried(f"adjustment/{name}", "1", minutes), lines=(line,), reason="found"
    )


def counted(quantity: int, minutes: int = 0, product: str = "p", **words: Any) -> Body:
    """A count at the warehouse; words override what is told."""
    told = {"location": "wh", "condition": "sellable", **words}
    name = f"{told['condition']}@{minutes}/{quantity}"
    return stock.StockCounted(
        **carried(f"stock/{told['location']}/{product}", name, minutes),
        product=product,
        quantity=quantity,
        counted_at=NOON + timedelta(minutes=minutes),
        **told,
    )


def levels(connection: Connection) -> dict[tuple[str, str, str], int]:
    """What is on hand, rows that hold nothing left out."""
    rows = connection.execute(
        "select location, product, condition, on_hand from stock where on_hand <> 0"
    ).fetchall()
    connection.rollback()
    return {(place, product, condition): held for place, product, condition, held in rows}
