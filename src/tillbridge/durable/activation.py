"""Which rules of a kind are in force: those kept in the database, whatever their file says.

An edited file decides nothing until it is activated, with a second person where the hub asks for
one: the database refuses changed rules without an approval.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from tillbridge.durable import audit
from tillbridge.durable.queries import Queries
from tillbridge.durable.rooms import Connection


class Activated(msgspec.Struct, frozen=True):
    """Rules in force: SHA-256 of their meaning, their text, since when and by whom."""

    hash: bytes
    text: str
    at: datetime
    by: str


class Activation:
    """Rules of one kind, kept one after the other.

    queries: `in_force`, `lock` and `activate` of their table. subject: what the audit calls the
    act. meaning: the hash of a text's meaning; raises what tells that it is none.
    """

    def __init__(self, queries: Queries, subject: str, meaning: Callable[[str], bytes]) -> None:
        self._queries = queries
        self._subject = subject
        self._meaning = meaning

    def in_force(self, connection: Connection) -> Activated | None:
        """The rules in force; None in a database that met none yet."""
        row = connection.execute(self._queries.in_force, binary=True).fetchone()
        return None if row is None else Activated(bytes(row[0]), row[1], row[2], row[3])

    def activate(self, connection: Connection, text: str, by: str, reason: str) -> bytes | None:
        """Put rules in force; the caller commits. Gives their hash, None when they are already."""
        wanted = self._meaning(text)
        connection.execute(self._queries.lock)
        before = self.in_force(connection)
        if before is not None and before.hash == wanted:
            return None
        connection.execute(self._queries.activate, (wanted, text, by))
        audit.record(
            connection,
            by,
            self._subject,
            wanted.hex()[:16],
            before=before.hash.hex() if before else None,
            after=wanted.hex(),
            reason=reason,
        )
        return wanted
