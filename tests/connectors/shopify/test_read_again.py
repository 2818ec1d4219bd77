"""An order read again over HTTP says what its webhooks said: one order, two spellings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from tests.connectors.shopify.payloads import WEB
from tillbridge.canonical.orders import Order, OrderCancelled, OrderChanged, OrderPlaced
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import RefundIssued
from tillbridge.canonical.shipments import GoodsShipped
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.connectors.sandbox.shopify_simulator import ShopifySimulator
from tillbridge.connectors.shopify import connector
from tillbridge.connectors.shopify.config import ShopifyConfig
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.names import Proposals
from tillbridge.contract.promises import Message

TOKEN = "made-up-token"


@pytest.fixture(scope="module")
def day() -> DayOfTrade:
    return day_of_trade(11)


@pytest.fixture(scope="module")
def shop(day: DayOfTrade) -> Iterator[ShopifySimulator]:
    simulator = ShopifySimulator(day.stories, TOKEN, points=100_000)
    simulator.start()
    yield simulator
    simulator.stop()


def facts_of(topic: str, body: bytes) -> tuple[Body, ...]:
    message = Message(
        connection="web",
        topic=topic,
        delivery="d",
        body=body,
        received_at=datetime(2026, 11, 14, tzinfo=UTC),
    )
    return connector.translate(message, WEB, Proposals("web")).facts


def orders_in(facts: tuple[Body, ...]) -> Iterator[tuple[str, Order]]:
    for fact in facts:
        if isinstance(fact, OrderPlaced | OrderChanged | OrderCancelled):
            yield fact.key, fact.order


def swept(shop: ShopifySimulator) -> tuple[Body, ...]:
    """Facts of every order of the shop, read by a sweep."""
    settings = ShopifyConfig(endpoint=shop.endpoint(), page_size=6)
    connection = msgspec.structs.replace(WEB, settings=settings)
    transport = HttpTransport(LOOPBACK)
    found: list[Body] = []
    cursor, more = "", True
    while more:
        page = connector.poll("orders", cursor, connection, {"access_token": TOKEN}, transport)
        cursor, more = page.cursor, page.more
        for item in page.items:
            assert not item.problem
            found += facts_of(item.topic, item.body)
    transport.close()
    return tuple(found)


def test_an_order_read_again_is_the_one_its_webhooks_told(
    day: DayOfTrade, shop: ShopifySimulator
) -> None:
    by_version: dict[tuple[str, str], Order] = {}
    others: dict[str, Body] = {}
    for delivery in day.deliveries:
        facts = facts_of(delivery.topic, delivery.body)
        by_version |= {(key, order.version): order for key, order in orders_in(facts)}
        others |= {f.id: f for f in facts if isinstance(f, GoodsShipped | RefundIssued)}
    again = swept(shop)
    compared = 0
    for key, order in orders_in(again):
        told = by_version.get((key, order.version))
        if told is not None:
            compared += 1
            assert msgspec.structs.replace(order, tenders=told.tenders) == told
            assert set(order.tenders) == set(told.tenders)
    assert compared > len(day.stories) // 2
    shipped = [fact for fact in again if isinstance(fact, GoodsShipped)]
    assert shipped
    assert all(others.get(fact.id, fact) == fact for fact in shipped)
    refunds = {f.refund: f for f in others.values() if isinstance(f, RefundIssued)}
    for fact in again:
        if isinstance(fact, RefundIssued):
            told_refund = refunds[fact.refund]
            assert fact.lines == told_refund.lines
            assert fact.payments == told_refund.payments
            assert fact.adjustments == told_refund.adjustments
