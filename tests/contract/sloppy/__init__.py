"""A connector made of the usual mistakes; the suite must refuse it (see README.md)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO

import msgspec

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.payments import PaymentCaptured
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Address, Connection, Item, Message, Translation


class SloppyConfig(msgspec.Struct):
    """No settings, and unknown ones are taken silently."""


class SloppyConnector:
    """Believes whatever it is told."""

    name = "sloppy"
    config: type[msgspec.Struct] = SloppyConfig

    def translate(self, message: Message, connection: Connection, names: Names) -> Translation:
        """Facts without asking any question."""
        order: Any = json.loads(message.body)
        placed = datetime.fromisoformat(order["placed_at"]).replace(tzinfo=None)
        amount: Any = float(order["amount"] or 0) * 100
        tender = names.ours("tender", str(order.get("gateway")), where="") or order.get("gateway")
        fact = PaymentCaptured(
            key=f"order/{order['id']}",
            id=f"{order['id']}@{message.delivery}",
            source=connection.name,
            mapping="sloppy",
            occurred_at=placed,
            business_date=placed.date(),
            entities=Entities(selling=connection.entity),
            reference=order["email"],
            tender=tender,
            amount=amount,
            currency=order.get("currency", "USD"),
        )
        return Translation(facts=(fact,))

    def verify(self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
        """Compares only the first letters, and only under one spelling of the header."""
        given = headers["X-Sloppy-Signature"]
        wanted = hmac.new(secrets[0].encode(), body, hashlib.sha256).hexdigest()
        return wanted.startswith(given[:4])

    def address(self, path: str, headers: Mapping[str, str], body: bytes) -> Address:
        """Trusts the body's shape."""
        return Address(topic="order", delivery=str(json.loads(body)["id"]))

    def split(
        self, stream: BinaryIO, name: str, connection: Connection, topic: str = ""
    ) -> Iterator[Item]:
        """Reads everything and drops what it does not understand."""
        for line in stream.read().splitlines():
            if line.startswith(b"{"):
                yield Item(topic="order", delivery=name, body=line)


connector = SloppyConnector()
