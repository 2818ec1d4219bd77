"""A feed connection made of a mapping's text, and files cut and translated with it."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from tillbridge.canonical.registry import Body
from tillbridge.connectors.feed import connector
from tillbridge.connectors.feed.config import FeedConfig
from tillbridge.contract.names import Proposals
from tillbridge.contract.promises import Connection, Item, Message

STOCK = """
kind = "stock"

[file]
format = "csv"

[row]
product = "product"
location = "location"
quantity = "quantity"
"""

SALE = """
kind = "sale"
identity = ["store", "till", "day", "no"]

[file]
format = "csv"

[head]
location = "store"
till = "till"
sequence = "no"
day = "day"
total = "total"

[[line]]
product = "sku"
quantity = "qty"
net = "net"
tax = "tax"
tax_code = { constant = "std" }

[[tender]]
once = true
tender = { constant = "cash" }
kind = { constant = "cash" }
amount = "total"
"""
SALE_HEADER = "store,till,day,no,sku,qty,net,tax,total\n"


def connection(mapping: str, *, cash_rounding: int = 0) -> Connection:
    """A connection `feed` in New York whose mapping file holds this text."""
    settings = FeedConfig(mapping="mapping.toml", cash_rounding=cash_rounding)
    return Connection(
        name="feed",
        entity="us",
        channel="stores",
        currency="USD",
        timezone="America/New_York",
        settings=settings.with_files(lambda _: mapping),
    )


def items(mapping: str, data: str | bytes, name: str = "day.csv") -> list[Item]:
    """Items of a file."""
    body = data.encode() if isinstance(data, str) else data
    return list(connector.split(io.BytesIO(body), name, connection(mapping)))


def facts(item: Item, mapping: str, *, cash_rounding: int = 0) -> tuple[Body, ...]:
    """Facts of one item; raises what the translator raises."""
    assert not item.problem
    message = Message(
        connection="feed",
        topic=item.topic,
        delivery=item.delivery,
        body=item.body,
        place=item.place,
        received_at=datetime(2026, 1, 15, 12, tzinfo=UTC),
    )
    source = connection(mapping, cash_rounding=cash_rounding)
    return connector.translate(message, source, Proposals("feed")).facts
