"""Cards of which more was spent than is known to have been on them, as cases of finance.

Tills are offline and ledgers late, so it is not refused when it is booked: a redemption before its
issue is told is nothing wrong. What still stands then is a case, which closes by itself.
"""

from __future__ import annotations

from datetime import datetime

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.atoms.money import to_text
from tillbridge.canonical.cards import masked
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money.cards import overdrawn
from tillbridge.reconciliation.findings import Settled, settle


def tell_overdrawn(connection: Connection, now: datetime) -> Settled:
    """Open and close the cases of overdrawn cards. The caller commits."""
    found = {
        key_of("card", one.card): NeedsDecision(
            "card_overdrawn",
            f"card {masked(one.card)}: {to_text(one.amount, one.currency)} {one.currency} more was "
            "spent than is known to have been on it",
            owner="finance",
            amount=one.amount,
            currency=one.currency,
        )
        for one in overdrawn(connection)
    }
    return settle(connection, "card_overdrawn", found, now)


def look_at_cards(connection: Connection, now: datetime) -> str:
    """What the schedule runs, and says of it."""
    told = tell_overdrawn(connection, now)
    return f"{told.opened} cards overdrawn, {told.closed} not any more"
