"""The example shop tells its payments: `order_transactions/create` for every sale that was paid.

Beside the deliveries of the day, with ids of their own, so that a day is the same with and without
them. Body: OrderTransaction of the REST Admin API, whose id the payment provider's balance
transactions name (`source_order_transaction_id`).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tillbridge.atoms.money import to_text
from tillbridge.connectors.sandbox.dice import Dice
from tillbridge.connectors.sandbox.shop_day import API_VERSION, SHOP_DOMAIN, Delivery, Story
from tillbridge.connectors.sandbox.shop_line_bodies import Json, instant
from tillbridge.connectors.sandbox.shop_orders import ShopOrder, State

TOPIC = "order_transactions/create"


def sale_id(order: ShopOrder) -> int:
    """Id of the transaction that paid an order."""
    return order.id + 7


def paid_state(story: Story) -> State | None:
    """The state in which an order was paid first, None = it never was."""
    return next((state for state in story.states if state.paid), None)


def payment_deliveries(seed: int, stories: Iterable[Story]) -> tuple[Delivery, ...]:
    """One delivery per paid order, in their order."""
    dice = Dice(seed ^ 0x7A11)
    found = []
    for story in stories:
        paid = paid_state(story)
        if paid is None:
            continue
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": TOPIC,
            "X-Shopify-Shop-Domain": SHOP_DOMAIN,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": dice.uuid(),
            "X-Shopify-Event-Id": dice.uuid(),
            "X-Shopify-Triggered-At": instant(paid.at),
        }
        body = msgspec.json.encode(transaction_body(story.order, paid))
        found.append(Delivery(topic=TOPIC, order=story.order.id, headers=headers, body=body))
    return tuple(found)


def transaction_body(order: ShopOrder, paid: State) -> Json:
    """The sale that paid an order in full."""
    number, at = sale_id(order), instant(paid.at)
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{number}",
        "amount": to_text(order.total, order.currency),
        "authorization": None,
        "created_at": at,
        "currency": order.currency,
        "gateway": order.gateway,
        "kind": "sale",
        "location_id": None,
        "message": "Transaction approved",
        "order_id": order.id,
        "parent_id": None,
        "payment_id": f"c{order.id}.1",
        "processed_at": at,
        "receipt": {},
        "source_name": "web",
        "status": "success",
        "test": False,
        "user_id": None,
    }
