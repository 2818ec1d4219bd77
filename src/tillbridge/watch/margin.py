"""What channels earn per entity, day and category, out of the books.

A category is what sales are booked by (`sales/shoes`: shoes). What an order earns or costs besides
(discounts, shipping, cost, fees) is shared out over its categories by what was sold of each, with
the largest remainder, so that no cent is lost; a cost that names one of its categories
(`cost-of-goods/shoes`) is that category's. Asked for by line, what falls on a category of an order
is shared out over its lines in the same way. Fees and commissions of a payout go to the orders its
lines are about. What belongs to no sale is shown as such, under NOT_ALLOCATED, never spread over
those that can be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby, islice
from typing import Any

import msgspec

from tillbridge.atoms.money import split
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money.chart import Chart

QUERIES = load("tillbridge.watch", "margin.sql", "lines", "sold")
NOT_ALLOCATED = "(not allocated)"
BY = ("entity", "day", "channel", "category", "order", "line")
MEASURES = ("sales", "discounts", "shipping", "cost", "fees", "other")
_ROWS_AT_ONCE = 5_000
_KEYS_AT_ONCE = 1_000
# first part of an account -> measure; other income and expense is `other`
_MEASURES = {
    "sales": "sales",
    "services": "sales",
    "returns-expected": "sales",
    "discounts": "discounts",
    "shipping-income": "shipping",
    "shipping-cost": "cost",
    "cost-of-goods": "cost",
    "damaged-goods": "cost",
    "shrinkage": "cost",
    "stock-write-offs": "cost",
    "cost-variance": "cost",
    "cost-of-returns": "cost",
    "intercompany-cost": "cost",
    "intercompany-sales": "cost",
    "fees": "fees",
    "commissions": "fees",
}

# entity, day, channel, category, order, line, currency
Place = tuple[str, str, str, str, str, str, str]
# key and category -> what was sold of each line
Sold = dict[tuple[str, str], dict[str, int]]


class Line(msgspec.Struct, frozen=True):
    """Income or expense of one order, sale or other key on a day; amount: debit positive. sold:
    what was credited, ever, where the account is one of sales.
    """

    entity: str
    key: str
    currency: str
    channel: str
    day: date
    account: str
    amount: int
    sold: int


class Margin(msgspec.Struct, frozen=True):
    """What was earned: minor units, gains positive, costs negative; what is not asked for is "".
    order: key of the order, sale or other thing; line: of the order.
    """

    entity: str
    day: str
    channel: str
    category: str
    order: str
    line: str
    currency: str
    sales: int
    discounts: int
    shipping: int
    cost: int
    fees: int
    other: int

    @property
    def total(self) -> int:
        """What is left."""
        return sum(int(getattr(self, measure)) for measure in MEASURES)


def margins(
    connection: Connection,
    chart: Chart,
    since: date,
    through: date,
    *,
    entity: str = "",
    by: Iterable[str] = ("entity", "channel", "category"),
) -> list[Margin]:
    """Sums of the days since..through, both included, in order; entity "" for all.

    Reads by a server-side cursor; memory grows with the rows of the answer alone.
    """
    profit = [row for row in chart.accounts if row.type in ("income", "expense")]
    values = {
        "entity": entity,
        "since": since,
        "through": through,
        "accounts": [row.account.replace("_", "\\_").replace("*", "%") for row in profit],
    }
    kept, sums = frozenset(by), dict[Place, dict[str, int]]()
    for groups in _chunks(_groups(connection, values)):
        keys = sorted({group[0].key for group in groups})
        sold = _sold(connection, keys) if "line" in kept else {}
        for group in groups:
            for line, category, amount in allocated(group, since, through):
                named = (
                    line.entity if "entity" in kept else "",
                    line.day.isoformat() if "day" in kept else "",
                    _channel(group, line) if "channel" in kept else "",
                    category if "category" in kept else "",
                    line.key if "order" in kept else "",
                )
                parts = (
                    by_line(line.key, category, amount, sold) if "line" in kept else {"": amount}
                )
                for name, part in parts.items():
                    place = (*named, name, line.currency)
                    measures = sums.setdefault(place, dict.fromkeys(MEASURES, 0))
                    measures[_measure(line.account)] -= part
    return [
        Margin(*place, *(measures[name] for name in MEASURES))
        for place, measures in sorted(sums.items())
    ]


def allocated(group: list[Line], since: date, through: date) -> Iterator[tuple[Line, str, int]]:
    """The lines of one key in the days asked for, each shared out over categories. Pure."""
    weights: dict[str, int] = {}
    for line in group:
        if _measure(line.account) == "sales":
            category = _category(line.account)
            weights[category] = weights.get(category, 0) + line.sold
    names = sorted(weights)
    for line in group:
        if not since <= line.day <= through or not line.amount:
            continue
        own = _category(line.account)
        if _measure(line.account) == "sales" or own in weights:
            yield line, own, line.amount
        elif not names:
            yield line, NOT_ALLOCATED, line.amount
        else:
            shares = split(line.amount, [weights[name] for name in names])
            for name, share in zip(names, shares, strict=True):
                if share:
                    yield line, name, share


def by_line(key: str, category: str, amount: int, sold: Sold) -> dict[str, int]:
    """An amount of a category of an order, shared out over its lines; one of another thing is on
    no line. Pure; the parts come to the amount.
    """
    weights = sold.get((key, category))
    if not weights:
        return {NOT_ALLOCATED: amount}
    names = sorted(weights)
    parts = split(amount, [weights[name] for name in names])
    return {name: part for name, part in zip(names, parts, strict=True) if part}


def _sold(connection: Connection, keys: list[str]) -> Sold:
    """What was sold of each line, as orders valued it; goods of no department are `unassigned`."""
    found: Sold = {}
    for key, category, line, amount in connection.execute(QUERIES.sold, (keys,)):
        found.setdefault((key, category), {})[line] = amount
    return found


def _chunks(groups: Iterator[list[Line]]) -> Iterator[list[list[Line]]]:
    while chunk := list(islice(groups, _KEYS_AT_ONCE)):
        yield chunk


def _groups(connection: Connection, values: dict[str, Any]) -> Iterator[list[Line]]:
    with connection.transaction(), connection.cursor(name="margin") as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        cursor.execute(QUERIES.lines, values)
        lines = (Line(*row) for row in cursor)
        for _, group in groupby(lines, key=lambda line: (line.entity, line.key)):
            yield list(group)


def _channel(group: list[Line], line: Line) -> str:
    """Of the line, else of what was sold under its key."""
    if line.channel:
        return line.channel
    return next((one.channel for one in group if one.channel), NOT_ALLOCATED)


def _measure(account: str) -> str:
    return _MEASURES.get(account.split("/", maxsplit=1)[0], "other")


def _category(account: str) -> str:
    return account.partition("/")[2] or account
