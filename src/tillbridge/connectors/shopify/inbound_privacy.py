"""Requests about personal data: the shop passes on what a buyer, or the law, asks for.

They are answered by a person within 30 days, so each is a case with the command that answers it.
"""

from __future__ import annotations

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import party_id
from tillbridge.connectors.shopify import wire
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Message, Translation
from tillbridge.contract.wire import parse

DUE_DAYS = 30
DATA, REDACT, SHOP = "customers/data_request", "customers/redact", "shop/redact"


def asked(message: Message, connection: Connection, _: Names) -> Translation:
    """Always raises NeedsDecision("privacy_request"); it names the party, never the person."""
    found = parse(wire.PrivacyRequest, message.body)
    if message.topic == SHOP:
        raise _case(
            f"{SHOP}: the shop took the app away and asks to erase every buyer of it",
            f"tillbridge people erase --all-of {connection.name} --reason {SHOP}",
            {"request": SHOP},
        )
    customer = found.customer or wire.Customer()
    email = (customer.email or "").strip().lower()
    known_as = wire.number(customer.id) if customer.id is not None else email
    party = party_id(connection.name, known_as)
    orders = found.orders_to_redact if message.topic == REDACT else found.orders_requested
    about: dict[str, object] = {
        "request": message.topic,
        "party": party,
        "orders": [wire.number(order) for order in orders],
    }
    if message.topic == REDACT:
        words = f"{REDACT}: the shop asks to erase the buyer {party}"
        remedy = f"tillbridge people erase {party} --reason {REDACT}"
    else:
        words = f"{DATA}: the buyer {party} asks what is known of them; resolve when it is sent"
        remedy = f"tillbridge people export {party} --out {party}.json"
    raise _case(words, remedy, about)


def _case(words: str, remedy: str, details: dict[str, object]) -> NeedsDecision:
    return NeedsDecision(
        "privacy_request",
        words,
        owner="ecommerce",
        remedy=remedy,
        details={**details, "due_days": DUE_DAYS},
    )
