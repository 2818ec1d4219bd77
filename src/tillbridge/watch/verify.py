"""Verify: every invariant by name, counted and shown, from raw tables in one snapshot.

Safety holds in every committed state; `quiesced` adds what must hold once nothing moves any more.
"""

from __future__ import annotations

from typing import Any

import msgspec
from psycopg import IsolationLevel

from tillbridge.atoms.ids import lane_of
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.watch", "invariants.sql")
SHOWN = 10
CONSUMER = "flow"
# true once nothing is on its way any more
QUIESCED_ONLY = frozenset({"journal_entries_reach_the_erp_once"})


class Invariant(msgspec.Struct, frozen=True):
    """One truth: its name is the sentence, `lies` how many rows contradict it, `rows` the first."""

    name: str
    lies: int
    rows: list[list[str]]


class Verdict(msgspec.Struct, frozen=True):
    """All invariants; `ok` when none is broken."""

    ok: bool
    checked: int
    broken: int
    invariants: list[Invariant]


def verify(connection: Connection, *, quiesced: bool = False) -> Verdict:
    """Check everything in one REPEATABLE READ snapshot of a connection not in a transaction."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    try:
        found = [
            _checked(connection, name, query)
            for name, query in QUERIES.items()
            if quiesced or name not in QUIESCED_ONLY
        ]
        found.append(_lanes(connection))
        if quiesced:
            found.append(_nothing_pending(connection))
        connection.rollback()
    finally:
        connection.isolation_level = None
        connection.read_only = None
    broken = sum(1 for invariant in found if invariant.lies)
    return Verdict(ok=broken == 0, checked=len(found), broken=broken, invariants=found)


def _checked(connection: Connection, name: str, query: Any) -> Invariant:
    rows = connection.execute(query).fetchall()
    return Invariant(name.replace("_", " "), len(rows), _shown(rows))


def _lanes(connection: Connection) -> Invariant:
    """A key's records are all in the lane our one function gives (newest 20,000 looked at)."""
    rows = connection.execute(
        "select distinct key, lane from record"
        " where id > (select coalesce(max(id), 0) - 20000 from record)"
    ).fetchall()
    wrong = [row for row in rows if lane_of(row[0]) != row[1]]
    return Invariant("every record is in its lane", len(wrong), _shown(wrong))


def _nothing_pending(connection: Connection) -> Invariant:
    count, oldest = log.backlog(connection, CONSUMER)
    rows = [[str(count), str(oldest)]] if count else []
    return Invariant("nothing is pending", count, rows)


def _shown(rows: list[tuple[Any, ...]]) -> list[list[str]]:
    return [[str(value) for value in row] for row in rows[:SHOWN]]
