"""Places of the house that others run: two centers of a fulfilment service, and a supplier.

The house stores at center 21 (`wh-east`) and 22 (`store-nyc`) of ShipBob; `mill` keeps no stock of
ours and sends P2 to our buyers, over an account of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.stories.shop import House, house, line, paid_order
from tillbridge.connectors.sandbox.shipbob_simulator import CHANNEL, ShipbobSimulator
from tillbridge.connectors.shipbob import webhooks
from tillbridge.contract.promises import Item
from tillbridge.durable import log, messages
from tillbridge.inbox.arrivals import arrival

KEY = "order/web/4711"
ASK = f"{KEY}/fulfilment_request"
OFF = f"{KEY}/fulfilment_cancel"
SETTINGS = """
[[location]]
code = "mill"
entity = "us"
kind = "supplier"
run_by = "mill"
keeps_stock = false
supplies = ["P2"]
"""
CONNECTION = """
[connection.{name}]
connector = "shipbob"
entity = "us"
timezone = "America/Chicago"
secrets = {{ access_token = {{ file = "secrets/{name}-token" }} }}
settings = {{ channel_id = {channel} }}
"""
NAMES = tuple(
    (name, *row)
    for name in ("shipbob", "mill")
    for row in (
        ("product", "SKU-1", "P1"),
        ("product", "SKU-2", "P2"),
        ("location", "21", "mill" if name == "mill" else "wh-east"),
        *([("location", "22", "store-nyc")] if name == "shipbob" else []),
    )
)


class Floors:
    """A house and those who pick for it."""

    def __init__(self, shop: House, service: ShipbobSimulator, supplier: ShipbobSimulator) -> None:
        self.shop = shop
        self.service = service
        self.supplier = supplier
        self._told = 0

    def ordered(self, *pieces: tuple[int, int], number: int = 4711) -> None:
        """A paid order for 10.00 apiece; pieces: SKU number, how many. Everything follows."""
        lines = [line(sku, quantity=much, price="10.00") for sku, much in pieces]
        total = f"{sum(much for _, much in pieces) * 10}.00"
        self.shop.web("orders/create", paid_order(number, lines, total))
        self.settled()

    def cancelled(self, *pieces: tuple[int, int], seconds: float = 90.0) -> None:
        """The shop tells that the order is cancelled and all of it given back. seconds: how long
        what follows is waited for.
        """
        lines = [line(sku, quantity=much, price="10.00") for sku, much in pieces]
        total = f"{sum(much for _, much in pieces) * 10}.00"
        gone = paid_order(
            4711,
            lines,
            total,
            cancelled_at="2026-03-02T22:20:00-05:00",
            updated_at="2026-03-02T22:20:00-05:00",
        )
        self.shop.web("orders/cancelled", gone)
        self.settled(seconds)

    def settled(self, seconds: float = 90.0) -> None:
        """Everything that is owed goes out, every answer and every webhook comes in."""
        for _ in range(6):
            self.shop.drain(seconds)
            hooks = [
                (name, hook)
                for name, floor in (("shipbob", self.service), ("mill", self.supplier))
                for hook in floor.hooks
            ]
            self.service.hooks.clear()
            self.supplier.hooks.clear()
            if not hooks:
                return
            for name, hook in hooks:
                self._hook(name, hook.topic, hook.body)
            self.shop.flow()

    def _hook(self, name: str, topic: str, body: dict[str, Any]) -> None:
        """A webhook, recorded as the intake does."""
        self._told += 1
        raw = msgspec.json.encode(body)
        headers = {webhooks.TOPIC: topic, webhooks.NUMBER: f"msg_{self._told}"}
        found = webhooks.address(headers, raw)
        item = Item(topic=found.topic, delivery=found.delivery, key=found.key, body=raw)
        connection = self.shop.connection
        numbers = messages.connection_ids(connection, [name])
        incoming = arrival(name, item, datetime(2026, 3, 4, tzinfo=UTC), headers=headers)
        _, records = messages.store(connection, [incoming], numbers)
        log.append_and_commit(connection, records)

    def asked(self, floor: ShipbobSimulator) -> list[tuple[str, str, int, dict[str, int]]]:
        """Orders over there: request, status, center, pieces by product."""
        return [
            (
                order["reference_id"].rpartition("/")[2],
                order["status"],
                order["center"],
                {one["reference_id"]: one["quantity"] for one in order["products"]},
            )
            for order in floor.orders.values()
        ]

    def papers(self, kind: str = "") -> list[tuple[str, str]]:
        """Documents of the order: operation without its key, state."""
        found = self.shop.documents().items()
        rows = [(op.removeprefix(f"{KEY}/"), state) for op, state in found if op.startswith(KEY)]
        return [row for row in rows if row[0].startswith(kind)]


def _furnish(folder: Path) -> None:
    file = folder / "tillbridge.toml"
    text = file.read_text(encoding="utf-8")
    terms = 'fulfil_from = ["mill", "wh-east", "store-nyc"]'
    text = text.replace('fulfil_from = ["wh-east"]', terms, 1)
    for code in ("wh-east", "store-nyc"):
        text = text.replace(f'code = "{code}"\n', f'code = "{code}"\nrun_by = "shipbob"\n', 1)
    for name in ("shipbob", "mill"):
        text += CONNECTION.format(name=name, channel=CHANNEL)
        (folder / "secrets" / f"{name}-token").write_text("made-up-token", encoding="utf-8")
    file.write_text(text + SETTINGS, encoding="utf-8")


@contextmanager
def floors(folder: Path, url: str) -> Iterator[Floors]:
    """The house with its service and supplier, all of them at work."""
    service, supplier = ShipbobSimulator("made-up-token"), ShipbobSimulator("made-up-token")
    reach = {"shipbob": {"url": service.start()}, "mill": {"url": supplier.start()}}
    try:
        with house(folder, url, furnish=_furnish, reach=reach) as shop:
            shop.names([*NAMES, ("web", "location", "5502", "store-nyc")])
            yield Floors(shop, service, supplier)
    finally:
        service.stop()
        supplier.stop()
