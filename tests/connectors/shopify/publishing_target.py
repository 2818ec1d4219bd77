"""The live far side for the publishing checks: the simulated shop with its strict inventory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tillbridge.connectors.sandbox.shopify_simulator import ShopifySimulator
from tillbridge.connectors.shopify.config import ShopifyConfig
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.offers import Offer
from tillbridge.contract.promises import Connection
from tillbridge.contract.transport import Transport

TOKEN = "made-up-token"
PLACE = "5501"
SHOWN = 9


class Target:
    """What the suite asks of a live far side."""

    def __init__(self, shop: ShopifySimulator, transport: Transport, version: str) -> None:
        self.shop = shop
        self._count = 0
        settings = ShopifyConfig(endpoint=shop.endpoint(version), api_version=version)
        self.connection = Connection(
            name="web", entity="us", channel="web", currency="USD", settings=settings
        )
        self.secrets: Mapping[str, str] = {"access_token": TOKEN}
        self.transport = transport

    def offers(self, count: int) -> Sequence[Offer]:
        """Five of a product that shows nine."""
        return [self._fresh() for _ in range(count)]

    def refused(self) -> Offer:
        """An item the shop does not know."""
        return self._fresh(stocked=False)

    def shows(self, offer: Offer) -> int:
        """As the shop's own inventory says."""
        return 1000 * (self.shop.inventory.available(_item(offer), PLACE) or 0)

    def sells(self, offer: Offer) -> None:
        """One piece."""
        assert self.shop.inventory.sell(_item(offer), PLACE, 1)

    def _fresh(self, *, stocked: bool = True) -> Offer:
        self._count += 1
        item = str(808_950_810 + self._count)
        if stocked:
            self.shop.inventory.stock(item, PLACE, SHOWN)
        return Offer(
            operation=f"web/P{self._count}/wh-east/1",
            product=f"P{self._count}",
            location="wh-east",
            products=(f"SKU-{self._count}", f"inventory_item:{item}"),
            places=("default", PLACE),
            quantity=5000,
            previous=SHOWN * 1000,
        )


def _item(offer: Offer) -> str:
    return offer.products[1].partition(":")[2]


@contextmanager
def publishing_target(version: str = "2026-10") -> Iterator[Target]:
    """A running shop."""
    shop = ShopifySimulator((), TOKEN, points=100_000)
    shop.start()
    transport = HttpTransport(LOOPBACK)
    try:
        yield Target(shop, transport, version)
    finally:
        transport.close()
        shop.stop()
