"""An order's header: version, day, payment state, buyer, place, and what is embedded in it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.connectors.shopify.payloads import (
    WEB,
    bag,
    line,
    order,
    the,
    told,
    translate,
    with_settings,
)
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import party_id
from tillbridge.canonical.orders import OrderPlaced
from tillbridge.canonical.payments import PaymentCaptured, PaymentRefunded
from tillbridge.canonical.registry import encode, name_of
from tillbridge.canonical.shipments import GoodsShipped
from tillbridge.connectors.shopify.inbound_orders import postcode_area
from tillbridge.contract.names import CrossReferences


def transaction(number: int, kind: str, status: str = "success", **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "kind": kind,
        "status": status,
        "gateway": "shopify_payments",
        "amount": "10.00",
        "currency": "USD",
        "created_at": "2026-03-02T22:15:00-05:00",
        **fields,
    }


def fulfillment(status: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": 31,
        "status": status,
        "created_at": "2026-03-03T10:00:00-05:00",
        "updated_at": "2026-03-04T11:00:00-05:00",
        "line_items": [{"id": 1, "quantity": 1}],
        "location_id": 5501,
        **fields,
    }


@pytest.mark.parametrize(
    ("topic", "fields", "kind", "last"),
    [
        ("orders/create", {}, "OrderPlaced", "placed"),
        ("orders/updated", {}, "OrderChanged", "changed"),
        ("orders/paid", {}, "OrderChanged", "changed"),
        (
            "orders/create",
            {"cancelled_at": "2026-03-02T23:00:00-05:00"},
            "OrderCancelled",
            "cancelled",
        ),
        (
            "orders/cancelled",
            {"cancelled_at": "2026-03-02T23:00:00-05:00"},
            "OrderCancelled",
            "cancelled",
        ),
    ],
)
def test_a_topic_and_the_payload_say_what_happened(
    topic: str, fields: dict[str, Any], kind: str, last: str
) -> None:
    fact = translate(topic, order(line(), total="10.00", **fields)).facts[0]
    assert name_of(fact) == kind
    assert fact.key == "order/web/4711"
    assert fact.id == f"order/web/4711@2026-03-03T03:15:02Z/{last}"


def test_a_cancellation_without_its_time_is_a_case() -> None:
    with pytest.raises(NeedsDecision, match="without a time of cancelling"):
        translate("orders/cancelled", order(line(), total="10.00"))


def test_the_business_day_is_the_connections_and_the_version_is_utc() -> None:
    fact = the(OrderPlaced, translate("orders/create", order(line(), total="10.00")))
    assert fact.business_date == date(2026, 3, 2)
    assert fact.occurred_at == datetime(2026, 3, 3, 3, 15, tzinfo=UTC)
    imported = order(line(), total="10.00", processed_at="2025-12-31T23:59:00-05:00")
    late = the(OrderPlaced, translate("orders/create", imported))
    assert late.business_date == date(2025, 12, 31)


def test_versions_sort_as_text_whatever_zone_they_were_told_in() -> None:
    early = told(order(line(), total="10.00", updated_at="2026-03-02T23:59:59-05:00"))
    late = told(order(line(), total="10.00", updated_at="2026-03-03T05:00:00+00:00"))
    assert early.version < late.version


GAVE_BACK_ONE = {
    "id": 9,
    "order_id": 4711,
    "created_at": "2026-03-03T09:00:00-05:00",
    "refund_line_items": [],
    "transactions": [
        {
            "id": 91,
            "kind": "refund",
            "status": "success",
            "amount": "1.00",
            "currency": "USD",
            "gateway": "shopify_payments",
            "created_at": "2026-03-03T09:00:00-05:00",
        }
    ],
}


@pytest.mark.parametrize(
    ("fields", "paid"),
    [
        ({}, None),
        ({"financial_status": "paid", "total_outstanding": "0.00"}, 1000),
        ({"financial_status": "paid", "total_outstanding": "10.00"}, 1000),
        # a line was taken out before the money came: no refund moved any
        (
            {
                "financial_status": "paid",
                "total_outstanding": "0.00",
                "current_total_price": "6.00",
            },
            600,
        ),
        # taken out afterwards, and the buyer is owed the difference
        (
            {
                "financial_status": "paid",
                "total_outstanding": "-4.00",
                "current_total_price": "6.00",
            },
            1000,
        ),
        (
            {
                "financial_status": "partially_refunded",  # exchanged for something cheaper
                "total_price": "10.00",
                "current_total_price": "6.00",
                "total_outstanding": "0.00",
                "refunds": [GAVE_BACK_ONE],
            },
            700,
        ),
        ({"financial_status": "refunded", "total_outstanding": "10.00"}, 1000),
        ({"financial_status": "partially_refunded"}, 1000),
        ({"financial_status": "partially_paid", "total_outstanding": "4.00"}, 600),
        ({"financial_status": "partially_paid"}, None),
        ({"financial_status": "pending", "total_outstanding": "10.00"}, 0),
        ({"financial_status": "authorized"}, 0),
        ({"financial_status": "voided"}, 0),
        (
            {
                "financial_status": "pending",
                "transactions": [transaction(1, "sale", amount="3.00")],
            },
            300,
        ),
        (
            {"transactions": [transaction(1, "capture"), transaction(2, "refund", amount="4.00")]},
            1000,
        ),
        (
            {"transactions": [transaction(1, "sale", amount="20.00"), transaction(2, "change")]},
            1000,
        ),
        ({"transactions": [transaction(1, "sale", "failure")]}, 0),
    ],
)
def test_paid_so_far_is_what_the_payload_really_says(
    fields: dict[str, Any], paid: int | None
) -> None:
    assert told(order(line(), total="10.00", **fields)).paid_stated == paid


def test_a_transaction_is_one_movement_with_one_identity() -> None:
    body = order(
        line(),
        total="10.00",
        transactions=[
            transaction(1, "authorization"),
            transaction(2, "capture", parent_id=1),
            transaction(3, "sale", "pending"),
            transaction(4, "sale", "error"),
            transaction(5, "void"),
            transaction(6, "refund", "failure"),
            transaction(7, "refund", parent_id=2),
        ],
        refunds=[
            {
                "id": 90,
                "created_at": "2026-03-02T22:15:02-05:00",
                "transactions": [transaction(7, "refund", parent_id=2)],
            }
        ],
    )
    found = translate("orders/updated", body)
    facts = found.facts[1:-1]
    assert [(name_of(fact), fact.id.split("/payment/")[1]) for fact in facts] == [
        ("PaymentAuthorized", "1/authorization"),
        ("PaymentCaptured", "2/capture"),
        ("PaymentFailed", "4/failed"),
        ("PaymentVoided", "5/void"),
        ("PaymentRefunded", "7/refund"),
    ]
    assert the(PaymentCaptured, found, 2).parent == "1"
    assert the(PaymentRefunded, found, 5).refund == "90"
    alone = translate("order_transactions/create", {**transaction(2, "capture"), "order_id": 4711})
    assert alone.facts[0].id == facts[1].id
    pending = translate(
        "order_transactions/create", {**transaction(3, "sale", "pending"), "order_id": 4711}
    )
    assert "pending" in pending.ignored


def test_money_told_in_the_buyers_currency_alone_is_read_again() -> None:
    foreign = transaction(1, "sale", amount="9.00", currency="EUR")
    names = CrossReferences({})
    found = translate(
        "orders/paid", order(line(), total="10.00", transactions=[foreign]), names=names
    )
    assert found.reread == ("reread/order", "gid://shopify/Order/4711")
    assert not found.facts
    assert not names.missing
    both = {**foreign, "amount_set": bag("10.00")}
    assert told(order(line(), total="10.00", transactions=[both])).paid_stated == 1000


@pytest.mark.parametrize(
    ("status", "state", "day"),
    [
        ("success", "shipped", 3),
        ("pending", "open", 4),
        ("open", "open", 4),
        ("cancelled", "cancelled", 4),
        ("error", "failed", 4),
        ("failure", "failed", 4),
    ],
)
def test_a_fulfilment_tells_its_state_and_day(status: str, state: str, day: int) -> None:
    inside = translate(
        "orders/updated", order(line(), total="10.00", fulfillments=[fulfillment(status)])
    )
    alone = translate("fulfillments/update", {**fulfillment(status), "order_id": 4711})
    assert inside.facts[1] == alone.facts[0]
    fact = alone.facts[0]
    assert isinstance(fact, GoodsShipped)
    assert (fact.state, fact.business_date.day) == (state, day)
    assert fact.version == "2026-03-04T16:00:00Z"
    assert fact.lines[0].quantity == 1000


def test_a_place_of_another_entity_names_that_entity() -> None:
    ours = CrossReferences({("location", "77"): "5501"})
    body = {**fulfillment("success", location_id=77), "order_id": 1}
    fact = translate("fulfillments/create", body, names=ours).facts[0]
    assert isinstance(fact, GoodsShipped)
    assert (fact.location, fact.entities.selling, fact.entities.of("fulfilling")) == (
        "5501",
        "us",
        "ca",
    )


def test_a_fulfilment_without_place_takes_the_configured_one_or_asks() -> None:
    body = {**fulfillment("success", location_id=None), "order_id": 1}
    connection = with_settings(default_location="wh-1")
    fact = the(GoodsShipped, translate("fulfillments/create", body, connection))
    assert fact.location == "wh-1"
    names = CrossReferences({})
    translate("fulfillments/create", body, names=names)
    assert [(gap.table, gap.theirs) for gap in names.missing] == [("location", "default")]


def test_a_tracking_number_is_one_printable_line() -> None:
    body = {**fulfillment("success", tracking_number="#\u2620\n---\n4321\n", order_id=1)}
    fact = the(GoodsShipped, translate("fulfillments/create", body))
    assert fact.tracking == "#\u2620 --- 4321"


def test_all_missing_names_are_told_at_once_with_their_places() -> None:
    body = order(
        line(1),
        line(2, tax_lines=[{"title": "VAT", "price": "0.00", "rate": 0.2}]),
        total="20.00",
        payment_gateway_names=["stripe", "gift_card", "stripe", ""],
        location_id=9,
        source_name="pos",
    )
    names = CrossReferences({("product", "SKU-1"): "P1"})
    translate("orders/create", body, with_settings(channel_from_source=True), names)
    assert {(gap.table, gap.theirs) for gap in names.missing} == {
        ("product", "SKU-2"),
        ("tax", "VAT"),
        ("tender", "stripe"),
        ("tender", "gift_card"),
        ("location", "9"),
        ("channel", "pos"),
    }
    assert names.missing[0].where == "line 2 (Thing 2)"


def test_money_by_no_gateway_comes_by_a_tender_that_can_be_named() -> None:
    assert told(order(line(), total="10.00", financial_status="paid")).tenders == ("unnamed",)
    assert told(order(line(), total="10.00", financial_status="pending")).tenders == ()


def test_a_buyer_is_known_by_account_else_mail_else_order() -> None:
    known = {"customer": {"id": 7}, "email": "Ada@Example.com"}
    by_account = translate("orders/create", order(line(), total="10.00", **known))
    assert told(order(line(), total="10.00", **known)).party == party_id("web", "7")
    assert by_account.parties[0].email == "Ada@Example.com"
    guest = told(order(line(), total="10.00", email="Ada@Example.com"))
    assert guest.party == party_id("web", "ada@example.com")
    unnamed = told(order(line(), total="10.00", phone="+1 503 555 0100"))
    assert unnamed.party == party_id("web", "order:4711")
    nobody = translate("orders/create", order(line(), total="10.00"))
    assert nobody.parties == ()
    assert told(order(line(), total="10.00")).party == ""


def test_no_personal_data_is_in_a_fact() -> None:
    address = {
        "first_name": "Ada",
        "last_name": "Sample",
        "address1": "12 Elm Road",
        "city": "Portland",
        "zip": "97205-1234",
        "province_code": "or",
        "country_code": "US",
        "phone": "+15035550100",
    }
    found = translate(
        "orders/create",
        order(line(), total="10.00", shipping_address=address, email="ada@example.com"),
    )
    (party,) = found.parties
    assert (party.name, party.street, party.phone) == ("Ada Sample", "12 Elm Road", "+15035550100")
    told_facts = b"".join(encode(fact) for fact in found.facts)
    for word in (b"Ada", b"Elm", b"Portland", b"5035550100", b"example.com", b"97205"):
        assert word not in told_facts
    assert b'"ship_to":{"country":"US","region":"OR","postcode_area":"972"}' in told_facts


@pytest.mark.parametrize(
    ("postcode", "area"),
    [
        ("97205", "972"),
        ("97205-1234", "972"),
        ("SW1A 1AA", "SW1A"),
        ("k2p 1l4", "K2P"),
        ("02-777", "02"),
        ("1012 AB", "1012"),
        ("80331", "803"),
        ("8001", "800"),
        ("", ""),
        ("12 Elm Road", "12"),
        ("\u00fcml\u00e4ut", ""),
    ],
)
def test_a_postcode_shows_its_area_only(postcode: str, area: str) -> None:
    assert postcode_area(postcode) == area


def test_an_unknown_cancel_reason_is_other() -> None:
    cancelled = {"cancelled_at": "2026-03-02T23:00:00-05:00"}
    for given, kept in (("fraud", "fraud"), ("because Ada said so", "other"), (None, "")):
        found = told(order(line(), total="10.00", cancel_reason=given, **cancelled))
        assert found.cancel_reason == kept
    assert told(order(line(), total="10.00", cancel_reason="fraud")).cancel_reason == ""


def test_test_orders_say_so() -> None:
    assert told(order(line(), total="10.00", test=True)).test
    assert not told(order(line(), total="10.00")).test


@pytest.mark.parametrize(
    ("topic", "word"),
    [
        ("app/uninstalled", "took the app away"),
        ("customers/update", "known by their orders"),
        ("carts/update", "nothing was ordered"),
        ("themes/publish", "not one this connector knows"),
    ],
)
def test_other_topics_are_ignored_with_a_reason(topic: str, word: str) -> None:
    assert word in translate(topic, {"id": 1}).ignored


def test_an_edit_asks_for_the_order() -> None:
    found = translate("orders/edited", {"order_edit": {"id": 5, "order_id": 4711}})
    assert found.reread == ("reread/order", "gid://shopify/Order/4711")


def test_the_connection_without_settings_of_its_own_has_the_defaults() -> None:
    assert WEB.settings is None
    assert told(order(line(), total="10.01")).total == 1001
