"""Orders handed in: judged at the door, stored before the answer, carried through by the flow."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from psycopg import Connection

from tests.app.api.caller import Caller, Told, client_key
from tests.app.api.stocked import stock
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.app.hub import Hub
from tillbridge.app.settings import Workspace, load_workspace
from tillbridge.app.settings_tables import ChannelSettings, ConnectionSettings
from tillbridge.app.workspace import write
from tillbridge.atoms.ids import SeededIds
from tillbridge.inbox.group_commit import IntakeWriter

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ORDER: dict[str, Any] = {
    "number": "CC 1/7",
    "placed_at": "2026-03-01T09:30:00Z",
    "currency": "USD",
    "total": "65.00",
    "paid": "65.00",
    "tender": "card",
    "customer": {"id": "C-9", "email": "ada@example.com"},
    "ship_to": {"country": "US", "region": "NY", "postcode": "10001"},
    "lines": [
        {"line": "1", "product": "P1", "quantity": "2", "list": "60.00"},
        {"line": "s", "kind": "shipping", "quantity": "1", "list": "5.00"},
    ],
}


def order(**changed: Any) -> dict[str, Any]:
    return {**copy.deepcopy(ORDER), **changed}


class Door:
    """A hub with a call centre, and the call centre."""

    def __init__(self, hub: Hub, connection: Connection) -> None:
        self.hub, self.connection = hub, connection
        self.writer = IntakeWriter(hub.url)
        self.resources = Resources(hub.url, hub.workspace.settings, self.writer)
        self.caller = Caller(Api(self.resources))
        self.key = client_key(connection, "orders:write", name="calls", channel="phone")

    def hand_in(self, body: dict[str, Any], key: str = "k-1", **heads: bytes) -> Told:
        given = {b"idempotency-key": key.encode()}
        given |= {name.encode(): value for name, value in heads.items()}
        return self.caller.ask("/v1/orders", self.key, body=body, heads=given)

    def standing(self, number: str = "CC 1/7") -> Told:
        raw = f"/v1/orders/{quote(number, safe='')}".encode()  # as a server hands it over
        return self.caller.ask(f"/v1/orders/{number}", self.key, raw_path=raw)

    def count(self, what: str) -> int:
        row = self.connection.execute(f"select count(*) from {what}".encode()).fetchone()
        self.connection.rollback()
        return int(row[0]) if row else 0


@pytest.fixture
def door(connection: Connection, database_url: str, tmp_path: Path) -> Iterator[Door]:
    write(tmp_path / "house", SeededIds(1))
    loaded = load_workspace(tmp_path / "house")
    phone = ChannelSettings(code="phone", entity="us", fulfil_from=("wh-east", "store-nyc"))
    calls = ConnectionSettings(connector="direct", entity="us", channel="phone")
    settings = msgspec.structs.replace(
        loaded.settings,
        channel=[*loaded.settings.channel, phone],
        connection={**loaded.settings.connection, "calls": calls},
    )
    stock(connection, "wh-east", "P1", 5)
    door = Door(Hub(Workspace(loaded.folder, settings), database_url), connection)
    for part in (door.writer, door.resources):
        part.start()
    yield door
    for part in (door.resources, door.writer):
        part.stop()


def test_an_order_is_stored_told_and_carried_through(door: Door) -> None:
    told = door.hand_in(ORDER, traceparent=TRACE)
    assert (told.status, told.body) == (202, {"number": "CC 1/7", "key": "order/calls/CC 1%2F7"})
    assert told.headers[b"location"] == b"/v1/orders/CC%201%2F7"
    standing = door.standing()
    assert (standing.body["status"], standing.body["waiting"]) == ("received", False)
    door.hub.runner(door.connection).drain()
    standing = door.standing()
    assert (standing.body["status"], standing.body["total"]) == ("paid", "65.00")
    assert door.count("reservation where key = 'order/calls/CC 1%2F7' and quantity = 2000") == 1
    assert door.count("party where erased_at is null") == 1
    traced = "record where trace = convert_to('" + TRACE.decode() + "', 'UTF8')"
    assert door.count(f"{traced} and type = 'OrderPlaced'") == 1


def test_the_same_again_is_answered_the_same_and_taken_in_once(door: Door) -> None:
    first, again = door.hand_in(ORDER), door.hand_in(ORDER)
    assert (first.status, again.status) == (202, 202)
    assert first.body == again.body
    assert b"idempotent-replayed" not in first.headers
    assert again.headers[b"idempotent-replayed"] == b"true"
    assert door.count("message") == 1
    other = door.hand_in(order(number="CC-2"))
    assert (other.status, other.body["type"]) == (422, "/v1/problems/idempotency-key-reused")


def test_a_later_version_wins_and_a_cancelled_order_gives_its_stock_back(door: Door) -> None:
    door.hand_in(ORDER)
    gone = "2026-03-01T10:00:00Z"
    assert door.hand_in(order(cancelled_at=gone, updated_at=gone), "k-2").status == 202
    door.hub.runner(door.connection).drain()
    assert door.standing().body["status"] == "cancelled"
    assert door.count("reservation where quantity > 0") == 0


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"total": "64.99"}, "order-contradicts"),
        ({"total": "65.001"}, "order-contradicts"),
        ({"currency": "XXY"}, "order-contradicts"),
        ({"lines": ORDER["lines"] * 2, "total": "130.00"}, "order-contradicts"),
        ({"location": "moon"}, "location-unknown"),
        ({"lines": [{**ORDER["lines"][0], "product": "P9"}], "total": "60.00"}, "product-unknown"),
        ({"lines": [{**ORDER["lines"][0], "quantity": "-2"}]}, "request-invalid"),
        ({"lines": [{**ORDER["lines"][0], "quantity": "0"}], "total": "60"}, "order-contradicts"),
        ({"lines": []}, "request-invalid"),
        ({"placed_at": "2026-03-01T09:30:00"}, "request-invalid"),
        ({"numbr": "1"}, "request-invalid"),
        ({"placed_at": "9999-12-31T23:59:59-12:00"}, "order-contradicts"),
        ({"placed_at": "0001-01-01T00:00:00+12:00"}, "order-contradicts"),
        ({"updated_at": "9999-12-31T23:59:59-12:00"}, "order-contradicts"),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_leaves_nothing(
    door: Door, changed: dict[str, Any], problem: str
) -> None:
    told = door.hand_in(order(**changed))
    assert told.body["type"] == f"/v1/problems/{problem}"
    assert door.count("message") == 0


def test_a_channel_sees_its_own_orders_and_needs_a_connection_for_them(door: Door) -> None:
    door.hand_in(ORDER)
    door.hub.runner(door.connection).drain()
    door.key = client_key(door.connection, "orders:write", name="shop", channel="web")
    assert door.standing().status == 404
    told = door.hand_in(ORDER)
    assert (told.status, told.body["type"]) == (422, "/v1/problems/refused")
