"""Webhooks: who signed, which delivery it is, what it is about. What is hostile is false."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from tillbridge.connectors.shopify import connector

BODY = b'{"id":4711,"admin_graphql_api_id":"gid://shopify/Order/4711","customer":{"id":9}}'


def signed(secret: str, body: bytes = BODY) -> dict[str, str]:
    signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    return {"X-Shopify-Hmac-Sha256": signature}


def test_either_of_two_live_secrets_is_taken() -> None:
    for secret in ("old", "new"):
        assert connector.verify(BODY, signed(secret), ["old", "new"])
        assert not connector.verify(BODY, signed(secret), ["another"])
    assert not connector.verify(BODY, signed(""), [""])


def test_another_spelling_of_the_same_signature_is_not_taken() -> None:
    (signature,) = signed("old").values()
    # 32 bytes leave two loose bits in the last letter: a decoder reads both letters alike.
    loose = signature[:-2] + chr(ord(signature[-2]) + 1) + "="
    assert base64.b64decode(loose) == base64.b64decode(signature)
    assert not connector.verify(BODY, {"X-Shopify-Hmac-Sha256": loose}, ["old"])


@pytest.mark.parametrize(
    ("topic", "body", "key"),
    [
        ("orders/create", BODY, "order/{connection}/4711"),
        ("orders/edited", b'{"order_edit":{"id":5,"order_id":4711}}', "order/{connection}/4711"),
        ("refunds/create", b'{"id":5,"order_id": 4711}', "order/{connection}/4711"),
        ("fulfillments/update", b'{"id":5,"order_id":"4711"}', "order/{connection}/4711"),
        ("order_transactions/create", b'{"id":5,"order_id":4711}', "order/{connection}/4711"),
        ("products/update", b'{"id":8,"variants":[{"id":81}]}', "product/{connection}/8"),
        (
            "inventory_levels/update",
            b'{"inventory_item_id":9,"location_id":5501}',
            "stock/{connection}/9/5501",
        ),
        ("inventory_levels/update", b'{"inventory_item_id":9}', ""),
        ("orders/create", b'{"note":"\\"id\\":5"}', ""),
        ("orders/create", b"\xff\x00", ""),
        ("app/uninstalled", BODY, ""),
    ],
)
def test_a_shallow_look_names_the_key(topic: str, body: bytes, key: str) -> None:
    headers = {"x-SHOPIFY-topic": topic, "X-Shopify-Event-Id": "e-1"}
    found = connector.address("/", headers, body)
    assert (found.topic, found.key, found.delivery) == (topic, key, f"{topic}:e-1")


def test_a_delivery_is_known_by_its_event_else_by_its_own_id_else_by_its_bytes() -> None:
    topic = {"X-Shopify-Topic": "orders/paid"}
    both = {**topic, "X-Shopify-Event-Id": "e-1", "X-Shopify-Webhook-Id": "w-1"}
    assert connector.address("/", both, BODY).delivery == "orders/paid:e-1"
    own = {**topic, "X-Shopify-Webhook-Id": "w-1"}
    assert connector.address("/", own, BODY).delivery == "orders/paid:w-1"
    bare = connector.address("/", topic, BODY).delivery
    assert bare == connector.address("/", topic, BODY).delivery
    assert bare != connector.address("/", topic, BODY + b" ").delivery
    assert bare != connector.address("/", {"X-Shopify-Topic": "orders/create"}, BODY).delivery


def test_a_strange_topic_is_unknown() -> None:
    for topic in ("", "orders", "../../etc", "orders/create\n", "x" * 500 + "/y"):
        found = connector.address("/", {"X-Shopify-Topic": topic}, BODY)
        assert (found.topic, found.key) == ("unknown", "")
