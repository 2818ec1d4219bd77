"""What a hub must be told after its database was put back to an earlier point.

The world outside did not go back with it: documents may have been accepted that the hub believes
unsent, and ids will be issued a second time. So exports carry a new incarnation, and whatever may
have been sent is looked up before it is sent again. The channels are swept from the restore point
afterwards (`tillbridge` tells so); that is not done here.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import Connection

from tillbridge.durable.queries import load

SQL = load(
    "tillbridge.durable",
    "restore.sql",
    "tables",
    "raise_incarnation",
    "doubt_keys",
    "doubt_documents",
)


@dataclass(frozen=True)
class Aftermath:
    """What was set."""

    incarnation: int
    """The hub's new incarnation; 0 when the database is not a hub's."""
    keys: int
    """Outbound keys that will be looked up first."""
    documents: int
    """Documents whose answer was outstanding."""


def after_restore(connection: Connection, *, above: int = 0) -> Aftermath:
    """Mark the database as restored, in the caller's transaction; tables not made yet are passed.

    `above` is the highest incarnation known outside the database: the same backup may be restored
    twice, and the second life must not look like the first.
    """
    there = connection.execute(SQL.tables).fetchone() or (False, False, False)
    incarnation = keys = documents = 0
    if there[0]:
        row = connection.execute(SQL.raise_incarnation, {"above": above}).fetchone()
        incarnation = int(row[0]) if row else 0
    if there[1]:
        keys = connection.execute(SQL.doubt_keys).rowcount
    if there[2]:
        documents = connection.execute(SQL.doubt_documents).rowcount
    return Aftermath(incarnation, keys, documents)
