"""A shop that signs what it sends, and the stand-in connector that reads its envelope."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import msgspec

from tillbridge.contract.promises import Address, Connection, Item
from tillbridge.inbox.answers import Application
from tillbridge.inbox.webhooks import IntakeConnection

SECRET = "a secret of the shop"
OLD_SECRET = "the secret before it"


class NoSettings(msgspec.Struct):
    """Nothing to set."""


class ShopConnector:
    """Signs ReceivesWebhooks and ReadsFiles: a signed body, one item per line of a file."""

    name = "shop"
    config = NoSettings

    def verify(self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
        given = headers.get("x-signature", "")
        return any(hmac.compare_digest(given, signature(body, secret)) for secret in secrets)

    def address(self, path: str, headers: Mapping[str, str], body: bytes) -> Address:
        order = headers.get("x-order", "")
        return Address(
            topic=headers.get("x-topic", "orders/create"),
            delivery=headers.get("x-delivery", hashlib.sha256(body).hexdigest()),
            key=f"order/{{connection}}/{order}" if order else "",
        )

    def split(
        self, stream: BinaryIO, name: str, connection: Connection, topic: str = ""
    ) -> Iterator[Item]:
        for number, line in enumerate(stream, start=1):
            text = line.rstrip(b"\n")
            yield Item(
                topic=topic or "sale",
                delivery=text.split(b";")[0].decode("latin-1"),
                body=text,
                place=f"{name}:{number}:1",
                problem="" if b";" in text else f"{name}:{number}:1: no amount",
            )


class SilentConnector:
    """Signs nothing."""

    name = "silent"
    config = NoSettings


def signature(body: bytes, secret: str = SECRET) -> str:
    """The shop's signature of a body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(body: bytes, secret: str = SECRET, **headers: str) -> dict[str, str]:
    """Headers of a signed delivery; `delivery="x"` becomes `x-delivery: x`."""
    told = {f"x-{name.replace('_', '-')}": value for name, value in headers.items()}
    return {"x-signature": signature(body, secret), **told}


def connections() -> dict[str, IntakeConnection]:
    """A shop with two live secrets and a connection that takes no webhooks."""
    shop = IntakeConnection(
        name="web", connector=ShopConnector(), secrets=(SECRET, OLD_SECRET), body_max=10_000
    )
    return {
        "web": shop,
        "silent": IntakeConnection(name="silent", connector=SilentConnector()),
    }


class Reply(msgspec.Struct):
    """What an application answered."""

    status: int
    headers: dict[str, str]
    body: bytes


async def ask(
    application: Application,
    path: str,
    body: bytes | Sequence[bytes] = b"",
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
) -> Reply:
    """One request straight into an ASGI application; a sequence of bodies is sent in pieces."""
    parts = [body] if isinstance(body, bytes) else list(body)
    sent: list[dict[str, Any]] = []
    pieces = iter(
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, start=1)
    )

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return next(pieces, {"type": "http.disconnect"})

    async def send(event: Any) -> None:
        sent.append(event)

    raw = [
        (name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()
    ]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    await application(scope, receive, send)
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], told, b"".join(event["body"] for event in sent[1:]))
