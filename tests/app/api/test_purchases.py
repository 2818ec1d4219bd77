"""Purchases over the API: told by version, received in parts, looked at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.api.test_transfers import Door
from tests.app.api.test_transfers import door as door  # noqa: PLC0414 - the fixture

BODY: dict[str, Any] = {
    "number": "PO 7",
    "version": "0001",
    "supplier": "Acme",
    "location": "wh-east",
    "due_at": "2026-03-09T06:00:00Z",
    "lines": [{"product": "P1", "quantity": "12"}],
}
CAME: dict[str, Any] = {"location": "wh-east", "lines": [{"product": "P1", "quantity": "5"}]}


def tell(door: Door, key: str, once: str, path: str = "", **body: Any) -> Any:
    heads = {b"idempotency-key": once.encode()}
    return door.caller.ask(f"/v1/purchases{path}", key, body=body, heads=heads)


def stands(door: Door, key: str) -> dict[str, Any]:
    door.shop.flow()
    found: dict[str, Any] = door.caller.ask("/v1/purchases/PO%207", key).body
    return found


def test_a_purchase_is_told_and_received_once(door: Door) -> None:
    key = door.key("max", "operator")
    told = tell(door, key, "k-1", **BODY)
    assert (told.status, told.body) == (202, {"number": "PO 7", "key": "supply/PO 7"})
    assert tell(door, key, "k-1", **BODY).headers[b"idempotent-replayed"] == b"true"
    assert stands(door, key)["status"] == "ordered"
    for _ in range(2):
        assert tell(door, key, "k-2", "/PO%207/receipts", **CAME).status == 202
    assert door.shop.stock("P1") == (20, 0)
    found = stands(door, key)
    assert door.shop.stock("P1") == (25, 0)
    assert found == {
        "number": "PO 7",
        "status": "part-received",
        "supplier": "Acme",
        "location": "wh-east",
        "due_at": "2026-03-09T06:00:00Z",
        "version": "0001",
        "expected": "12",
        "received": "5",
        "on_order": "7",
        "late": True,
    } | {"late": found["late"]}
    more = [{"product": "P1", "quantity": "20"}]
    assert tell(door, key, "k-3", **{**BODY, "version": "0002", "lines": more}).status == 202
    assert stands(door, key)["on_order"] == "15"
    assert tell(door, key, "k-4", "/PO%207/receipts", **CAME, complete=True).status == 202
    assert stands(door, key)["status"] == "closed"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"location": "moon"}, "location-unknown"),
        ({"lines": [{"product": "P9", "quantity": "1"}]}, "product-unknown"),
        ({"lines": [{"product": "P1", "quantity": "one"}]}, "refused"),
        ({"supplier": ""}, "request-invalid"),
    ],
)
def test_what_the_book_would_refuse_is_refused_in_words(
    door: Door, changed: dict[str, Any], why: str
) -> None:
    key = door.key("max", "operator")
    told = tell(door, key, "k-1", **{**BODY, **changed})
    assert told.body["type"].endswith(why)


def test_goods_of_no_purchase_and_askers_without_the_right_are_turned_away(door: Door) -> None:
    assert tell(door, door.key("max", "operator"), "k", "/PO-9/receipts", **CAME).status == 404
    assert tell(door, door.key("eve", "viewer"), "k", **BODY).status == 403
