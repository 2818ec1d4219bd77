"""Webhook deliveries: who signed them, what they are about, under which id they are known.

Signature: base64 of HMAC-SHA256 over the raw body, keyed with the app's client secret; webhooks
made in the shop's own admin are signed with the shop's, so several secrets may be live.
The delivery id is the event's id with the topic: the vendor's own rule for telling duplicates.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from tillbridge.atoms.ids import key_of
from tillbridge.contract.promises import Address

SIGNATURE = "x-shopify-hmac-sha256"
# Filled in by the one who knows which connection the delivery came in on.
CONNECTION = "{connection}"

_TOPIC = re.compile(r"[a-z_]{1,60}/[a-z_]{1,60}")
_DELIVERY = re.compile(r"[\x21-\x7e]{1,200}")
_ID = rb'\s*:\s*"?(?:gid://shopify/Order/)?([0-9]{1,20})\b'
_OWN_ID = re.compile(rb'"id"' + _ID)
_ORDER_ID = re.compile(rb'"order_id"' + _ID)
_PRODUCT_ID = re.compile(rb'"id"' + _ID)
_ITEM_ID = re.compile(rb'"inventory_item_id"' + _ID)
_LOCATION_ID = re.compile(rb'"location_id"' + _ID)


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Whether one of the live secrets signed these very bytes. Never raises; constant time."""
    given = _lowered(headers).get(SIGNATURE, "")
    try:
        signature = base64.b64decode(given.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return False
    # Base64 has several texts for one value (loose last bits); only the canonical one is taken.
    if base64.b64encode(signature).decode() != given:
        return False
    accepted = False
    for secret in secrets:
        if secret:
            wanted = hmac.digest(secret.encode(), body, hashlib.sha256)
            accepted |= hmac.compare_digest(wanted, signature)
    return accepted


def address(headers: Mapping[str, str], body: bytes) -> Address:
    """Topic, delivery id and key hint from the headers and a shallow look. Never raises.

    The key holds the text `{connection}` where the connection's name belongs.
    """
    found = _lowered(headers)
    topic = found.get("x-shopify-topic", "")
    if not _TOPIC.fullmatch(topic):
        topic = "unknown"
    event = found.get("x-shopify-event-id", "") or found.get("x-shopify-webhook-id", "")
    if not _DELIVERY.fullmatch(event):
        event = hashlib.sha256(body).hexdigest()
    return Address(topic=topic, delivery=f"{topic}:{event}", key=key_hint(topic, body, CONNECTION))


def key_hint(topic: str, body: bytes, connection: str) -> str:
    """Aggregate key by a shallow look at the bytes, "" where they do not show it."""
    kind = topic.partition("/")[0]
    if kind in ("orders", "reread"):
        shown = _ORDER_ID if topic == "orders/edited" else _OWN_ID
        return _key("order", connection, shown, body=body)
    if kind in ("refunds", "fulfillments", "order_transactions"):
        return _key("order", connection, _ORDER_ID, body=body)
    if kind == "products":
        return _key("product", connection, _PRODUCT_ID, body=body)
    if kind == "inventory_levels":
        return _key("stock", connection, _ITEM_ID, _LOCATION_ID, body=body)
    return ""


def _key(kind: str, connection: str, *shown: re.Pattern[bytes], body: bytes) -> str:
    parts = []
    for pattern in shown:
        match = pattern.search(body)
        if match is None:
            return ""
        parts.append(match[1].decode())
    return key_of(kind, connection, *parts)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
