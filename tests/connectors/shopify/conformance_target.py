"""The live far side for the conformance suite: the simulated shop, an order per document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tillbridge.canonical.channel_documents import (
    FulfilmentDocument,
    OrderCancelDocument,
    RefundDocument,
)
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.returns import RefundLine, RefundPayment
from tillbridge.canonical.shipments import ShippedLine
from tillbridge.connectors.sandbox.assortment import DESTINATIONS
from tillbridge.connectors.sandbox.shop_day import Story
from tillbridge.connectors.sandbox.shop_orders import BoughtLine, Buyer, ShopOrder, State
from tillbridge.connectors.sandbox.shopify_simulator import ShopifySimulator
from tillbridge.connectors.shopify.config import ShopifyConfig
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Assignment, Connection
from tillbridge.contract.transport import Transport

TOKEN = "made-up-token"
PLACED = datetime(2026, 3, 3, 12, tzinfo=UTC)
KINDS = ("fulfilment", "refund", "order_cancel")


class Names:
    """Our names at the shop."""

    def theirs(self, table: str, ours: str) -> str | None:
        """Their name for ours."""
        known = {("location", "wh-east"): "5501", ("location", "store-nyc"): "5502"}
        known["tender", "shop-pay"] = "shopify_payments"
        return known.get((table, ours))


def order_of(number: int) -> ShopOrder:
    """Two pieces of one line, 20.00 each."""
    buyer = Buyer(
        id=7, first_name="A", last_name="B", street="1 Mill Lane", destination=DESTINATIONS[0]
    )
    line = BoughtLine(
        id=number + 1, product="P1", sku="SKU-1", title="Shirt", variant="", quantity=2, price=2000
    )
    return ShopOrder(id=number, number=number, placed_at=PLACED, buyer=buyer, lines=(line,))


class Target:
    """What the suite asks of a live far side."""

    def __init__(self, shop: ShopifySimulator, transport: Transport, version: str) -> None:
        self.shop = shop
        self._number = 1000
        settings = ShopifyConfig(endpoint=shop.endpoint(version), api_version=version)
        self.connection = Connection(
            name="web", entity="us", channel="web", currency="USD", settings=settings
        )
        self.secrets: Mapping[str, str] = {"access_token": TOKEN}
        self.directory = Names()
        self.transport = transport

    def assignments(self, count: int) -> Sequence[Assignment]:
        """Fresh operations on fresh orders, every kind in turn."""
        return [Assignment(document=self.fresh()) for _ in range(count)]

    def refused(self) -> Assignment:
        """More than there is to send."""
        return Assignment(document=self.fresh("fulfilment", pieces=3))

    def documents(self, operation: str) -> int:
        """As the shop's own order shows."""
        number = int(operation.split("/")[2])
        ((_, state),) = [one for one in self.shop.standing() if one[0].id == number]
        made = [one for one in state.shipped if one.status == "SUCCESS"]
        return len(made) + len(state.refunds) + (state.cancelled_at is not None)

    def fresh(self, kind: str = "", pieces: int = 1, **fields: Any) -> SubmitDocument:
        """A document about an order of its own; fields: of its body."""
        self._number += 10
        number = self._number
        kind = kind or KINDS[number // 10 % len(KINDS)]
        paid = State(at=PLACED + timedelta(minutes=1), paid=True)
        story = Story(part="plain", order=order_of(number), states=(State(at=PLACED), paid))
        self.shop.add([story])
        return self.document(kind, number, pieces, **fields)

    def document(self, kind: str, number: int, pieces: int = 1, **fields: Any) -> SubmitDocument:
        """A document about an order."""
        head = {"reference": str(number), "number": "#1", "channel": "web", "currency": "USD"}
        name = str(number + 1)
        bodies: dict[str, dict[str, Any]] = {
            "fulfilment": {
                "fulfilment": "wms/P1",
                "state": "delivered",
                "happened_at": PLACED,
                "lines": (ShippedLine(name, pieces * 1000),),
                "location": "wh-east",
                "tracking": "T-1",
            },
            "refund": {
                "total": 2000 * pieces,
                "payments": (RefundPayment("", "shop-pay", 2000 * pieces),),
                "lines": (RefundLine(name, pieces * 1000, 2000 * pieces),),
            },
            "order_cancel": {"cancel_date": date(2026, 3, 4)},
        }
        step = fields.pop("step", 1)
        shape: Any = {
            "fulfilment": FulfilmentDocument,
            "refund": RefundDocument,
            "order_cancel": OrderCancelDocument,
        }[kind]
        told: dict[str, Any] = {kind: shape(**head, **{**bodies[kind], **fields})}
        key = f"order/web/{number}"
        about: dict[str, Any] = {"key": key, "id": f"{key}/{kind}/{step}", "kind": kind}
        return SubmitDocument(**about, entity="us", connection="web", **told)


@contextmanager
def delivery_target(version: str = "2026-10") -> Iterator[Target]:
    """A running shop."""
    shop = ShopifySimulator((), TOKEN, points=1_000_000)
    shop.dealings.location = "5501"
    shop.dealings.places = {"5501", "5502"}
    shop.start()
    transport = HttpTransport(LOOPBACK)
    try:
        yield Target(shop, transport, version)
    finally:
        transport.close()
        shop.stop()
