"""The load generator of `bench intake`, a process of its own: signed orders, each another body.

`python -m tillbridge.app.bench.intake_load <port> <connections> <seconds> <most>`
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import sys
from collections.abc import Iterator

from tillbridge.app.bench.http_load import HOST, WARM, generate
from tillbridge.app.bench.intake_server import CONNECTION, SECRET
from tillbridge.connectors.sandbox.order_bodies import order_bodies


def requests(count: int) -> Iterator[bytes]:
    """`count` whole requests: head with signature and ids, and the body."""
    for number, body in enumerate(order_bodies(count, lines=2, seed=7)):
        digest = hmac.digest(SECRET.encode(), body, hashlib.sha256)
        head = (
            f"POST /in/{CONNECTION} HTTP/1.1\r\nHost: {HOST}\r\n"
            "User-Agent: Shopify-Captain-Hook\r\nContent-Type: application/json\r\n"
            "Accept: */*\r\nX-Shopify-Topic: orders/create\r\n"
            "X-Shopify-Shop-Domain: bench.myshopify.com\r\nX-Shopify-API-Version: 2026-07\r\n"
            f"X-Shopify-Event-Id: bench-event-{number:09d}\r\n"
            f"X-Shopify-Webhook-Id: bench-webhook-{number:09d}\r\n"
            f"X-Shopify-Hmac-Sha256: {base64.b64encode(digest).decode()}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def main() -> None:
    """Play once."""
    port, connections, most = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[4])
    generate(requests(most + WARM), port, connections, float(sys.argv[3]))


if __name__ == "__main__":
    main()
