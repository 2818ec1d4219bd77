"""Every payload of the vendor's documentation and of a recorded shop says what it really says.

The payloads are not part of the project: TILLBRIDGE_REALDATA names their folder, or they lie in
`shared/realdata` beside the checkout. Where they are absent these tests are skipped.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.connectors.shopify.payloads import WEB, with_settings
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.catalogue import ProductChanged
from tillbridge.canonical.orders import Order, OrderCancelled, OrderChanged
from tillbridge.canonical.registry import Body, encode, name_of
from tillbridge.canonical.returns import RefundIssued
from tillbridge.connectors.shopify import connector
from tillbridge.contract.names import Proposals
from tillbridge.contract.promises import Connection, Message, Translation

HERE = Path(__file__).resolve()
FOLDER = Path(os.environ.get("TILLBRIDGE_REALDATA", HERE.parents[4] / "shared" / "realdata"))
SHOP = FOLDER / "01_shopify"

pytestmark = pytest.mark.skipif(not SHOP.is_dir(), reason="the recorded payloads are not here")

CANCELLED = ["OrderCancelled", "GoodsShipped", "RefundIssued"]
REFUNDED = ["OrderChanged", "GoodsShipped", "RefundIssued"]
PAID = ["PaymentAuthorized", "PaymentCaptured"]

# file -> what it tells; files that are not listed hold nothing this connector takes.
TOLD: dict[str, list[str]] = {
    "admin_rest_2026-07/fulfillment_cancel.json": ["GoodsShipped"],
    "admin_rest_2026-07/fulfillment_create.json": ["GoodsShipped"],
    "admin_rest_2026-07/fulfillments.json": ["GoodsShipped"],
    "admin_rest_2026-07/inventory_level_adjust.json": ["StockCounted"],
    "admin_rest_2026-07/inventory_levels.json": ["StockCounted"] * 4,
    "admin_rest_2026-07/order_cancel.json": CANCELLED,
    "admin_rest_2026-07/order_cancel_restock.json": CANCELLED,
    "admin_rest_2026-07/order_cancel_with_refund.json": CANCELLED,
    "admin_rest_2026-07/order_create_22.json": ["OrderChanged", "GoodsShipped"],
    "admin_rest_2026-07/order_create_24_multi_tax_discount.json": ["OrderChanged"],
    "admin_rest_2026-07/order_create_minimal.json": ["OrderChanged"],
    "admin_rest_2026-07/order_create_taxlines.json": ["OrderChanged", "GoodsShipped"],
    "admin_rest_2026-07/order_partially_refunded_450789469.json": REFUNDED,
    "admin_rest_2026-07/order_transactions.json": [
        "PaymentRefunded",
        "PaymentAuthorized",
        "PaymentCaptured",
    ],
    "admin_rest_2026-07/orders_list.json": REFUNDED,
    "admin_rest_2026-07/products.json": ["ProductChanged"] * 5,
    "admin_rest_2026-07/refund_create_3.json": ["RefundIssued"],
    "admin_rest_2026-07/refund_create_partial.json": ["RefundIssued"],
    "real_2017_vcr/base_order_0.json": ["OrderChanged", "GoodsShipped", "GoodsShipped"],
    "real_2017_vcr/base_order_1.json": PAID,
    "real_2017_vcr/base_order_2.json": PAID,
    "real_2017_vcr/base_order_3.json": PAID,
    "real_2017_vcr/order_all_0.json": ["OrderChanged", "GoodsShipped", "GoodsShipped"],
    "real_2017_vcr/order_with_missing_data_0.json": [
        "OrderChanged",
        "GoodsShipped",
        "GoodsShipped",
        "GoodsShipped",
    ],
    "real_2017_vcr/order_with_missing_data_1.json": PAID,
    "real_2017_vcr/order_with_missing_data_2.json": ["ProductChanged"],
}


def files() -> list[str]:
    return sorted(path.relative_to(SHOP).as_posix() for path in SHOP.glob("*/*.json"))


def ingested(
    name: str, connection: Connection = WEB, topic: str = ""
) -> tuple[list[Body], list[str], list[Translation]]:
    """(facts, problems and cases in words, translations) of a file; its currency is the shop's."""
    if name.startswith("real_2017_vcr") and connection is WEB:
        connection = with_settings(shop_currency="EUR")
    told: list[Translation] = []
    problems: list[str] = []
    with (SHOP / name).open("rb") as stream:
        for item in connector.split(stream, Path(name).name, connection, topic):
            message = Message(
                connection=connection.name,
                topic=item.topic,
                delivery=item.delivery,
                body=item.body,
                received_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
            if item.problem:
                problems.append(item.problem)
                continue
            try:
                told.append(connector.translate(message, connection, Proposals("web")))
            except NeedsDecision as case:
                problems.append(case.words)
    return [fact for one in told for fact in one.facts], problems, told


def order_of(name: str) -> Order:
    fact = ingested(name)[0][0]
    assert isinstance(fact, OrderChanged | OrderCancelled)
    return fact.order


@pytest.mark.parametrize("name", files())
def test_a_payload_tells_its_facts_or_says_why_not(name: str) -> None:
    facts, problems, told = ingested(name)
    assert [name_of(fact) for fact in facts] == TOLD.get(name, [])
    if name in TOLD:
        assert not problems
    else:
        empty = (SHOP / name).read_bytes().strip() == b'{"orders":[]}'
        assert problems or empty or all(one.reread for one in told)


@pytest.mark.parametrize("name", [name for name in TOLD if "order" in name])
def test_the_lines_of_every_order_sum_to_its_total(name: str) -> None:
    for fact in ingested(name)[0]:
        if isinstance(fact, OrderChanged | OrderCancelled):
            assert sum(line.gross for line in fact.order.lines) == fact.order.total
            assert "rounding" not in {line.kind for line in fact.order.lines}


def test_the_totals_are_those_of_the_headers() -> None:
    assert order_of("admin_rest_2026-07/order_create_24_multi_tax_discount.json").total == 27037
    assert order_of("admin_rest_2026-07/order_create_minimal.json").total == 23847
    refunded = order_of("admin_rest_2026-07/order_partially_refunded_450789469.json")
    # What is left of it, 199.65, is paid and nothing outstanding; 209.00 were given back.
    assert (refunded.total, refunded.paid_stated) == (59894, 19965 + 20900)
    assert [line.discount for line in refunded.lines] == [334, 333, 333, 0]
    assert [line.tax for line in refunded.lines] == [398, 398, 398, 0]


def test_an_order_of_2017_is_read_with_what_it_has() -> None:
    found = order_of("real_2017_vcr/base_order_0.json")
    assert (found.currency, found.total, found.paid_stated) == ("EUR", 47000, 47000)
    assert found.test
    assert found.tax_inclusive
    assert [line.product for line in found.lines] == [
        "variant:41733347588",
        "variant:42077492100",
        "",
    ]
    early = found.version
    assert early < order_of("real_2017_vcr/order_with_missing_data_0.json").version


def test_a_documented_order_marked_paid_is_paid_although_all_of_it_is_outstanding() -> None:
    found = order_of("admin_rest_2026-07/order_create_22.json")
    assert (found.total, found.paid_stated, found.tenders) == (19900, 19900, ("unnamed",))


def test_the_refund_of_a_cancelled_order_ties_with_what_was_kept() -> None:
    fact = ingested("admin_rest_2026-07/order_cancel_restock.json")[0][-1]
    assert isinstance(fact, RefundIssued)
    value = sum(line.net + sum(tax.amount for tax in line.taxes) for line in fact.lines)
    kept = sum(one.net + one.tax for one in fact.adjustments)
    assert (value, kept) == (19964, -8964)
    assert value + kept == sum(one.amount for one in fact.payments)


def test_shipping_that_stands_twice_is_given_back_once() -> None:
    fact = ingested("admin_rest_2026-07/refund_create_3.json")[0][0]
    assert isinstance(fact, RefundIssued)
    assert [(one.kind, one.net) for one in fact.adjustments] == [("shipping", 500)]
    assert sum(one.amount for one in fact.payments) == 500


def test_a_documented_refund_that_does_not_add_up_is_judged_by_its_order() -> None:
    # 391.33 + 7.96 tax, but 209.00 paid; and 3.98 is neither 6 % on nor 6 % in 195.66.
    name = "admin_rest_2026-07/refunds_list.json"
    assert [one.reread for one in ingested(name)[2]] == [
        ("reread/order", "gid://shopify/Order/450789469")
    ]
    fact = ingested(name, with_settings(taxes_included=False))[0][0]
    assert isinstance(fact, RefundIssued)
    assert [line.net for line in fact.lines] == [19566, 19567]
    inside = ingested("admin_rest_2026-07/orders_list.json")[0][-1]
    assert isinstance(inside, RefundIssued)
    assert inside.lines == fact.lines


def test_a_mere_calculation_is_no_refund() -> None:
    assert "suggested_refund" in ingested("admin_rest_2026-07/refund_calculate.json")[1][0]


def test_a_file_of_another_kind_says_what_it_holds() -> None:
    _, problems, _ = ingested("admin_rest_2026-07/order_transactions.json", topic="orders/create")
    assert problems == ["the file holds transactions, topic orders/create wants order"]
    _, problems, _ = ingested("admin_rest_2026-07/payouts.json")
    assert "holds payouts" in problems[0]
    _, problems, _ = ingested("admin_rest_2026-07/balance_transactions_payout_623721858.json")
    assert len(problems) == 50
    assert all("`kind`" in words for words in problems)


def test_a_product_of_2017_has_its_variant() -> None:
    (fact,) = ingested("real_2017_vcr/order_with_missing_data_2.json")[0]
    assert isinstance(fact, ProductChanged)
    assert (fact.product, fact.price, fact.currency) == ("variant:41733347588", 15000, "EUR")


def test_no_name_mail_or_street_is_in_a_fact() -> None:
    told = b"".join(encode(fact) for name in files() for fact in ingested(name)[0])
    for word in (b"Bob", b"Norman", b"Chestnut", b"Peter", b"Pan", b"Some Street", b"@"):
        shown = told.replace(b"@20", b"")
        assert word not in shown
