"""A house whose web shop is told what others do: a warehouse and a returns service on files, and
the simulated shop, whose webhooks come back as echoes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.stories.returning import MAPPING as RETURNS
from tests.stories.shop import House, house
from tillbridge.connectors.sandbox.assortment import DESTINATIONS
from tillbridge.connectors.sandbox.shop_bodies import order_body
from tillbridge.connectors.sandbox.shop_day import Story
from tillbridge.connectors.sandbox.shop_orders import (
    BoughtLine,
    Buyer,
    ShopOrder,
    State,
    TaxCharged,
)
from tillbridge.connectors.sandbox.shopify_simulator import ShopifySimulator

TOKEN = "made-up-token"
PLACED = datetime(2026, 3, 3, 12, tzinfo=UTC)
BAGS = """
kind = "fulfilment"
identity = ["bag", "state", "at"]
[file]
format = "csv"
[head]
number = "bag"
order = "order"
source = { constant = "web" }
state = "state"
at = "at"
location = "place"
carrier = "carrier"
tracking = "tracking"
[[line]]
unless_empty = "line"
line = "line"
quantity = "quantity"
"""
CONNECTIONS = """
[connection.wms]
connector = "feed"
entity = "us"
channel = "web"
timezone = "America/New_York"
settings = { mapping = "feeds/bags.toml" }
[connection.pos]
connector = "feed"
entity = "us"
channel = "web"
timezone = "America/New_York"
settings = { mapping = "feeds/bags.toml" }
[connection.rma]
connector = "feed"
entity = "us"
channel = "web"
timezone = "America/New_York"
settings = { mapping = "feeds/returns.toml" }
"""
NAMES = (
    ("web", "location", "5502", "store-nyc"),
    ("wms", "location", "wh-east", "wh-east"),
    ("pos", "location", "store-nyc", "store-nyc"),
    ("rma", "location", "wh-east", "wh-east"),
)


def bought(number: int = 4711) -> ShopOrder:
    """Two of P1 for 20.00 and one of P2 for 10.00, 8 % tax, 5.00 freight: 59.00."""
    buyer = Buyer(
        id=77,
        first_name="Canaria",
        last_name="Featherstone",
        street="17 Yellowbird Lane",
        destination=DESTINATIONS[0],
    )
    return ShopOrder(
        id=number,
        number=number,
        placed_at=PLACED,
        buyer=buyer,
        lines=(
            BoughtLine(
                id=11, product="P1", sku="SKU-1", title="Shirt", variant="", quantity=2,
                price=2000, taxes=(TaxCharged("State Tax", 80_000, 320),),
            ),
            BoughtLine(
                id=12, product="P2", sku="SKU-2", title="Socks", variant="", quantity=1,
                price=1000, taxes=(TaxCharged("State Tax", 80_000, 80),),
            ),
        ),
        shipping=500,
    )  # fmt: skip


class Told(House):
    """The house, its shop and an order of it."""

    shop: ShopifySimulator
    heard = 0

    def sells(self, order: ShopOrder) -> None:
        """A paid order is placed, and told."""
        paid = State(at=PLACED + timedelta(minutes=1), paid=True)
        self.shop.add([Story(part="plain", order=order, states=(State(at=PLACED), paid))])
        self.web("orders/create", order_body(order, paid))

    def bag(
        self,
        name: str,
        state: str,
        lines: Sequence[tuple[int, int]] = (),
        tracking: str = "",
        *,
        by: str = "wms",
        minute: int = 0,
        order: int = 4711,
    ) -> None:
        """A parcel as the warehouse or the store's system tells it: (line, pieces)."""
        place = {"wms": "wh-east", "pos": "store-nyc"}[by]
        carrier = "DHL" if tracking else ""
        at = f"2026-03-04T{9 + minute // 60:02}:{minute % 60:02}:00Z"
        head = f"{name},{order},{state},{at},{place},{carrier},{tracking}"
        rows = ["bag,order,state,at,place,carrier,tracking,line,quantity"]
        rows += [f"{head},{line},{much}" for line, much in lines] or [f"{head},,"]
        self.file(by, "\n".join(rows).encode() + b"\n")

    def returned(self, rma: str, lines: Sequence[tuple[int, int]], order: int = 4711) -> None:
        """The returns service received pieces: (line, pieces)."""
        rows = ["rma,state,order,at,store,line,quantity,fate"]
        rows += [
            f"{rma},received,{order},2026-03-09T10:00:00Z,wh-east,{line},{much},restock"
            for line, much in lines
        ]
        self.file("rma", "\n".join(rows).encode() + b"\n")

    def echo(self) -> list[str]:
        """The shop's webhooks of what it was made to do arrive; gives their topics."""
        fresh = self.shop.dealings.echoes[self.heard :]
        self.heard += len(fresh)
        for topic, body in fresh:
            self.web(topic, body)
        return [topic for topic, _ in fresh]

    def moved(self, product: str) -> int:
        """Whole pieces that left all places, net of what came back."""
        opened = {"P1": 25, "P2": 15}
        rows = self.rows("select sum(on_hand) / 1000 from stock where product = %s", product)
        return opened[product] - int(rows[0][0])

    def sent(self, kind: str) -> list[tuple[str, str, str]]:
        """Documents of a kind: operation, state, the shop's number."""
        return [
            (op.removeprefix("order/web/"), state, number or "")
            for op, state, number in self.rows(
                "select op, state, number from document where kind = %s order by op", kind
            )
        ]


@contextmanager
def told_house(folder: Path, url: str, policies: str = "") -> Iterator[Told]:
    """A house whose channel `web` is told; policies: text of rules/policies.toml."""
    shop = ShopifySimulator((), TOKEN, points=100_000)
    shop.dealings.location = "5501"
    shop.dealings.places = {"5501", "5502"}
    shop.start()

    def furnish(home: Path) -> None:
        file = home / "tillbridge.toml"
        (home / "secrets" / "web-token").write_text(TOKEN)
        there = 'secrets.access_token = { file = "secrets/web-token" }\n'
        there += 'allow_addresses = ["127.0.0.1"]\n'
        there += f'settings = {{ endpoint = "{shop.endpoint()}" }}\n'
        text = file.read_text(encoding="utf-8")
        text = text.replace("[connection.web]\n", f"[connection.web]\n{there}", 1)
        assert text.count('code = "web"\n') == 1
        text = text.replace('code = "web"\n', 'code = "web"\ntells_channel = true\n', 1)
        file.write_text(text + CONNECTIONS, encoding="utf-8")
        (home / "feeds" / "bags.toml").write_text(BAGS, encoding="utf-8")
        (home / "feeds" / "returns.toml").write_text(RETURNS, encoding="utf-8")
        if policies:
            (home / "rules" / "policies.toml").write_text(policies, encoding="utf-8")

    try:
        with house(folder, url, furnish=furnish) as plain:
            found = Told(plain.hub, plain.erp, plain.connection)
            found._delivered = 100
            found.shop = shop
            found.names(NAMES)
            yield found
    finally:
        shop.stop()
