"""Made-up payloads for the tests, and the translating of one in a line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import Order, OrderCancelled, OrderChanged, OrderPlaced
from tillbridge.connectors.shopify import connector
from tillbridge.connectors.shopify.config import ShopifyConfig
from tillbridge.contract.names import Names, Proposals
from tillbridge.contract.promises import Connection, Message, Translation

F = TypeVar("F", bound=Fact)

WEB = Connection(
    name="web",
    entity="us",
    channel="web",
    currency="USD",
    timezone="America/New_York",
    location_entities={"5501": "ca"},
)


def with_settings(**settings: Any) -> Connection:
    """The web connection with other settings."""
    return msgspec.structs.replace(WEB, settings=ShopifyConfig(**settings))


def line(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A line item: one piece of 10.00 without tax."""
    return {
        "id": number,
        "title": f"Thing {number}",
        "quantity": 1,
        "price": "10.00",
        "sku": f"SKU-{number}",
        **fields,
    }


def order(*lines: dict[str, Any], total: str, **fields: Any) -> dict[str, Any]:
    """An order of these lines."""
    return {
        "id": 4711,
        "name": "#1001",
        "currency": "USD",
        "created_at": "2026-03-02T22:15:00-05:00",
        "updated_at": "2026-03-02T22:15:02-05:00",
        "total_price": total,
        "taxes_included": False,
        "line_items": list(lines),
        **fields,
    }


def tax(price: str, rate: float | str | None = None, title: str = "State Tax") -> dict[str, Any]:
    """A tax line."""
    return {"title": title, "price": price, "rate": rate}


def bag(amount: str, currency: str = "USD") -> dict[str, Any]:
    """A money set."""
    return {"shop_money": {"amount": amount, "currency_code": currency}}


def translate(
    topic: str,
    body: dict[str, Any],
    connection: Connection = WEB,
    names: Names | None = None,
    headers: dict[str, str] | None = None,
) -> Translation:
    """The translation of one payload; every name is proposed unless others are given."""
    message = Message(
        connection=connection.name,
        topic=topic,
        delivery="d-1",
        body=msgspec.json.encode(body),
        headers=headers or {},
        received_at=datetime(2026, 3, 3, tzinfo=UTC),
    )
    return connector.translate(message, connection, names or Proposals(connection.name))


def told(
    body: dict[str, Any], connection: Connection = WEB, topic: str = "orders/updated"
) -> Order:
    """The order of the first fact of a payload."""
    fact = translate(topic, body, connection).facts[0]
    assert isinstance(fact, OrderPlaced | OrderChanged | OrderCancelled)
    return fact.order


def the(kind: type[F], translation: Translation, place: int = 0) -> F:
    """A fact of a translation, which must be of that kind."""
    fact = translation.facts[place]
    assert isinstance(fact, kind)
    return fact
