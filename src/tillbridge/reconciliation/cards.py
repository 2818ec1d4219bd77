"""Cards in the money book, looked at by the clock: those that expired, and those overdrawn.

Where no ledger tells that a card is over, the terms of sale may (`gift_card_days`,
`store_credit_days`); what was left on it is then told as a fact of its own.

Tills are offline and ledgers late, so a card is not refused when it is booked: a redemption before
its issue is told is nothing wrong. What still stands then is a case, which closes by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of, lane_of, stable_uuid
from tillbridge.atoms.money import to_text
from tillbridge.canonical.cards import CardExpired, GiftCardExpired, StoreCreditExpired, masked
from tillbridge.canonical.fact import Entities
from tillbridge.durable import log
from tillbridge.durable.rooms import Connection, Record
from tillbridge.orchestration.terms import TermsOfSale, Whom
from tillbridge.posting.money.cards import Filled, filled, overdrawn
from tillbridge.reconciliation.findings import Settled, settle

# liability account -> the term that ends it, and the fact that says so
_ENDS: dict[str, tuple[str, type[CardExpired]]] = {
    "gift-card-liability": ("gift_card_days", GiftCardExpired),
    "store-credit-liability": ("store_credit_days", StoreCreditExpired),
}


def tell_expired(connection: Connection, sale: TermsOfSale, now: datetime) -> int:
    """Tell every card whose days are over by the terms of the day it was last filled; gives how
    many. The caller commits.

    Told again before the flow took it in, it changes nothing.
    """
    if not any(term in policy.says for policy in sale.policies for term, _ in _ENDS.values()):
        return 0
    facts = [fact for one in filled(connection) if (fact := _expired(one, sale, now)) is not None]
    if facts:
        records = [Record(one.key, type(one).__name__, one, lane_of(one.key)) for one in facts]
        log.append(connection, records)
    return len(facts)


def _expired(one: Filled, sale: TermsOfSale, now: datetime) -> CardExpired | None:
    term, kind = _ENDS[one.account]
    said = dict(sale.said(Whom("", one.entity, "", "", one.day)))
    days, place = said.get(term, (0, ""))
    end = one.day + timedelta(days=days)
    if not days or end >= now.date():
        return None
    # no part of it tells the card's id
    known = stable_uuid(one.entity, one.account, one.card, one.day.isoformat())
    return kind(
        key=key_of("card", one.card),
        id=f"expired/{known}",
        source="hub",
        mapping="hub/1",
        occurred_at=now,
        business_date=end + timedelta(days=1),
        entities=Entities(selling=one.entity),
        card=one.card,
        amount=one.amount,
        currency=one.currency,
        reference=f"expired/{known}",
        policy=place,
    )


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


def look_at_cards(sale: TermsOfSale, connection: Connection, now: datetime) -> str:
    """What the schedule runs, and says of it."""
    expired = tell_expired(connection, sale, now)
    told = tell_overdrawn(connection, now)
    return f"{expired} cards expired, {told.opened} overdrawn, {told.closed} not any more"
