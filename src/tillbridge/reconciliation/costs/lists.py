"""The list of costs as the log told it, read by a consumer of its own: the flow pays nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from tillbridge.canonical.costs import ItemCosted
from tillbridge.canonical.registry import decode
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.costs.worth import CostList, Listed

QUERIES = load("tillbridge.reconciliation.costs", "costs.sql")
BATCH = 50_000
"""Numbers of the log read at a time."""
Named = tuple[str, str]
"""Entity and product."""


def read_costs(connection: Connection) -> int:
    """Take in what was told since the last time; gives how many costs changed. What was valued by
    the old ones is due again. The caller commits.
    """
    row = connection.execute(QUERIES.read_from).fetchone()
    position = int(row[0]) if row else 0
    newest = int((connection.execute(QUERIES.newest).fetchone() or (0,))[0])
    changed = 0
    while position < newest:
        upto = min(position + BATCH, newest)
        rows = connection.execute(QUERIES.told, (position, upto), binary=True).fetchall()
        told = [cast("ItemCosted", decode("ItemCosted", *row)) for row in rows]
        if told:
            changed += _list(connection, told)
        position = upto
    connection.execute(QUERIES.read_through, (position,))
    return changed


def _list(connection: Connection, told: Iterable[ItemCosted]) -> int:
    rows = [
        (
            fact.entities.selling,
            fact.product,
            fact.since,
            fact.unit_cost,
            fact.currency,
            fact.occurred_at,
            fact.source,
            fact.id,
        )
        for fact in told
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    changed = connection.execute(QUERIES.list_cost, columns).fetchall()
    if changed:
        columns = [list(column) for column in zip(*changed, strict=True)]
        connection.execute(QUERIES.touch, columns)
    return len(changed)


def cost_lists(
    connection: Connection, wanted: Iterable[Named], currencies: Mapping[str, str]
) -> dict[Named, CostList]:
    """The costs of products in the currencies of their entities; an empty list where there is
    none.
    """
    names = sorted(set(wanted))
    rows: dict[Named, list[Listed]] = {name: [] for name in names}
    columns = (
        [entity for entity, _ in names],
        [product for _, product in names],
        [currencies.get(entity, "") for entity, _ in names],
    )
    for entity, product, since, cost in connection.execute(QUERIES.costs, columns):
        rows[entity, product].append(Listed(since, cost))
    return {name: CostList(found) for name, found in rows.items()}
