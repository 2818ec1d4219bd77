"""The engine: rule book and fact in, one balanced entry per entity out. Pure.

Debits are positive, credits negative; a negative amount so flips its side, and zero writes nothing.
"""

from __future__ import annotations

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.fact import Fact
from tillbridge.posting.money.book import RuleBook
from tillbridge.posting.money.carried import FX_DIFFERENCE, OpenItems
from tillbridge.posting.money.compiled import Books
from tillbridge.posting.money.entry import Entry, EntryLine
from tillbridge.posting.money.policy import Policy


def post(
    book: RuleBook, fact: Fact, policy: Policy, items: OpenItems | None = None
) -> tuple[Entry, ...]:
    """Entries of a fact, one per entity with anything to book; often one, none for all zeros.

    items: open items in the fact's currency, where that is not the functional one.

    Raises NeedsDecision: posting_rule_missing, rate_missing, entity_missing, entity_unknown,
    value_unproven.
    """
    winners = book.winners(fact)
    books: Books = {}
    for winner in winners:
        winner.gather(fact, books)
    if len(winners) == 1:
        rule, version, hashed = winners[0].name, winners[0].version, winners[0].hash
    else:
        rule = " + ".join(winner.name for winner in winners)
        version = max(winner.version for winner in winners)
        hashed = b"".join(winner.hash for winner in winners)
    currency: str = fact.currency  # type: ignore[attr-defined]
    entries = []
    for entity, amounts in books.items():
        left = [(place, amount) for place, amount in amounts.items() if amount]
        if left:
            functional = policy.functional_of(entity)
            lines = _lines(left, currency, functional, fact, policy)
            if items is not None and currency != functional:
                lines = _carried(entity, functional, lines, items)
            entries.append(Entry(entity, functional, lines, rule, version, hashed))
    return tuple(entries)


def _carried(
    entity: str, functional: str, lines: tuple[EntryLine, ...], items: OpenItems
) -> tuple[EntryLine, ...]:
    """The lines with open items at what they are carried at, and the realised difference."""
    left = [((line.account, line.item), line.txn_amount) for line in lines]
    amounts, rest = items.cleared(
        entity, lines[0].txn_currency, left, [line.amount for line in lines]
    )
    found = [
        EntryLine(line.account, amount, line.txn_amount, line.txn_currency, line.item)
        for line, amount in zip(lines, amounts, strict=True)
    ]
    if rest:
        found.append(EntryLine(FX_DIFFERENCE, rest, rest, functional))
    return tuple(found)


def _lines(
    left: list[tuple[tuple[str, str], int]],
    currency: str,
    functional: str,
    fact: Fact,
    policy: Policy,
) -> tuple[EntryLine, ...]:
    total = 0
    for _, amount in left:
        total += amount
    if total:  # the proof excludes it; if it happens all the same, nothing is written
        raise NeedsDecision("entry_unbalanced", f"{fact.id} is off by {total} minor units")
    if currency == functional:
        return tuple(
            EntryLine(account, amount, amount, currency, item) for (account, item), amount in left
        )
    amounts = policy.converted([a for _, a in left], currency, functional, fact.business_date)
    return tuple(
        EntryLine(account, amount, txn, currency, item)
        for ((account, item), txn), amount in zip(left, amounts, strict=True)
    )
