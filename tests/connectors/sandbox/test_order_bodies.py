"""Bodies for benches are distinct, of the wanted size, and add up."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import msgspec

from tillbridge.connectors.sandbox.order_bodies import order_bodies


def read(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(body)
    return found


def test_bodies_are_distinct_in_every_identity() -> None:
    orders = [read(body) for body in order_bodies(500)]
    ids = [order["id"] for order in orders]
    ids += [line["id"] for order in orders for line in order["line_items"]]
    ids += [line["id"] for order in orders for line in order["shipping_lines"]]
    ids += [order["customer"]["id"] for order in orders]
    assert len(set(ids)) == len(ids)
    for name in ("order_number", "name", "email", "token"):
        assert len({order[name] for order in orders}) == 500
    assert orders[0]["name"] == f"#{orders[0]['order_number']}"


def test_bodies_have_the_wanted_size_and_lines() -> None:
    bodies = list(order_bodies(96, lines=4, size_bytes=5000))
    assert all(4900 <= len(body) <= 5800 for body in bodies)
    assert all(len(read(body)["line_items"]) == 4 for body in bodies)


def test_bodies_are_paid_and_add_up() -> None:
    for body in order_bodies(96):
        order = read(body)
        assert (order["financial_status"], order["total_outstanding"]) == ("paid", "0.00")
        total = Decimal(0)
        for line in order["line_items"]:
            total += Decimal(line["price"]) * line["quantity"]
            total -= sum(Decimal(one["amount"]) for one in line["discount_allocations"])
            total += sum(Decimal(tax["price"]) for tax in line["tax_lines"])
        for line in order["shipping_lines"]:
            total += Decimal(line["price"]) + sum(Decimal(t["price"]) for t in line["tax_lines"])
        assert total == Decimal(order["total_price"])


def test_a_seed_repeats_its_bodies_and_another_seed_has_other_ids() -> None:
    assert list(order_bodies(60, seed=2)) == list(order_bodies(60, seed=2))
    first = {read(body)["id"] for body in order_bodies(60, seed=2)}
    assert not first & {read(body)["id"] for body in order_bodies(60, seed=3)}


def test_bodies_come_quickly() -> None:
    began = time.perf_counter()
    assert sum(1 for _ in order_bodies(5000)) == 5000
    assert time.perf_counter() - began < 2.0
