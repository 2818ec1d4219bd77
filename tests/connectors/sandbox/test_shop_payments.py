"""The shop's own transactions: one per paid order, in the words of its API."""

from __future__ import annotations

import msgspec

from tillbridge.atoms.money import to_text
from tillbridge.connectors.sandbox.retailer import day_of_trade
from tillbridge.connectors.sandbox.shop_payments import TOPIC, payment_deliveries, sale_id
from tillbridge.connectors.shopify.wire import Transaction


def test_every_paid_order_is_told_by_its_transaction() -> None:
    day = day_of_trade(7)
    found = payment_deliveries(day.seed, day.stories)
    assert {one.order for one in found} == {story.order.id for story in day.stories}
    assert len({one.event for one in found}) == len(found)
    assert {one.topic for one in found} == {TOPIC}
    for delivery, story in zip(found, day.stories, strict=True):
        told = msgspec.json.decode(delivery.body, type=Transaction, strict=False)
        assert (told.id, told.kind, told.status) == (sale_id(story.order), "sale", "success")
        assert msgspec.json.decode(delivery.body)["amount"] == to_text(story.order.total, "USD")
    assert payment_deliveries(day.seed, day.stories) == found
