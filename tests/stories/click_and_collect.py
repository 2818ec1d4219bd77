"""A retailer's own files for orders that stores fulfil: the app's orders, what stores do with them.

Connections: `app` (orders), `picks` (what was not found), `bags` (fulfilments), `swaps` (what goes
out instead), `goods` (receipts). All name things as the hub does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.stories.shop import House

FEEDS = {
    "app": """
kind = "order"
identity = ["no"]
[file]
format = "jsonl"
[head]
number = "no"
placed_at = "placed"
version = "changed"
total = "total"
paid = "paid"
collect_at = "collect"
replaces = "replaces"
cancelled_at = "cancelled"
tender = { constant = "card" }
[[line]]
each = "items"
line = "id"
product = "sku"
quantity = "qty"
list = "price"
""",
    "picks": """
kind = "pick_failure"
identity = ["no"]
[file]
format = "csv"
[head]
number = "no"
order = "order"
source = { constant = "app" }
location = "store"
at = "at"
reason = { constant = "no_pick" }
[[line]]
line = "line"
quantity = "missed"
""",
    "bags": """
kind = "fulfilment"
identity = ["bag", "state", "at"]
[file]
format = "csv"
[head]
number = "bag"
order = "order"
source = { constant = "app" }
location = "store"
at = "at"
state = "state"
[[line]]
unless_empty = "quantity"
line = "line"
quantity = "pieces"
product = "instead"
""",
    "swaps": """
kind = "substitution"
identity = ["no", "at"]
[file]
format = "csv"
[row]
number = "no"
order = "order"
source = { constant = "app" }
location = "store"
at = "at"
line = "line"
product = "instead"
quantity = "pieces"
net = "price"
""",
    "goods": """
kind = "receipt"
identity = ["note"]
[file]
format = "csv"
[head]
number = "note"
at = "at"
[[line]]
product = "sku"
location = "store"
quantity = "qty"
""",
}
OURS = (
    ("product", "P1"), ("product", "P2"), ("location", "wh-east"), ("location", "store-nyc"),
    ("tender", "card"),
)  # fmt: skip
TERMS = """
[[policy]]
channel = "web"
pickup_days = 3
substitution = "lower_price"
"""


def furnish(folder: Path, terms: str = TERMS) -> None:
    """The connections of this house, and what its buyers are promised."""
    told = []
    for name, mapping in FEEDS.items():
        (folder / "feeds" / f"{name}.toml").write_text(mapping, encoding="utf-8")
        told.append(
            f'[connection.{name}]\nconnector = "feed"\nentity = "us"\nchannel = "web"\n'
            f'timezone = "America/New_York"\nsettings = {{ mapping = "feeds/{name}.toml" }}\n'
        )
    with (folder / "tillbridge.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n" + "\n".join(told))
    with (folder / "rules" / "policies.toml").open("a", encoding="utf-8") as policies:
        policies.write(terms)


def names(shop: House) -> None:
    """Everything is called as the hub calls it."""
    shop.names([(feed, table, name, name) for feed in FEEDS for table, name in OURS])


def ordered(
    shop: House, number: str, items: Sequence[tuple[str, str, int, str]], **words: Any
) -> None:
    """An order of the app, whole. items: line, product, pieces, price of the line."""
    lines = [{"id": i, "sku": sku, "qty": str(qty), "price": price} for i, sku, qty, price in items]
    total = str(sum(Decimal(price) for *_, price in items))
    told = {
        "no": number, "placed": "2026-03-02T12:00:00-05:00", "changed": "2026-03-02T12:00:00-05:00",
        "collect": "store-nyc", "total": total, "paid": total, "items": lines, **words,
    }  # fmt: skip
    shop.file("app", json.dumps(told).encode() + b"\n")


def rows(shop: House, feed: str, *told: Mapping[str, str]) -> None:
    """A file of rows."""
    columns = list(told[0])
    lines = [",".join(columns), *(",".join(row[name] for name in columns) for row in told)]
    shop.file(feed, "\n".join(lines).encode() + b"\n")


def bag(
    shop: House,
    name: str,
    order: str,
    state: str,
    at: str,
    *lines: tuple[str, str, str],
    place: str = "store-nyc",
) -> None:
    """What became of a bag at the store. lines: line, pieces, product instead; none = as before."""
    head = {"bag": name, "order": order, "store": place, "at": at, "state": state}
    told = lines or (("", "", ""),)
    parts = [dict(zip(("line", "pieces", "instead"), one, strict=True)) for one in told]
    rows(shop, "bags", *({**head, **part} for part in parts))


def status(shop: House, number: str) -> str:
    """How the order stands, in one word."""
    found = shop.rows("select status from order_state where key = %s", f"order/app/{number}")
    return str(found[0][0])
