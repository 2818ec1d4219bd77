"""The buyer cancels: before anybody was asked, while the warehouse works on it, after it left.

Whatever the stage, stock, books, the ERP's papers and the warehouse end where they belong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.stories.shop import line, paid_order, refund
from tests.stories.warehouses import Floors, floors

STAGES = ("unpaid", "asked", "picked", "packed", "part-shipped", "shipped", "delivered")
ENDS: dict[str, tuple[int, str, list[str], str]] = {
    "unpaid": (0, "", [], ""),
    "asked": (0, "Cancelled", ["sales_order", "sales_order_cancel/1"], "cancelled"),
    "picked": (2, "Fulfilled", ["sales_order", "sales_order_cancel/1"], "too_late"),
    "packed": (2, "Fulfilled", ["sales_order", "sales_order_cancel/1"], "too_late"),
    "part-shipped": (0, "PartiallyFulfilled",
                     ["credit_note/1", "invoice/1", "sales_order", "sales_order_change/1"],
                     "cancelled"),
    "shipped": (0, "Fulfilled", ["credit_note/1", "invoice/1", "sales_order"], ""),
    "delivered": (0, "Fulfilled", ["credit_note/1", "invoice/1", "sales_order"], ""),
}  # fmt: skip
"""By stage: pieces missing on the shelf at the end (too late, and not back), the order at the
warehouse, the ERP's papers, what the warehouse said to being called off.
"""


def test_a_cancellation_ends_defined_at_every_stage(tmp_path: Path, database_url: str) -> None:
    with floors(tmp_path / "house", database_url) as house:
        for number, stage in enumerate(STAGES, 5001):
            _live(house, number, stage)
        house.settled()
        for number, stage in enumerate(STAGES, 5001):
            _cancel(house, number, stage)
        house.settled()
        for number, stage in enumerate(STAGES, 5001):
            if ENDS[stage][0]:  # it could not be called off: it leaves
                house.service.ship(_ask(number))
        house.settled()
        for number, stage in enumerate(STAGES, 5001):
            assert _end(house, number) == ENDS[stage][1:], stage
        shop = house.shop
        missing = sum(ENDS[stage][0] for stage in STAGES)
        assert shop.stock("P1") == (20 - missing, 0)
        assert shop.balances() == {}
        assert sorted(shop.cases()) == ["called_off_too_late"] * 2
        assert not shop.drain().moving
        assert shop.lies() == []


def _ask(number: int) -> str:
    return f"order/web/{number}/fulfilment_request/1"


def _lines() -> list[dict[str, Any]]:
    return [line(1, quantity=2, price="10.00")]


def _live(house: Floors, number: int, stage: str) -> None:
    """An order as far as its stage."""
    if stage == "unpaid":
        unpaid = {"financial_status": "pending", "transactions": []}
        house.shop.web("orders/create", paid_order(number, _lines(), "20.00", **unpaid))
        return
    house.ordered((1, 2), number=number)
    steps: dict[str, list[Callable[[str], None]]] = {
        "picked": [house.service.pick],
        "packed": [house.service.pick, house.service.pack],
        "shipped": [house.service.ship],
        "delivered": [house.service.ship, house.service.deliver],
    }
    for step in steps.get(stage, []):
        step(_ask(number))
    if stage == "part-shipped":
        house.service.split(_ask(number), 1)
        house.service.ship(_ask(number), parcels=1)


def _cancel(house: Floors, number: int, stage: str) -> None:
    """The shop cancels it and gives the money back; what had left comes back to the shelf."""
    gone = paid_order(
        number,
        _lines(),
        "20.00",
        cancelled_at="2026-03-05T22:20:00-05:00",
        updated_at="2026-03-05T22:20:00-05:00",
        **({"financial_status": "voided", "transactions": []} if stage == "unpaid" else {}),
    )
    house.shop.web("orders/cancelled", gone)
    if stage == "unpaid":
        return
    left = {"part-shipped": 1, "shipped": 2, "delivered": 2}.get(stage, 0)
    rows = [
        _back(number * 10 + n, pieces, restock)
        for n, (pieces, restock) in enumerate(((left, "return"), (2 - left, "cancel")))
        if pieces
    ]
    house.shop.web("refunds/create", refund(number, number, rows, "20.00"))


def _back(row: int, pieces: int, restock: str) -> dict[str, Any]:
    place = 5501 if restock == "return" else None
    return {
        "id": row, "line_item_id": 1, "quantity": pieces, "subtotal": f"{pieces * 10}.00",
        "total_tax": "0.00", "restock_type": restock, "location_id": place,
        "line_item": _lines()[0],
    }  # fmt: skip


def _end(house: Floors, number: int) -> tuple[str, list[str], str]:
    """The order at the warehouse, what the ERP took, what was said to being called off."""
    rows = [one for one in house.service.orders.values() if one["reference_id"] == _ask(number)]
    key = f"order/web/{number}/"
    papers = [
        op.removeprefix(key)
        for op, state in house.shop.documents().items()
        if op.startswith(key) and state == "accepted" and "fulfilment" not in op
    ]
    said = house.shop.rows(
        "select coalesce(nullif(convert_from(body, 'UTF8')::json ->> 'answer', ''), '')"
        " from record where type = 'DocumentAccepted' and key = %s"
        " and convert_from(body, 'UTF8')::json ->> 'kind' = 'fulfilment_cancel'",
        key.rstrip("/"),
    )
    return (rows[0]["status"] if rows else ""), papers, said[0][0] if said else ""
