"""Transactions of the shop: what they share, what they follow, until when they hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.connectors.shopify.payloads import line, order, the, translate
from tillbridge.canonical.payments import (
    PaymentAuthorized,
    PaymentCaptured,
    PaymentFailed,
    PaymentRefunded,
    PaymentVoided,
)
from tillbridge.canonical.returns import RefundIssued


def transaction(**fields: Any) -> dict[str, Any]:
    return {
        "id": 600,
        "order_id": 4711,
        "kind": "sale",
        "status": "success",
        "amount": "50.00",
        "currency": "USD",
        "gateway": "shopify_payments",
        "created_at": "2026-03-02T22:15:03-05:00",
        **fields,
    }


def test_a_payment_carries_its_intent_its_parent_and_the_end_of_its_hold() -> None:
    held = transaction(
        kind="authorization",
        payment_id="c4711.1",
        authorization_expires_at="2026-03-09T22:15:03-05:00",
    )
    fact = the(PaymentAuthorized, translate("order_transactions/create", held))
    assert (fact.intent, fact.until) == ("c4711.1", datetime(2026, 3, 10, 3, 15, 3, tzinfo=UTC))
    taken = transaction(id=601, kind="capture", parent_id=600, payment_id="c4711.1")
    capture = the(PaymentCaptured, translate("order_transactions/create", taken))
    assert (capture.intent, capture.parent, capture.card) == ("c4711.1", "600", "")


@pytest.mark.parametrize(
    ("kind", "status", "fact"),
    [
        ("authorization", "success", PaymentAuthorized),
        ("emv_authorization", "success", PaymentAuthorized),
        ("capture", "success", PaymentCaptured),
        ("sale", "success", PaymentCaptured),
        ("void", "success", PaymentVoided),
        ("refund", "success", PaymentRefunded),
        ("change", "success", PaymentRefunded),
        ("capture", "failure", PaymentFailed),
        ("sale", "error", PaymentFailed),
    ],
)
def test_every_kind_is_a_fact_of_its_own(kind: str, status: str, fact: type) -> None:
    told = translate("order_transactions/create", transaction(kind=kind, status=status))
    assert [type(one) for one in told.facts] == [fact]


@pytest.mark.parametrize(
    ("receipt", "card"),
    [
        ({"gift_card_id": 48394658, "gift_card_last_characters": "0d0d"}, "shopify-48394658"),
        ({"gift_card_id": "gid://shopify/GiftCard/7"}, "shopify-7"),
        ('{"gift_card_id": 7}', "shopify-7"),
        ({"gift_card_id": None}, ""),
        ({"gift_card_id": True}, ""),
        ({"gift_card_id": "abcd-efgh"}, ""),  # what spends it is never taken over
        ("no json", ""),
        ([1], ""),
        (None, ""),
    ],
)
def test_a_gift_card_is_known_by_its_id(receipt: Any, card: str) -> None:
    told = transaction(gateway="gift_card", receipt=receipt)
    assert the(PaymentCaptured, translate("order_transactions/create", told)).card == card
    plain = {**told, "gateway": "manual"}
    assert the(PaymentCaptured, translate("order_transactions/create", plain)).card == ""


def test_a_refund_says_which_payment_and_card_it_goes_back_to() -> None:
    back = transaction(
        id=700,
        kind="refund",
        parent_id=600,
        gateway="gift_card",
        receipt={"gift_card_id": 7},
    )
    told = order(
        line(),
        total="10.00",
        refunds=[{"id": 9, "created_at": "2026-03-03T09:00:00-05:00", "transactions": [back]}],
    )
    (fact,) = (one for one in translate("orders/updated", told).facts if type(one) is RefundIssued)
    assert isinstance(fact, RefundIssued)
    assert [(one.parent, one.card) for one in fact.payments] == [("600", "shopify-7")]
