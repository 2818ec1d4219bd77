"""Transfers over the API: ordered once for each Idempotency-Key, by who may, and looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.api.caller import Caller, Told, client_key
from tests.stories.shop import House, house
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.atoms.ids import SystemIds
from tillbridge.inbox.group_commit import IntakeWriter
from tillbridge.triage import operators

BODY: dict[str, Any] = {
    "number": "T 1/7",
    "origin": "wh-east",
    "destination": "store-nyc",
    "lines": [{"product": "P1", "quantity": "2"}],
    "due_at": "2026-03-09T06:00:00Z",
}


class Door:
    """A house, and somebody who asks it."""

    def __init__(self, shop: House) -> None:
        self.shop = shop
        writer = IntakeWriter(shop.hub.url)
        self.resources = Resources(shop.hub.url, shop.hub.workspace.settings, writer)
        self.caller = Caller(Api(self.resources))

    def key(self, name: str, *roles: str, entities: tuple[str, ...] = ()) -> str:
        connection = self.shop.connection
        operators.of_account(connection, "ann", "ann")
        grant = operators.Grant(name, list(roles), entities=list(entities))
        operators.put(connection, grant, "ann", "")
        now = self.shop.hub.clock.now()
        terms = operators.KeyTerms(5)
        key = operators.make_key(connection, name, "ann", terms, now=now, ids=SystemIds())
        connection.commit()
        return key

    def order(self, key: str, once: str = "k-1", **changed: Any) -> Told:
        heads = {b"idempotency-key": once.encode()}
        return self.caller.ask("/v1/transfers", key, body={**BODY, **changed}, heads=heads)


@pytest.fixture
def door(tmp_path: Path, database_url: str) -> Iterator[Door]:
    with house(tmp_path / "house", database_url) as shop:
        found = Door(shop)
        yield found
        found.resources.stop()


def test_a_transfer_is_ordered_once_and_looked_at(door: Door) -> None:
    key = door.key("max", "operator")
    told = door.order(key)
    assert (told.status, told.body) == (202, {"number": "T 1/7", "key": "transfer/T 1%2F7"})
    again = door.order(key)
    assert (again.status, again.body) == (202, told.body)
    assert again.headers[b"idempotent-replayed"] == b"true"
    assert door.order(key, destination="wh-east").body["type"].endswith("idempotency-key-reused")
    assert door.order(key, "k-2").body["type"].endswith("refused")
    door.shop.flow()
    assert door.shop.stock("P1") == (20, 2)
    stands = door.caller.ask("/v1/transfers/T%201%2F7", key)
    assert stands.body == {
        "number": "T 1/7",
        "status": "held",
        "origin": "wh-east",
        "destination": "store-nyc",
        "due_at": "2026-03-09T06:00:00Z",
        "held": "2",
        "sent": "0",
        "received": "0",
        "in_transit": "0",
    }
    assert door.caller.ask("/v1/transfers/T2", key).status == 404
    acts = door.shop.rows("select actor, action, subject from audit where action like 'transfers%'")
    assert acts == [("max", "transfers.order", told.body["key"])]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"origin": "moon"}, "location-unknown"),
        ({"origin": "store-nyc"}, "refused"),
        ({"lines": [{"product": "P77", "quantity": 1}]}, "product-unknown"),
        ({"lines": [{"product": "P1", "quantity": "0"}]}, "request-invalid"),
        ({"lines": []}, "request-invalid"),
    ],
)
def test_what_cannot_be_sent_is_a_problem_and_tells_nothing(
    door: Door, changed: dict[str, Any], why: str
) -> None:
    told = door.order(door.key("max", "operator"), **changed)
    assert told.body["type"] == f"/v1/problems/{why}"
    assert door.shop.rows("select 1 from record where type = 'TransferOrdered'") == []


def test_who_may_not_is_refused(door: Door) -> None:
    assert door.order(door.key("vic", "viewer")).status == 403
    assert door.order(door.key("eve", "operator", entities=("de",))).status == 403
    assert door.order(client_key(door.shop.connection, "orders:write")).status == 403
