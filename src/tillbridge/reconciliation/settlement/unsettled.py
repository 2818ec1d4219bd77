"""Settlements that never came: money a provider took longer ago than it takes to tell what became
of it, and no line of any file is about it. One case per account and month, of finance, which closes
by itself when the files come; so a missing file is on the close list although nobody told of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.atoms.money import to_text
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import Settled, settle
from tillbridge.reconciliation.settlement.rules import Account

QUERIES = load("tillbridge.reconciliation.settlement", "unsettled.sql", "unsettled", "newest")


def tell_unsettled(connection: Connection, accounts: Sequence[Account], now: datetime) -> Settled:
    """Open and close the cases of settlements that never came. The caller commits."""
    found = {key: case for one in accounts for key, case in _of(connection, one, now)}
    return settle(connection, "settlement_missing", found, now)


def look_at_unsettled(accounts: Sequence[Account], connection: Connection, now: datetime) -> str:
    """What the schedule runs, and says of it."""
    told = tell_unsettled(connection, accounts, now)
    return f"{told.opened} settlements missing, {told.closed} not any more"


def _of(
    connection: Connection, account: Account, now: datetime
) -> Iterator[tuple[str, NeedsDecision]]:
    days = account.rules.settle_days
    if not days:
        return
    values = {
        "account": account.name,
        "entity": account.entity,
        "tenders": list(account.tenders),
        "before": now - timedelta(days=days),
    }
    rows = connection.execute(QUERIES.unsettled, values).fetchall()
    newest = connection.execute(QUERIES.newest, (account.name,)).fetchone() if rows else None
    last_told = newest[0] if newest else None
    told = f"the newest payout it told is of {last_told}" if last_told else "it told none"
    for month, currency, count, amount, first, last in rows:
        yield (
            key_of("settlement", account.name, currency, month),
            NeedsDecision(
                "settlement_missing",
                f"{count} payment(s) of {to_text(amount, currency)} {currency} that"
                f" {account.name} took from {first} to {last} are in no settlement; {told}",
                owner="finance",
                amount=amount,
                currency=currency,
                remedy=f"put the provider's file into drop/{account.name}/",
                details={
                    "connection": account.name,
                    "entity": account.entity,
                    "finding": f"{count} until {last}",
                },
            ),
        )
