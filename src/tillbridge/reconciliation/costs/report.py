"""The list of costs and what stands by it, for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.reconciliation.costs", "report.sql", "listed", "stands")


class Cost(msgspec.Struct, frozen=True):
    """A row of the list: thousandths of a minor unit from a day on, and who told it."""

    entity: str
    product: str
    since: date
    unit_cost: int
    currency: str
    source: str


class Stands(msgspec.Struct, frozen=True):
    """Goods at a place: thousandths, what they are worth in minor units, and how many movements
    wait for a cost.
    """

    entity: str
    product: str
    location: str
    quantity: int
    worth: int
    waiting: int


def listed(connection: Connection, entities: Sequence[str], product: str, most: int) -> list[Cost]:
    """The list; entities () for all, product "" for all."""
    values = (list(entities), list(entities), product, product, most)
    return [Cost(*row) for row in connection.execute(QUERIES.listed, values)]


def stands(
    connection: Connection, entities: Sequence[str], product: str, most: int
) -> list[Stands]:
    """What stands where and is worth how much, damaged goods aside."""
    values = {"entities": list(entities), "product": product, "most": most}
    return [Stands(*row) for row in connection.execute(QUERIES.stands, values)]
