"""Status: what the hub has taken in, what is pending and since when, what waits for whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from tillbridge.canonical import markers
from tillbridge.durable import accounts, jobs, log
from tillbridge.durable.pauses import Pause, pauses
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.sweeps.report import StreamState, streams
from tillbridge.watch.publication import ChannelLag, channels
from tillbridge.watch.verification import Verification, last

CONSUMER = "flow"


class Destination(msgspec.Struct, frozen=True):
    """One outgoing connection: keys and documents waiting, its account and the breaker of it.

    for_window: how many of the documents wait until its posting window opens, opens: when it does.
    """

    name: str
    keys: int
    documents: int
    next_due: datetime | None
    open_until: datetime | None
    failures: int
    account: str
    for_window: int = 0
    opens: datetime | None = None


class Account(msgspec.Struct, frozen=True):
    """A remote account: calls under way of those it takes at once, tokens left at the last call
    (below zero: so many requests wait for theirs).
    """

    name: str
    conc: int
    under_way: int
    tokens: float


class Waiting(msgspec.Struct, frozen=True):
    """What is due and not under way at an account, of one class, and for how long, seconds."""

    account: str
    class_: str = msgspec.field(name="class")
    count: int = 0
    seconds: float = 0.0


class Status(msgspec.Struct, frozen=True):
    """The state of the hub in counts, all read from tables."""

    at: datetime
    messages: int
    duplicates: int
    records: int
    pending_records: int
    oldest_pending: datetime | None
    facts: dict[str, int]
    orders: dict[str, int]
    documents: dict[str, dict[str, int]]
    entries: int
    open_cases: dict[str, int]
    parked_keys: int
    destinations: list[Destination]
    accounts: list[Account]
    waiting: list[Waiting]
    pauses: list[Pause]
    held_back_since: datetime | None
    orders_pending_acknowledgement: int
    till_numbers_missing: int
    streams: list[StreamState]
    schedules: dict[str, str]
    verification: Verification | None
    publication: list[ChannelLag] = []


def status(connection: Connection, now: datetime | None = None) -> Status:
    """Read everything in the caller's transaction. now: the database's own time by default."""
    now = now or _now(connection)
    pending, oldest = log.backlog(connection, CONSUMER)
    documents: dict[str, dict[str, int]] = {}
    for kind, state, count in connection.execute(
        "select kind, state, count(*) from document group by kind, state order by kind, state"
    ).fetchall():
        documents.setdefault(kind, {})[state] = int(count)
    destinations = connection.execute(jobs.QUERIES.waiting, {"now": now}).fetchall()
    return Status(
        at=now,
        messages=_count(connection, "select count(*) from delivery"),
        duplicates=_count(connection, "select coalesce(sum(copies - 1), 0) from delivery"),
        records=_count(connection, "select count(*) from record"),
        pending_records=pending,
        oldest_pending=oldest,
        facts=_facts(connection),
        orders=_counts(
            connection, "select status, count(*) from order_state group by status order by status"
        ),
        documents=documents,
        entries=_count(connection, "select count(*) from entry"),
        open_cases=_counts(
            connection,
            "select reason, count(*) from exception_case where state = 'open'"
            " group by reason order by count(*) desc",
        ),
        parked_keys=_count(connection, "select count(*) from parked_key"),
        destinations=[Destination(*row) for row in destinations],
        accounts=[Account(*row) for row in connection.execute(accounts.QUERIES.under_way)],
        waiting=_waiting(connection, now),
        pauses=pauses(connection),
        held_back_since=_held_back(connection),
        orders_pending_acknowledgement=_count(
            connection,
            "select count(*) from document where kind = 'sales_order'"
            " and state in ('owed', 'sent', 'unknown')",
        ),
        till_numbers_missing=_count(
            connection,
            "select coalesce(sum(missing), 0) from till_gap where filled_at is null",
        ),
        streams=streams(connection),
        schedules=_words(connection),
        verification=last(connection),
        publication=channels(connection, now),
    )


def _now(connection: Connection) -> datetime:
    row = connection.execute("select statement_timestamp()").fetchone()
    if row is None:
        raise LookupError("the database tells no time")
    found: datetime = row[0]
    return found


def _waiting(connection: Connection, now: datetime) -> list[Waiting]:
    rows = connection.execute(accounts.QUERIES.waiting, {"now": now}).fetchall()
    return [
        Waiting(account, accounts.CLASSES[number], count, (now - since).total_seconds())
        for account, number, count, since in rows
    ]


def _held_back(connection: Connection) -> datetime | None:
    row = connection.execute("select held_back_since from hub").fetchone()
    return row[0] if row else None


def _count(connection: Connection, query: Any) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _counts(connection: Connection, query: Any) -> dict[str, int]:
    return {name: int(count) for name, count in connection.execute(query).fetchall()}


def _facts(connection: Connection) -> dict[str, int]:
    """Records by type, without what the log notes for its own replay."""
    rows = connection.execute("select type, count(*) from record group by type order by type")
    return {name: int(count) for name, count in rows.fetchall() if name not in markers.NAMES}


def _words(connection: Connection) -> dict[str, str]:
    rows = connection.execute(
        "select name, coalesce(last_words, 'not yet') from schedule order by name"
    ).fetchall()
    return {name: str(words) for name, words in rows}
