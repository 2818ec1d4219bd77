"""Gift cards and store credit as their own ledger tells them, a movement per row. Pure."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from tillbridge.atoms.ids import key_of
from tillbridge.canonical import cards
from tillbridge.canonical.payments import CARD_TENDERS
from tillbridge.connectors.feed.delivery import Delivery
from tillbridge.connectors.feed.fields import Reading, unreadable
from tillbridge.contract.promises import Translation

_CREDIT = CARD_TENDERS[1]


def card(delivery: Delivery) -> Translation:
    """One card fact: under its order's key when it paid for one, else under the card's own."""
    row = delivery.head("row")
    currency = delivery.currency_of(row)
    row = delivery.head("row", currency)
    amount = row.amount("amount")
    at = row.instant("at", delivery.connection.timezone)
    if amount is None or at is None:
        raise unreadable(row.where("amount"), "amount or time is empty")
    event, kind = row.choice("event", ""), row.choice("kind", CARD_TENDERS[0])
    if amount < 0 and event != "adjusted":
        raise unreadable(row.where("amount"), "amount is negative; tell corrections as adjusted")
    reference, order = row.text("reference"), row.text("order")
    order = delivery.order_key(order) if order else ""
    name = row.text("card")
    key = order if event == "redeemed" else key_of("card", name)
    if not key:
        raise unreadable(row.where("order"), "a card that is redeemed names its order")
    ident = f"card/{delivery.connection.name}/{reference}/{event}"
    day = at.astimezone(ZoneInfo(delivery.connection.timezone)).date()
    about: dict[str, Any] = {
        **delivery.carried(key, ident, at, day),
        "card": name,
        "amount": amount,
        "currency": currency,
        "reference": reference,
        "order": order,
    }
    return Translation(facts=(_fact(delivery, row, event, kind, about),))


def _fact(
    delivery: Delivery, row: Reading, event: str, kind: str, about: dict[str, Any]
) -> cards.CardMovement:
    credit = kind == _CREDIT
    if event == "redeemed":
        tender = delivery.name("tender", row, "tender") or delivery.names.ours(
            "tender", kind, where=row.where("tender"), hint=""
        )
        redeemed = cards.StoreCreditRedeemed if credit else cards.GiftCardRedeemed
        return redeemed(tender=tender, **about)
    if event == "issued":
        reason = row.text("reason") or cards.ISSUE_REASONS[0]
        if reason not in cards.ISSUE_REASONS:
            words = f"{reason!r} is none of {', '.join(cards.ISSUE_REASONS)}"
            raise unreadable(row.where("reason"), words)
        issued = cards.StoreCreditIssued if credit else cards.GiftCardIssued
        return issued(reason=reason, **about)
    if event == "adjusted":
        adjusted = cards.StoreCreditAdjusted if credit else cards.GiftCardAdjusted
        about |= {name: row.text(name) for name in ("reason", "by", "approved_by")}
        return adjusted(**about)
    expired = cards.StoreCreditExpired if credit else cards.GiftCardExpired
    return expired(**about)
