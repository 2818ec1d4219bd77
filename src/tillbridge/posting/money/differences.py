"""What a changed rule book would have booked otherwise: worked out from the facts of the log.

Nothing is written and nothing kept but sums: facts are read in pieces, one answer of the database
holds the fact and what stands in the book of it. A fact that was never booked (a second telling, a
parked one) counts only where the new rules would book what the present ones could not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import decode
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money.book import RuleBook
from tillbridge.posting.money.engine import post
from tillbridge.posting.money.entries import hash_of
from tillbridge.posting.money.policy import Policy

QUERIES = load("tillbridge.posting.money", "differences.sql", "told")
_ROWS_AT_ONCE = 1_000
# (entity, account, open item, functional currency) -> minor units
Lines = dict[tuple[str, str, str, str], int]


class LineDifference(msgspec.Struct, frozen=True):
    """One account of one entity (and open item): functional minor units, debit positive."""

    entity: str
    account: str
    item: str
    currency: str
    booked: int
    would_be: int


class FactDifference(msgspec.Struct, frozen=True):
    """A fact the other rules book otherwise. decision: why they would not book it at all, "" when
    they do. taken_back: the sale was voided since, so the sums do not change.
    """

    fact: str
    type: str
    key: str
    business_date: date
    lines: tuple[LineDifference, ...]
    decision: str = ""
    taken_back: bool = False


class Tally(msgspec.Struct):
    """What was looked at so far. sums: per entity, account and currency, booked and would be, of
    what differs. undecided: told again with other content, so nobody can say which of them counts.
    """

    facts: int = 0
    differing: int = 0
    undecided: int = 0
    sums: dict[tuple[str, str, str], tuple[int, int]] = {}


def changed_facts(now: RuleBook, then: RuleBook) -> list[str]:
    """Types of facts for which two books do not hold the same rules, sorted."""
    ours = {(rule.fact, rule.hash) for rule in now.rules}
    theirs = {(rule.fact, rule.hash) for rule in then.rules}
    return sorted({fact for fact, _ in ours ^ theirs})


def differences(
    connection: Connection,
    in_force: RuleBook,
    changed: RuleBook,
    policy: Policy,
    since: date,
    tally: Tally,
) -> Iterator[FactDifference]:
    """Facts of business days from `since` on that the changed book books otherwise, as told.

    Reads by a server-side cursor; do not commit meanwhile. tally is filled on the way.
    """
    types = changed_facts(in_force, changed)
    if not types:
        return
    values = {"types": types, "since": since.isoformat()}
    with connection.transaction(), connection.cursor(name="rules_diff") as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        cursor.execute(QUERIES.told, values)
        for name, version, body, hashed, taken_back, lines in cursor:
            tally.facts += 1
            fact = decode(name, version, body)
            if not isinstance(fact, Fact):
                continue
            if hashed is not None and hash_of(fact).hex() != hashed:
                tally.undecided += 1
                continue
            booked = _summed(msgspec.json.decode(lines, type=list[tuple[str, str, str, int, str]]))
            found = _compared(fact, None if hashed is None else booked, in_force, changed, policy)
            if found is not None:
                found = msgspec.structs.replace(found, taken_back=bool(taken_back))
                _count(tally, found)
                yield found


def _compared(
    fact: Fact, booked: Lines | None, in_force: RuleBook, changed: RuleBook, policy: Policy
) -> FactDifference | None:
    if booked is None:
        booked, why = _outcome(in_force, fact, policy)
        if booked:  # it never reached the book, and not for want of a rule
            return None
    would_be, why = _outcome(changed, fact, policy)
    if why and not booked:
        return None
    lines = tuple(
        LineDifference(*place, booked.get(place, 0), would_be.get(place, 0))
        for place in sorted(booked.keys() | would_be.keys())
        if booked.get(place, 0) != would_be.get(place, 0)
    )
    if not lines:
        return None
    return FactDifference(
        fact.id, type(fact).__name__, fact.key, fact.business_date, lines, decision=why
    )


def _outcome(book: RuleBook, fact: Fact, policy: Policy) -> tuple[Lines, str]:
    """What a book makes of a fact: its lines, or why it asks for a decision."""
    try:
        entries = post(book, fact, policy)
    except NeedsDecision as problem:
        return {}, f"{problem.reason}: {problem.words}"
    return _summed(
        [
            (entry.entity, line.account, line.item, line.amount, entry.currency)
            for entry in entries
            for line in entry.lines
        ]
    ), ""


def _summed(rows: list[tuple[str, str, str, int, str]]) -> Lines:
    found: Lines = {}
    for entity, account, item, amount, currency in rows:
        place = (entity, account, item, currency)
        found[place] = found.get(place, 0) + amount
    return found


def _count(tally: Tally, found: FactDifference) -> None:
    tally.differing += 1
    if found.taken_back:
        return
    for line in found.lines:
        place = (line.entity, line.account, line.currency)
        booked, would_be = tally.sums.get(place, (0, 0))
        tally.sums[place] = (booked + line.booked, would_be + line.would_be)
