"""Reading the money book: trial balance, journal, open items, and what is not as it should be."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money.entry import EntryLine

QUERIES = load(
    "tillbridge.posting.money",
    "report.sql",
    "trial_balance",
    "journal",
    "open_items",
    "waiting_voids",
    "broken_entries",
)
_ROWS_AT_ONCE = 5_000


class Balance(msgspec.Struct, frozen=True):
    """Sums of one account of one entity, functional minor units; both sums are positive."""

    entity: str
    account: str
    currency: str
    debits: int
    credits: int

    @property
    def amount(self) -> int:
        """Debits less credits."""
        return self.debits - self.credits


class JournalEntry(msgspec.Struct, frozen=True):
    """One entry as a reader sees it. reverses: id of the entry it takes back, if any."""

    id: uuid.UUID
    fact: str
    fact_type: str
    key: str
    entity: str
    rule: str
    rule_version: str
    business_date: date
    posted_date: date
    currency: str
    flow: str
    channel: str
    location: str
    reverses: uuid.UUID | None
    lines: tuple[EntryLine, ...]


class OpenItem(msgspec.Struct, frozen=True):
    """What is still open on an order, card, ...: functional minor units, debit positive."""

    entity: str
    account: str
    item: str
    currency: str
    amount: int


class WaitingVoid(msgspec.Struct, frozen=True):
    """A void whose sale was never booked. voided: key of the sale; fact: id of the void."""

    voided: str
    fact: str
    at: datetime


class BrokenEntry(msgspec.Struct, frozen=True):
    """An entry that does not balance or has lost lines; there must be none."""

    id: uuid.UUID
    fact: str
    amount: int
    lines: int
    lines_stated: int


def trial_balance(
    connection: Connection, entity: str = "", *, through: date | None = None
) -> list[Balance]:
    """Sums per entity and account up to a posted date (inclusive); all entities by default."""
    rows = connection.execute(QUERIES.trial_balance, {"entity": entity, "through": through})
    return [Balance(*row) for row in rows]


def journal(
    connection: Connection,
    entity: str = "",
    *,
    since: date | None = None,
    through: date | None = None,
    key: str = "",
) -> Iterator[JournalEntry]:
    """Entries in order of entity and posted date, read in pieces; key: only one aggregate's.

    Holds a server-side cursor in a transaction of its own, or in the one under way; do not commit
    while reading.
    """
    values = {"entity": entity, "since": since, "through": through, "key": key}
    with connection.transaction(), connection.cursor(name="money_journal") as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        cursor.execute(QUERIES.journal, values)
        yield from _entries(cursor)


def open_items(
    connection: Connection, entity: str = "", *, account: str = "", item: str = ""
) -> list[OpenItem]:
    """Items that are not zero, per entity and account."""
    values = {"entity": entity, "account": account, "item": item}
    return [OpenItem(*row) for row in connection.execute(QUERIES.open_items, values)]


def waiting_voids(connection: Connection) -> list[WaitingVoid]:
    """Voids whose sale has not been booked, oldest first."""
    return [WaitingVoid(*row) for row in connection.execute(QUERIES.waiting_voids)]


def broken_entries(connection: Connection, limit: int = 100) -> list[BrokenEntry]:
    """Entries whose lines do not sum to zero or are not as many as written; for `verify`."""
    rows = connection.execute(QUERIES.broken_entries, {"limit": limit})
    return [BrokenEntry(*row) for row in rows]


def _entries(rows: Iterable[tuple[Any, ...]]) -> Iterator[JournalEntry]:
    for _, group in groupby(rows, key=itemgetter(0)):
        whole = list(group)
        lines = tuple(EntryLine(*row[14:]) for row in whole)
        yield JournalEntry(*[*whole[0][:14], lines])
