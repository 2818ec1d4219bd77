"""Payouts that keep a month open: due in it and not explained, with their cases."""

from __future__ import annotations

from collections.abc import Iterator

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.blocking import Blocker, Scope

QUERIES = load("tillbridge.reconciliation.settlement", "blocking.sql", "unexplained")
MOST = 200


def payouts(connection: Connection, scope: Scope) -> Iterator[Blocker]:
    """Payouts up to the end of the month that do not tie, were not worked out, or have an open
    case. What was sent and is not at the bank yet keeps no month open before its case.
    """
    values = {"entity": scope.entity, "last": scope.last.isoformat(), "most": MOST}
    for row in connection.execute(QUERIES.unexplained, values).fetchall():
        key, payout, account, day, amount, currency, lines, case, words, remedy = row
        why = "it is not worked out yet" if lines else "its lines did not come yet"
        yield Blocker(
            kind="payout",
            owner="finance",
            key=key,
            words=words or f"payout {payout} of {account} for {day}: {why}",
            remedy=remedy or f"tillbridge reconcile show {key}",
            day=day,
            amount=amount,
            currency=currency,
            case=case,
        )
