"""Which rules of replenishment are in force: those kept in the database, whatever the file says.

An edited file buys and sends nothing until it is activated, with a second person where the hub asks
for one. What runs by the rules tells its results to the log, so the rules themselves need not.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.durable import audit
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.replenishment.rules import meaning

QUERIES = load("tillbridge.reconciliation.replenishment", "activation.sql")


class Activated(msgspec.Struct, frozen=True):
    """Rules in force: SHA-256 of their meaning, their text, since when and by whom."""

    hash: bytes
    text: str
    at: datetime
    by: str


def in_force(connection: Connection) -> Activated | None:
    """The rules in force; None in a database that met none yet."""
    row = connection.execute(QUERIES.in_force, binary=True).fetchone()
    return None if row is None else Activated(bytes(row[0]), row[1], row[2], row[3])


def activate(connection: Connection, text: str, by: str, reason: str) -> bool:
    """Put rules in force; the caller commits. False: they are already.

    Raises Refused for a text that is none. The database refuses changed rules without the approval
    of a second person.
    """
    wanted = meaning(text)
    connection.execute(QUERIES.lock)
    before = in_force(connection)
    if before is not None and before.hash == wanted:
        return False
    connection.execute(QUERIES.activate, (wanted, text, by))
    audit.record(
        connection,
        by,
        "stock.replenishment",
        wanted.hex()[:16],
        before=before.hash.hex() if before else None,
        after=wanted.hex(),
        reason=reason,
    )
    return True
