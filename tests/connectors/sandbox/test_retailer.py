"""The example retailer's day adds up to the cent and has in it what it promises."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from lxml import etree

from tillbridge.connectors.sandbox.assortment import BY_CODE, PRODUCTS, erp_products, xref_rows
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade

SPACE = "{http://www.nrf-arts.org/IXRetail/namespace/}"
SEEDS = range(1, 7)


@pytest.fixture(scope="module", params=SEEDS)
def day(request: pytest.FixtureRequest) -> DayOfTrade:
    return day_of_trade(int(request.param))


def bodies(day: DayOfTrade, *topics: str) -> list[dict[str, Any]]:
    return [
        msgspec.json.decode(delivery.body)
        for delivery in day.deliveries
        if delivery.topic in topics
    ]


def cents(text: object) -> int:
    scaled = Decimal(str(text)) * 100
    assert scaled == int(scaled)
    return int(scaled)


def test_the_same_seed_gives_the_same_day_and_another_one_another(day: DayOfTrade) -> None:
    assert day_of_trade(day.seed) == day
    assert day_of_trade(day.seed + 100).deliveries != day.deliveries


def test_every_telling_of_an_order_adds_up(day: DayOfTrade) -> None:
    for body in bodies(day, "orders/create", "orders/paid", "orders/updated", "orders/cancelled"):
        gross = 0
        for line in body["line_items"]:
            gross += cents(line["price"]) * line["quantity"]
            gross -= sum(cents(a["amount"]) for a in line["discount_allocations"])
            gross += sum(cents(tax["price"]) for tax in line["tax_lines"])
        for line in body["shipping_lines"]:
            gross += cents(line["price"]) + sum(cents(tax["price"]) for tax in line["tax_lines"])
        assert gross == cents(body["total_price"])
        assert sum(cents(tax["price"]) for tax in body["tax_lines"]) == cents(body["total_tax"])
        shipping = cents(body["total_shipping_price_set"]["shop_money"]["amount"])
        parts = cents(body["subtotal_price"]) + cents(body["total_tax"]) + shipping
        assert parts == cents(body["total_price"])


def test_every_tax_is_its_rate_of_the_line_to_the_nearest_cent(day: DayOfTrade) -> None:
    for body in bodies(day, "orders/create"):
        for line in body["line_items"]:
            net = cents(line["price"]) * line["quantity"]
            net -= sum(cents(a["amount"]) for a in line["discount_allocations"])
            for tax in line["tax_lines"]:
                off = abs(cents(tax["price"]) - net * Decimal(str(tax["rate"])))
                assert off <= Decimal("0.5")
    for till in day.tills:
        for receipt in till.receipts:
            for levied in receipt.taxes:
                exact = Decimal(levied.base * levied.levy.rate_ppm) / 1_000_000
                assert abs(levied.amount - exact) <= Decimal("0.5")


def test_a_refund_gives_back_what_its_lines_and_adjustments_say(day: DayOfTrade) -> None:
    refunds = bodies(day, "refunds/create")
    assert len(refunds) == 3  # one of them is told twice
    for refund in refunds:
        lines = refund["refund_line_items"]
        back = sum(cents(line["subtotal"]) + cents(line["total_tax"]) for line in lines)
        back -= sum(
            cents(one["amount"]) + cents(one["tax_amount"]) for one in refund["order_adjustments"]
        )
        assert back == sum(cents(one["amount"]) for one in refund["transactions"])


def test_the_day_holds_every_oddity_once(day: DayOfTrade) -> None:
    parts = Counter(story.part for story in day.stories)
    assert len(day.stories) == 20
    for part in ("cancelled", "returned", "unknown_sku", "paid_first", "stale", "gift_card"):
        assert parts[part] == 1
    outcomes = {outcome.part: outcome for outcome in day.orders}
    assert outcomes["cancelled"].refunded == outcomes["cancelled"].total
    assert 0 < outcomes["returned"].refunded < outcomes["returned"].total
    assert any(story.order.discount for story in day.stories)
    assert sum(outcome.shipped_all for outcome in day.orders) == 17


def test_deliveries_are_doubled_overtaken_and_late(day: DayOfTrade) -> None:
    events = Counter(delivery.event for delivery in day.deliveries)
    assert sum(count - 1 for count in events.values()) == 7
    doubled = next(event for event, count in events.items() if count == 2)
    first, again = (one for one in day.deliveries if one.event == doubled)
    assert first.body == again.body
    assert first.headers["X-Shopify-Webhook-Id"] != again.headers["X-Shopify-Webhook-Id"]
    order = next(story.order.id for story in day.stories if story.part == "paid_first")
    topics = [one.topic for one in day.deliveries if one.order == order]
    assert topics.index("orders/paid") < topics.index("orders/create")
    stale = day.deliveries[-1]
    newest = [
        one.headers["X-Shopify-Triggered-At"]
        for one in day.deliveries
        if one.order == stale.order and one.topic == stale.topic
    ]
    assert max(newest) > stale.headers["X-Shopify-Triggered-At"]


def test_every_name_has_a_cross_reference_except_one(day: DayOfTrade) -> None:
    known = {(row.connection, row.table, row.theirs): row.ours for row in xref_rows()}
    missing = set()
    for body in bodies(day, "orders/create"):
        for line in body["line_items"]:
            if ("web", "product", line["sku"]) not in known:
                missing.add(line["sku"])
        for tax in body["tax_lines"]:
            assert ("web", "tax", tax["title"]) in known
        assert ("web", "tender", body["payment_gateway_names"][0]) in known
    assert missing == {day.late.theirs}
    assert day.late.ours in BY_CODE
    for row in xref_rows():
        if (row.connection, row.table) == ("erp", "product"):
            assert row.theirs in erp_products()


def test_the_stock_of_the_morning_is_enough_for_the_day(day: DayOfTrade) -> None:
    rows = [line.split(",") for line in day.opening_stock.decode().splitlines()[1:]]
    assert len(rows) == len(PRODUCTS) * 4
    assert min(int(row[2]) for row in rows) >= 30


def test_every_receipt_adds_up_and_is_paid(day: DayOfTrade) -> None:
    for till in day.tills:
        for receipt in till.receipts:
            paid = sum(tender.net for tender in receipt.tenders)
            rounding = sum(tender.rounding for tender in receipt.tenders)
            assert paid - rounding == receipt.total
            assert abs(rounding) <= (2 if till.location.currency == "CAD" else 0)
            if till.location.currency == "CAD":
                cash = [tender for tender in receipt.tenders if tender.kind == "Cash"]
                assert all(tender.net % 5 == 0 for tender in cash)


def test_a_store_file_runs_on_without_a_gap_and_says_its_totals(day: DayOfTrade) -> None:
    for till, outcome in zip(day.tills, day.stores, strict=True):
        root = etree.fromstring(day.poslogs[till.location.code])
        transactions = root.findall(f"{SPACE}Transaction")
        numbers = [int(str(one.findtext(f"{SPACE}SequenceNumber"))) for one in transactions]
        assert numbers == list(range(numbers[0], numbers[0] + outcome.transactions))
        training = [one for one in transactions if one.get("TrainingModeFlag") == "true"]
        assert len(training) == 1
        totals = [
            cents(total.text)
            for one in transactions
            if one not in training
            for total in one.iter(f"{SPACE}Total")
            if total.get("TotalType") == "TransactionGrandAmount"
        ]
        assert sum(totals) == outcome.total  # the voiding transaction takes its sale back
        assert sum(outcome.tenders.values()) - till.total == _rounding(day, till.location.code)
        assert sum(one.find(f".//{SPACE}Return") is not None for one in transactions) == 1
        assert sum(one.find(f".//{SPACE}TillSettle") is not None for one in transactions) == 1
        voided = [item for item in root.iter(f"{SPACE}LineItem") if item.get("VoidFlag") == "true"]
        assert len(voided) == 1


def _rounding(day: DayOfTrade, location: str) -> int:
    till = next(till for till in day.tills if till.location.code == location)
    return sum(
        sign * tender.rounding for sign, receipt in till.counting for tender in receipt.tenders
    )


def test_a_bigger_day_has_as_many_orders_as_asked() -> None:
    assert len(day_of_trade(3, orders=60).stories) == 60
