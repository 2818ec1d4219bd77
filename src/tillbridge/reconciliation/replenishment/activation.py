"""Which rules of replenishment are in force. What runs by them tells its results to the log, so the
rules themselves need not.
"""

from __future__ import annotations

from tillbridge.durable.activation import Activated, Activation
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.replenishment.rules import meaning

QUERIES = load(
    "tillbridge.reconciliation.replenishment", "activation.sql", "in_force", "lock", "activate"
)
_KEPT = Activation(QUERIES, "stock.replenishment", meaning)


def in_force(connection: Connection) -> Activated | None:
    """The rules in force; None in a database that met none yet."""
    return _KEPT.in_force(connection)


def activate(connection: Connection, text: str, by: str, reason: str) -> bool:
    """Put rules in force; the caller commits. False: they are already.

    Raises Refused for a text that is none.
    """
    return _KEPT.activate(connection, text, by, reason) is not None
