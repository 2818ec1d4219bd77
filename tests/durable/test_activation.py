"""Rules of a kind are in force one after the other; the same ones are not activated twice."""

from __future__ import annotations

import hashlib

from tillbridge.durable.activation import Activation
from tillbridge.durable.queries import load
from tillbridge.durable.session import connect

QUERIES = load(
    "tillbridge.reconciliation.replenishment", "activation.sql", "in_force", "lock", "activate"
)


def meaning(text: str) -> bytes:
    return hashlib.sha256(text.strip().encode()).digest()


def test_what_means_the_same_is_no_change_and_the_audit_has_before_and_after(
    database_url: str,
) -> None:
    kept = Activation(QUERIES, "stock.replenishment", meaning)
    with connect(database_url) as connection:
        assert kept.in_force(connection) is None
        assert kept.activate(connection, "a", "ann", "first") == meaning("a")
        assert kept.activate(connection, " a ", "ann", "again") is None
        found = kept.in_force(connection)
        assert found is not None
        assert (found.text, found.by, found.hash) == ("a", "ann", meaning("a"))
        rows = connection.execute(
            "select actor, action, before, reason from audit where action = 'stock.replenishment'"
        ).fetchall()
        assert rows == [("ann", "stock.replenishment", "", "first")]
