"""One look at settlements and at what buyers on account owe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.receivables.bank import match_payments
from tillbridge.reconciliation.receivables.standing import tell_overdue
from tillbridge.reconciliation.settlement.look import Looked, look_at_settlements
from tillbridge.reconciliation.settlement.rules import Account


def settle(connection: Connection, accounts: Sequence[Account], now: datetime) -> Looked:
    """Work out payouts, then what is left of the bank's lines. The caller commits at once, for the
    log was appended to.
    """
    looked = look_at_settlements(connection, accounts, now)
    looked.on_account = sum(match_payments(connection, account, now) for account in accounts)
    looked.cases += tell_overdue(connection, now)
    return looked
