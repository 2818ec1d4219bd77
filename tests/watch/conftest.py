"""A database after some trade, once, and copies of it to tell lies in."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment
from tests.stories.till_files import goods, poslog, post_void, receipt, tender
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.cards import GiftCardIssued, StoreCreditExpired, StoreCreditIssued
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.stock import StockLine, TransferDispatched
from tillbridge.canonical.supply import TransferOrdered
from tillbridge.durable import log
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.durable.rooms import Record
from tillbridge.durable.session import connect
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.desk import Ask, answer_group

DAY = datetime(2026, 3, 3, tzinfo=UTC)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def trade(
    server_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Name of a database after trade: shipped, returned, held, parked, refused, sold and voided at
    a till, and a receipt that waits for its journal.
    """
    name = f"tillbridge_trade_{os.getpid()}"
    url = create_database(server_url, name, template=template_database)
    folder: Path = tmp_path_factory.mktemp("watch") / "house"
    with house(folder, url) as shop:
        _trade(shop)
        assert shop.lies() == []
    yield name
    drop_database(server_url, name)


def _receipt(number: int) -> str:
    return receipt(number, [goods("A2", "10.00", "0.80"), tender("10.80")], "10.80", "0.80")


def _fill_carts(shop: House) -> None:
    """A cart that is open for a long time, and one that was given back."""
    carts = [
        Ask(
            key=f"hold/web/{number}",
            verb="hold",
            channel="web",
            lines=(StockLine("1", "P1", 1000),),
            locations=("wh-east",),
            expires_at=datetime(2100, 1, 1, tzinfo=UTC),
        )
        for number in (1, 2)
    ]
    release = Ask(key="hold/web/2", verb="release")
    told = answer_group(shop.connection, [*carts, release], RulesInForce(), datetime.now(UTC))
    shop.connection.commit()
    assert all(one.ok for one in told)


def _send(shop: House) -> None:
    """A transfer of three, of which one left."""
    told: dict[str, Any] = {
        "key": "transfer/T-1",
        "source": "feed",
        "mapping": "feed/1",
        "occurred_at": DAY,
        "business_date": DAY.date(),
        "entities": Entities(selling="us"),
        "transfer": "T-1",
        "origin": "wh-east",
        "destination": "store-nyc",
    }
    order = TransferOrdered(
        **told, id="transfer/T-1@1", version="1", lines=(StockLine("1", "P2", 3000),)
    )
    part = TransferDispatched(
        **told, id="transfer/T-1/dispatch/1", lines=(StockLine("1", "P2", 1000),)
    )
    for fact in (order, part):
        record = Record(fact.key, type(fact).__name__, fact, lane_of(fact.key))
        log.append_and_commit(shop.connection, [record])
        shop.flow()


def _tell_of_cards(shop: House) -> None:
    """A gift card that was sold somewhere, and credit of which some expired."""
    about: dict[str, Any] = {
        "source": "cards",
        "mapping": "feed/1",
        "occurred_at": DAY,
        "business_date": DAY.date(),
        "entities": Entities(selling="us"),
        "currency": "USD",
    }
    facts = (
        GiftCardIssued(key="card/G-77", id="card/cards/1", card="G-77", amount=5000,
                       reference="1", **about),
        StoreCreditIssued(key="card/S-77", id="card/cards/2", card="S-77", amount=900,
                          reason="given", reference="2", **about),
        StoreCreditExpired(key="card/S-77", id="card/cards/3", card="S-77", amount=300,
                           reference="3", **about),
    )  # fmt: skip
    for fact in facts:
        record = Record(fact.key, type(fact).__name__, fact, lane_of(fact.key))
        log.append_and_commit(shop.connection, [record])
    shop.flow()


def _trade(shop: House) -> None:
    _send(shop)
    _tell_of_cards(shop)
    shop.web("orders/create", paid_order(1, [line(1, quantity=2)], "20.00"))
    shop.web("fulfillments/create", shipment(1, 1, {1: 2}))
    back = {
        "line_item_id": 1,
        "quantity": 1,
        "subtotal": "10.00",
        "total_tax": "0.00",
        "restock_type": "return",
        "location_id": 5501,
    }
    shop.web("refunds/create", refund(1, 1, [back], "10.00"))
    shop.web("orders/create", paid_order(4, [line(1)], "10.00"))
    shop.file("stores", poslog(_receipt(1), _receipt(2), post_void(3, 2)), "day.xml")
    shop.drain()
    shop.fault("refuse", count=1)
    shop.web("orders/create", paid_order(2, [line(1), line(2)], "20.00"))
    shop.web("orders/create", paid_order(3, [line(1, sku="SKU-9")], "10.00"))
    shop.drain()
    _fill_carts(shop)
    shop.file("stores", poslog(_receipt(5)), "late.xml")
    assert sorted(shop.cases()) == ["document_refused", "mapping_missing"]


@pytest.fixture
def tables(server_url: str, trade: str) -> Iterator[psycopg.Connection]:
    """A copy of that database whose triggers and keys look away."""
    name = f"tillbridge_lie_{os.getpid()}_{next(_numbers)}"
    with connect(create_database(server_url, name, template=trade)) as connection:
        connection.execute("set session_replication_role = replica")
        connection.commit()
        yield connection
    drop_database(server_url, name)
