"""The connectors of the shop and of the tills read the example day to the cent.

Two implementations that do not know each other meet here: who writes the day and who reads it.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tillbridge.canonical.orders import Order, OrderCancelled, OrderChanged, OrderPlaced
from tillbridge.canonical.payments import PaymentCaptured, PaymentRefunded
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import RefundIssued
from tillbridge.canonical.sales import SaleRung, SaleVoided, TillClosed
from tillbridge.canonical.shipments import GoodsShipped
from tillbridge.connectors.poslog import connector as poslog
from tillbridge.connectors.poslog.config import PoslogSettings
from tillbridge.connectors.sandbox.assortment import late_row, xref_rows
from tillbridge.connectors.sandbox.order_bodies import order_bodies
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.connectors.sandbox.shopify_simulator import ShopifySimulator
from tillbridge.connectors.shopify import connector as shopify
from tillbridge.connectors.shopify.config import ShopifyConfig
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.names import CrossReferences
from tillbridge.contract.promises import Connection, Message

RECEIVED = datetime(2026, 11, 13, 23, tzinfo=UTC)
TOKEN = "made-up-token"
KINDS = {"cash": "Cash", "card": "CreditDebit", "gift-card": "GiftCard"}


@pytest.fixture(scope="module", params=[1, 7, 19])
def day(request: pytest.FixtureRequest) -> DayOfTrade:
    return day_of_trade(int(request.param))


def names(connection: str, *, late: bool = True) -> CrossReferences:
    rows = [row for row in xref_rows() if row.connection == connection]
    rows += [late_row()] if late else []
    return CrossReferences({(row.table, row.theirs): row.ours for row in rows})


def web(endpoint: str = "") -> Connection:
    return Connection(
        name="web",
        entity="us",
        channel="web",
        currency="USD",
        timezone="America/New_York",
        settings=ShopifyConfig(endpoint=endpoint),
    )


def told(topic: str, body: bytes, known: CrossReferences) -> tuple[Body, ...]:
    message = Message(connection="web", topic=topic, delivery="d", body=body, received_at=RECEIVED)
    return shopify.translate(message, web(), known).facts


def orders_in(facts: tuple[Body, ...]) -> Iterator[Order]:
    for fact in facts:
        if isinstance(fact, OrderPlaced | OrderChanged | OrderCancelled):
            yield fact.order


def test_every_webhook_says_its_order_to_the_cent(day: DayOfTrade) -> None:
    outcomes = {outcome.number: outcome for outcome in day.orders}
    seen = set()
    for delivery in day.deliveries:
        known = names("web")
        facts = told(delivery.topic, delivery.body, known)
        assert facts, delivery.topic
        assert not known.missing
        for order in orders_in(facts):
            assert order.total == outcomes[order.number].total
            assert sum(line.gross for line in order.lines) == order.total
            assert sum(line.tax for line in order.lines) == outcomes[order.number].tax
            assert all(line.kind != "rounding" for line in order.lines)
            seen.add(order.number)
    assert seen == set(outcomes)


def test_only_the_late_name_is_missing_in_the_morning(day: DayOfTrade) -> None:
    missing: Counter[str] = Counter()
    for delivery in day.deliveries:
        known = names("web", late=False)
        told(delivery.topic, delivery.body, known)
        missing.update(name.theirs for name in known.missing)
    assert set(missing) == {day.late.theirs}


def test_refunds_give_back_what_the_day_says(day: DayOfTrade) -> None:
    refunds: dict[str, RefundIssued] = {}
    for delivery in day.deliveries:
        for fact in told(delivery.topic, delivery.body, names("web")):
            if isinstance(fact, RefundIssued):
                refunds[fact.refund] = fact
    assert len(refunds) == 2
    given = sum(payment.amount for fact in refunds.values() for payment in fact.payments)
    assert given == sum(outcome.refunded for outcome in day.orders)
    for fact in refunds.values():
        back = sum(line.net + sum(tax.amount for tax in line.taxes) for line in fact.lines)
        back += sum(one.net + one.tax for one in fact.adjustments)
        assert back == sum(payment.amount for payment in fact.payments)


def test_an_order_read_again_says_the_same_as_its_webhooks(day: DayOfTrade) -> None:
    shop = ShopifySimulator(day.stories, TOKEN, points=100_000)
    shop.start()
    transport = HttpTransport(LOOPBACK)
    try:
        for outcome in day.orders:
            item = shopify.reread(
                "reread/order",
                str(outcome.id),
                web(shop.endpoint()),
                {"access_token": TOKEN},
                transport,
            )
            facts = told(item.topic, item.body, names("web"))
            (order,) = orders_in(facts)
            assert (order.number, order.total) == (outcome.number, outcome.total)
            captured = sum(f.amount for f in facts if isinstance(f, PaymentCaptured))
            refunded = sum(f.amount for f in facts if isinstance(f, PaymentRefunded))
            assert (captured, refunded) == (outcome.total, outcome.refunded)
            shipped = sum(
                line.quantity for f in facts if isinstance(f, GoodsShipped) for line in f.lines
            )
            goods = sum(line.quantity for line in order.lines if line.kind == "goods")
            assert (shipped == goods) == outcome.shipped_all
    finally:
        transport.close()
        shop.stop()


def test_every_store_file_says_its_day_to_the_cent(day: DayOfTrade) -> None:
    for outcome in day.stores:
        facts = _till_facts(day, outcome.location)
        voided = {fact.voided for fact in facts if isinstance(fact, SaleVoided)}
        sales = [f for f in facts if isinstance(f, SaleRung) and f.key not in voided]
        assert len(voided) == 1
        assert len(sales) == outcome.receipts
        assert sum(sale.total for sale in sales) == outcome.total
        tax = sum(
            sum(tax.amount for tax in sale.taxes)
            + sum(tax.amount for line in sale.lines for tax in line.taxes)
            for sale in sales
        )
        assert tax == outcome.tax
        tenders: Counter[str] = Counter()
        for sale in sales:
            for tender in sale.tenders:
                tenders[KINDS[tender.tender]] += tender.amount
        assert tenders == Counter(outcome.tenders)
        assert {sale.currency for sale in sales} == {outcome.currency}
        (closed,) = (fact for fact in facts if isinstance(fact, TillClosed))
        short = sum((count.expected or 0) - (count.counted or 0) for count in closed.counts)
        assert short == (100 if outcome.location == "store-bos" else 0)


def _till_facts(day: DayOfTrade, location: str) -> list[Body]:
    stores = Connection(
        name="stores",
        entity="us",
        channel="stores",
        currency="USD",
        timezone="America/New_York",
        location_entities={"store-tor": "ca"},
        settings=PoslogSettings(),
    )
    facts: list[Body] = []
    for item in poslog.split(io.BytesIO(day.poslogs[location]), "day.xml", stores):
        assert not item.problem
        known = names("stores")
        message = Message(
            connection="stores",
            topic=item.topic,
            delivery=item.delivery,
            body=item.body,
            received_at=RECEIVED,
        )
        facts += poslog.translate(message, stores, known).facts
        assert not known.missing
    return facts


def test_bodies_for_benches_are_understood() -> None:
    for body in order_bodies(48):
        known = names("web", late=False)
        (order,) = orders_in(told("orders/paid", body, known))
        assert not known.missing
        assert order.paid_stated == order.total == sum(line.gross for line in order.lines)
