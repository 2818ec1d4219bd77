"""Pauses: a person keeps the hub from starting anything with a connection, or one kind of document.

A paused connection is not called and its files are not taken: no documents, re-reads, availability,
polls, sweeps or drop folder. What others bring by themselves, its webhooks, is taken in and carried
as ever. Re-reads and availability count as kinds of documents. A key whose next document is of a
paused kind waits with everything behind it, so that order per key holds. A call under way ends.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.durable import audit
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load(
    "tillbridge.durable",
    "pauses.sql",
    "pause",
    "resume",
    "lock_account",
    "bring_back",
    "notify",
    "paused",
    "pauses",
)
KINDS = (
    "sales_order",
    "sales_order_change",
    "sales_order_cancel",
    "delivery",
    "customer_return",
    "stock_move",
    "invoice",
    "credit_note",
    "journal",
    "reread",
    "availability",
)


class Pause(msgspec.Struct, frozen=True):
    """One pause. kind: "" = all of the connection. documents: how many wait behind it now."""

    connection: str
    kind: str
    since: datetime
    by: str
    reason: str
    documents: int

    @property
    def what(self) -> str:
        """As a person names it: `erp` or `erp/invoice`."""
        return _what(self.connection, self.kind)


def pause(
    connection: Connection, name: str, kind: str, by: str, reason: str, now: datetime
) -> bool:
    """Pause from the next claim on; False when it was paused already (which then stays as it is).

    In the caller's transaction.
    """
    row = (name, kind, now, by, reason)
    if connection.execute(QUERIES.pause, row).fetchone() is None:
        return False
    audit.record(connection, by, "flow.pause", _what(name, kind), reason=reason)
    return True


def resume(connection: Connection, name: str, kind: str, *, by: str, now: datetime) -> bool:
    """Go on; False when it was not paused. In the caller's transaction."""
    if connection.execute(QUERIES.resume, (name, kind)).fetchone() is None:
        return False
    if kind:
        connection.execute(QUERIES.lock_account, (name,))
        connection.execute(QUERIES.bring_back, (now, name, kind))
    connection.execute(QUERIES.notify)
    audit.record(connection, by, "flow.resume", _what(name, kind))
    return True


def _what(name: str, kind: str) -> str:
    return f"{name}/{kind}" if kind else name


def paused(connection: Connection) -> set[str]:
    """Names of the paused connections."""
    return {name for (name,) in connection.execute(QUERIES.paused).fetchall()}


def pauses(connection: Connection) -> list[Pause]:
    """All pauses, by name."""
    return [Pause(*row) for row in connection.execute(QUERIES.pauses).fetchall()]
