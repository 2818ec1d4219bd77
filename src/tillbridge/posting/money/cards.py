"""Gift cards and store credit as the money book has them: a card is an open item of a liability."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load(
    "tillbridge.posting.money", "cards.sql", "movements", "tie_out", "overdrawn", "filled"
)
ITEM = "card/"


class CardLine(msgspec.Struct, frozen=True):
    """One movement of a card: what it added to the card (negative: took off), functional minor
    units. key: the order, sale or card it belongs to.
    """

    day: date
    fact: str
    key: str
    entity: str
    account: str
    amount: int
    currency: str


class TieOut(msgspec.Struct, frozen=True):
    """One entity's liability: what stands on named cards, what on none, and both. minor units,
    positive is owed. cards: how many have something on them.
    """

    entity: str
    account: str
    currency: str
    cards: int
    named: int
    unnamed: int
    liability: int


class Overdrawn(msgspec.Struct, frozen=True):
    """A card of which more was spent than ever was on it; amount: minor units beyond."""

    entity: str
    card: str
    amount: int
    currency: str


class Filled(msgspec.Struct, frozen=True):
    """A card with something on it: minor units, and the day on which something was last added."""

    entity: str
    account: str
    card: str
    currency: str
    amount: int
    day: date


def filled(connection: Connection) -> list[Filled]:
    """Cards with something on them."""
    return [Filled(*row) for row in connection.execute(QUERIES.filled)]


def movements(connection: Connection, ids: Sequence[str]) -> list[CardLine]:
    """Everything that is booked on a card, oldest first. ids: all it may be known by."""
    rows = connection.execute(QUERIES.movements, {"items": [f"{ITEM}{one}" for one in ids]})
    return [CardLine(*row) for row in rows]


def tie_out(connection: Connection) -> list[TieOut]:
    """Sum of cards against the liability, by entity and account."""
    return [TieOut(*row) for row in connection.execute(QUERIES.tie_out)]


def overdrawn(connection: Connection) -> list[Overdrawn]:
    """Cards with less than nothing on them."""
    return [Overdrawn(*row) for row in connection.execute(QUERIES.overdrawn)]
