"""Webhooks of ShipBob: who signed them, what they are about, under which id they are known.

Signed by the Standard Webhooks scheme: base64 of HMAC-SHA256 over `id.timestamp.body`, keyed with
the secret of the subscription (`whsec_` and base64), one or more as `v1,...` with blanks between.
ShipBob tries again for a day and keeps no order (developer.shipbob.com/webhooks), so nothing is
refused for its age: the delivery id tells a second telling.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from tillbridge.contract.promises import Address

SIGNATURE, NUMBER, STAMP = "webhook-signature", "webhook-id", "webhook-timestamp"
TOPIC = "x-webhook-topic"
_TOPIC = re.compile(r"order\.[a-z._]{1,60}")
_DELIVERY = re.compile(r"[\x21-\x7e]{1,200}")
_PREFIX = "whsec_"


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Whether one of the live secrets signed these very bytes. Never raises; constant time."""
    found = _lowered(headers)
    given = found.get(SIGNATURE, "").encode("utf-8", "replace").split(b" ")
    head = f"{found.get(NUMBER, '')}.{found.get(STAMP, '')}.".encode("utf-8", "replace")
    accepted = False
    for secret in secrets:
        if secret:
            digest = hmac.digest(_key(secret), head + body, hashlib.sha256)
            wanted = b"v1," + base64.b64encode(digest)
            for one in given:
                accepted |= hmac.compare_digest(one, wanted)
    return accepted


def signature(body: bytes, number: str, stamp: str, secret: str) -> str:
    """The signature a sender gives."""
    digest = hmac.digest(_key(secret), f"{number}.{stamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def address(headers: Mapping[str, str], body: bytes) -> Address:
    """Topic and delivery id; which order of ours it is about is known once it is read whole."""
    found = _lowered(headers)
    topic = found.get(TOPIC, "")
    if not _TOPIC.fullmatch(topic):
        topic = "unknown"
    number = found.get(NUMBER, "")
    if not _DELIVERY.fullmatch(number):
        number = hashlib.sha256(body).hexdigest()
    return Address(topic=topic, delivery=f"{topic}:{number}")


def _key(secret: str) -> bytes:
    text = secret.removeprefix(_PREFIX)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return text.encode()


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
