"""Tills tied out: what the books say was in a till against what was counted, store by store.

Cash over and short is booked (`TillCounted`), so cash agrees once every count is worked out; slips
of cards are counted and never booked, for the provider says what they come to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.tie_outs import Part, TieOut
from tillbridge.reconciliation.tills.closing import CASH
from tillbridge.reconciliation.tills.rules import Expected

QUERIES = load("tillbridge.reconciliation.tills", "tie.sql", "counted")
ON_CARDS = frozenset({"gift_card", "store_credit"})
"""Kinds of tender that no drawer holds."""


def till_tie_outs(
    connection: Connection,
    entities: Sequence[str],
    expected: Expected,
    kind_of: Callable[[str], str],
) -> list[TieOut]:
    """Per store, tender and month that is not locked, minor units; () = of all entities.

    books: with the float that stays in the drawers. parts: till days that differ. open: cash over
    (positive) and short, which both sides have in them. Gift cards and store credit are no money of
    a till: their liability is tied to the cards.
    """
    rows = connection.execute(QUERIES.counted, {"entities": list(entities)}).fetchall()
    return [
        _tie(group, list(days), expected, kind_of)
        for group, days in groupby(rows, lambda r: r[:5])
        if kind_of(group[3]) not in ON_CARDS
    ]


def _tie(
    group: Sequence[str],
    days: Sequence[Sequence[Any]],
    expected: Expected,
    kind_of: Callable[[str], str],
) -> TieOut:
    entity, location, month, tender, currency = group
    cash = kind_of(tender) == CASH
    books = counted = 0
    parts, over_short = [], []
    for _, _, _, _, _, source, till, day, theirs, ours, over in days:
        held = ours + (expected.of(source).cash_float if cash else 0)
        books, counted = books + held, counted + theirs
        if held != theirs:
            parts.append(Part(f"till {till} of {day}", held - theirs))
        if over:
            over_short.append(Part(f"over or short, till {till} of {day}", over))
    return TieOut(
        name=f"till/{location}/{tender} {month}",
        entity=entity,
        currency=currency,
        books=books,
        theirs=counted,
        parts=tuple(sorted(parts, key=lambda part: -abs(part.amount))),
        open=tuple(over_short),
    )
