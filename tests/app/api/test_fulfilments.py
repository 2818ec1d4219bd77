"""Stores and warehouses tell what they do with orders: judged, written once, carried through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.api.caller import Caller, Told, client_key
from tests.stories.shop import House, house, line, paid_order
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.inbox.group_commit import IntakeWriter

KEY = "order/web/4711"


class Warehouse:
    """A house with one order, and who picks it."""

    def __init__(self, shop: House, resources: Resources) -> None:
        self.shop = shop
        self._caller = Caller(Api(resources))
        self._key = client_key(shop.connection, "fulfilments:write", name="wh", channel="web")

    def tell(
        self, what: str, body: dict[str, Any], key: str = "k-1", number: str = "#4711"
    ) -> Told:
        raw = f"/v1/orders/{number.replace('#', '%23')}/{what}".encode()
        told = self._caller.ask(
            f"/v1/orders/{number}/{what}",
            self._key,
            body=body,
            heads={b"idempotency-key": key.encode()},
            raw_path=raw,
        )
        self.shop.flow()
        return told

    def facts(self) -> list[str]:
        types = ("PickFailed", "GoodsPicked", "GoodsShipped", "GoodsDelivered", "LineSubstituted")
        query = "select type from record where key = %s and type = any(%s) order by id"
        return [row[0] for row in self.shop.rows(query, KEY, list(types))]

    def status(self) -> str:
        return str(self.shop.rows("select status from order_state where key = %s", KEY)[0][0])


@pytest.fixture
def warehouse(tmp_path: Path, database_url: str) -> Iterator[Warehouse]:
    with house(tmp_path / "house", database_url) as shop:
        shop.web("orders/create", paid_order(4711, [line(1, quantity=2, price="10.00")], "20.00"))
        resources = Resources(database_url, shop.hub.workspace.settings, IntakeWriter(database_url))
        yield Warehouse(shop, resources)
        resources.sessions.close()


def test_a_parcel_goes_its_way_and_each_step_is_told_once(warehouse: Warehouse) -> None:
    lines = [{"line": "1", "quantity": "2"}]
    parcel = {"fulfilment": "P-1", "location": "wh-east", "lines": lines}
    picked = {**parcel, "state": "picked", "at": "2026-03-03T09:00:00Z"}
    told = warehouse.tell("fulfilments", picked)
    assert (told.status, told.body["fact"]) == (202, f"{KEY}/shipment/wh/k-1")
    again = warehouse.tell("fulfilments", picked)
    assert (again.body, again.headers[b"idempotent-replayed"]) == (told.body, b"true")
    assert (warehouse.status(), warehouse.facts()) == ("picking", ["GoodsPicked"])
    shipped = {**parcel, "state": "shipped", "at": "2026-03-03T11:00:00Z", "tracking": "T"}
    other = warehouse.tell("fulfilments", shipped)
    assert (other.status, other.body["type"]) == (422, "/v1/problems/idempotency-key-reused")
    warehouse.tell("fulfilments", shipped, "k-2")
    assert (warehouse.status(), warehouse.shop.stock("P1")) == ("shipped", (18, 0))
    arrived = {"fulfilment": "P-1", "state": "delivered", "at": "2026-03-05T11:00:00Z"}
    warehouse.tell("fulfilments", arrived, "k-3")
    assert (warehouse.status(), warehouse.shop.stock("P1")) == ("delivered", (18, 0))
    acts = warehouse.shop.rows("select actor, action from audit where subject = %s", KEY)
    assert acts == [("wh", "orders.fulfilment")] * 3
    assert not warehouse.shop.drain().moving
    assert warehouse.shop.lies() == []


def test_what_was_not_found_is_written_off_and_missed_somewhere_else(warehouse: Warehouse) -> None:
    missed = {"location": "wh-east", "reason": "no_pick", "lines": [{"line": "1"}]}
    assert warehouse.tell("pick-failures", missed).status == 202
    assert warehouse.facts() == ["PickFailed"]
    assert warehouse.shop.stock("P1") == (18, 0)
    assert warehouse.shop.cases() == ["stock_short"]


def test_a_substitute_is_told_with_its_price(warehouse: Warehouse) -> None:
    swap = {"substitution": "S", "line": "1", "product": "P2", "quantity": "1", "net": "9.50"}
    assert warehouse.tell("substitutions", swap).status == 202
    assert warehouse.shop.cases() == ["substitution_refused"]


@pytest.mark.parametrize(
    ("what", "changed", "problem"),
    [
        ("pick-failures", {"location": "moon"}, "location-unknown"),
        ("pick-failures", {"lines": [{"line": "9"}]}, "refused"),
        ("pick-failures", {"at": "2999-01-01T00:00:00Z"}, "request-invalid"),
        ("pick-failures", {"reason": "lost"}, "request-invalid"),
        ("pick-failures", {"lines": [{"line": "1", "quantity": "0.00001"}]}, "request-invalid"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    warehouse: Warehouse, what: str, changed: dict[str, Any], problem: str
) -> None:
    told = warehouse.tell(what, {"location": "wh-east", "reason": "no_pick", **changed})
    assert told.body["type"] == f"/v1/problems/{problem}"
    assert warehouse.facts() == []


def test_an_order_and_a_product_nobody_told_of_are_refused(warehouse: Warehouse) -> None:
    failure = {"location": "wh-east", "reason": "no_pick"}
    told = warehouse.tell("pick-failures", failure, number="#1")
    assert told.body["type"] == "/v1/problems/not-found"
    strange = {"line": "1", "quantity": "1", "product": "P9"}
    bag = {"fulfilment": "P-1", "state": "shipped", "lines": [strange]}
    assert warehouse.tell("fulfilments", bag).body["type"] == "/v1/problems/product-unknown"
