"""A house whose web shop and telephone owe their tax at AvaTax, simulated over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.stories.shop import House, house
from tillbridge.connectors.direct.keys import order_key
from tillbridge.connectors.direct.wire import TOPIC
from tillbridge.connectors.sandbox.avatax_simulator import ACCOUNT, COMPANY, AvataxSimulator
from tillbridge.contract.promises import Item
from tillbridge.durable import accounts, log, messages
from tillbridge.inbox.arrivals import arrival

KEY = "license-4711"
NAMES = (
    ("avatax", "tax", "NY STATE TAX", "us-ny"),
    ("avatax", "tax", "NY COUNTY TAX", "us-ny"),
)
_CONNECTION = """
[connection.avatax]
connector = "avatax"
entity = "us"
secrets.license_key = {{ file = "secrets/avatax-key" }}
budget = {{ rate = 200.0, burst = 200.0, conc = 10 }}

[connection.avatax.settings]
url = "{url}"
account = "{account}"
company = "{company}"
origin = {{ country = "US", region = "NY", postal_code = "12207" }}
"""


class TaxHouse:
    """The house and its tax service."""

    def __init__(self, shop: House, avatax: AvataxSimulator) -> None:
        self.shop = shop
        self.avatax = avatax

    def call(self, document: dict[str, Any], delivery: str) -> None:
        """An order of the call centre, as the API stores it; then carried through the rooms."""
        shop = self.shop
        key = order_key("callcentre", document["number"])
        raw = msgspec.json.encode(document)
        item = Item(topic=TOPIC, delivery=delivery, key=key, body=raw)
        numbers = messages.connection_ids(shop.connection, ["callcentre"])
        incoming = arrival("callcentre", item, shop.hub.clock.now())
        _, records = messages.store(shop.connection, [incoming], numbers)
        log.append_and_commit(shop.connection, records)
        shop.flow()

    def status(self, key: str) -> tuple[str, int]:
        """Status and total of an order."""
        ((status, total),) = self.shop.rows(
            "select status, total from order_state where key = %s", key
        )
        return str(status), int(total)

    def papers(self) -> dict[str, str]:
        """State of every tax document by its key."""
        return dict(self.shop.rows("select key, state from tax_document order by key"))

    def back(self) -> None:
        """The service answers again, and the breaker may be tried at once."""
        self.avatax.start()
        self.shop.rows("select 1")
        connection = self.shop.connection
        (dest,) = [
            d for name, d in self.shop.rows("select name, dest from dest") if name == "avatax"
        ]
        accounts.breaker_close(connection, dest, self.shop.hub.clock.now())
        connection.execute(
            "update outkey set due = now() where dest = %s and due < 'infinity'", (dest,)
        )
        connection.commit()


@contextmanager
def tax_house(
    folder: Path, url: str, *, names: tuple[tuple[str, str, str, str], ...] = NAMES, **words: str
) -> Iterator[TaxHouse]:
    """words: settings of the channels `web` and `phone` beside the tax service."""
    avatax = AvataxSimulator(KEY)
    address = avatax.start()

    def furnish(place: Path) -> None:
        path = place / "tillbridge.toml"
        told = {"tax_service": '"avatax"', "tax_records": "true", **words}
        lines = "".join(f"{name} = {value}\n" for name, value in told.items())
        text = path.read_text(encoding="utf-8")
        for code in ("web", "phone"):
            text = text.replace(f'code = "{code}"\n', f'code = "{code}"\n{lines}', 1)
        text += _CONNECTION.format(url=address, account=ACCOUNT, company=COMPANY)
        path.write_text(text, encoding="utf-8")
        (place / "secrets" / "avatax-key").write_text(KEY, encoding="utf-8")

    try:
        with house(folder, url, furnish=furnish) as shop:
            shop.names(names)
            yield TaxHouse(shop, avatax)
    finally:
        avatax.stop()
