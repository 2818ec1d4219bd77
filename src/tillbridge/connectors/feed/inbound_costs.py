"""A list of what products cost, a cost per row. Pure."""

from __future__ import annotations

import hashlib
from zoneinfo import ZoneInfo

from tillbridge.atoms.money import MoneyError
from tillbridge.canonical.costs import ItemCosted, cost_key, unit_cost_of
from tillbridge.connectors.feed.delivery import Delivery
from tillbridge.connectors.feed.fields import unreadable
from tillbridge.contract.promises import Translation


def cost(delivery: Delivery) -> Translation:
    """ItemCosted, in the books of the connection's entity. A list without a time of its own is of
    the moment it came, and the same content is told once.
    """
    row = delivery.head("row")
    currency = delivery.currency_of(row)
    product = delivery.name("product", row, "product")
    since, told = row.day("since"), row.decimal("cost")
    if told is None:
        raise unreadable(row.where("cost"), "cost is empty")
    try:
        unit_cost = unit_cost_of(told, currency)
    except MoneyError as problem:
        raise unreadable(row.where("cost"), str(problem)) from None
    said = row.instant("at", delivery.connection.timezone)
    mark = said.isoformat() if said else hashlib.sha256(delivery.message.body).hexdigest()[:16]
    at = said or delivery.message.received_at
    key = cost_key(delivery.entities().selling, product)
    ident = f"{key}/{delivery.connection.name}/{since.isoformat()}@{mark}"
    day = at.astimezone(ZoneInfo(delivery.connection.timezone)).date()
    fact = ItemCosted(
        **delivery.carried(key, ident, at, day),
        product=product,
        unit_cost=unit_cost,
        currency=currency,
        since=since,
    )
    return Translation(facts=(fact,))
