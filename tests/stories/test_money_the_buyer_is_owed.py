"""Paid twice, paid for what was then cancelled, paid by a wallet nobody knows: the money stays on
the order, is booked on the day it moved, and is a case until it goes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stories.checkout import checkout
from tests.stories.shop import House, house
from tillbridge.app.worker import chores


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def look(shop: House, day: int) -> list[tuple[object, ...]]:
    """What the schedule finds on a day of March at noon."""
    chores(shop.hub)["owed"](shop.connection, datetime(2026, 3, day, 12, tzinfo=UTC))
    shop.connection.commit()
    return shop.rows(
        "select key, owner, amount from exception_case where state = 'open' order by key"
    )


def test_a_cancelled_order_that_nobody_refunds_is_a_case_after_three_days(shop: House) -> None:
    gone: dict[str, Any] = {
        "updated_at": "2026-03-04T10:00:00Z",
        "cancelled_at": "2026-03-04T10:00:00Z",
    }
    with checkout(shop) as web:
        for number in ("C-1", "C-2"):
            web.order(number, "65.00")
            web.payment(number, "captured", f"c-{number}", "65.00")
            web.order(number, "65.00", **gone)
        assert shop.balances() == {"clearing/card": 13000, "customer-deposits": -13000}
        web.payment("C-2", "refunded", "r-2", "65.00", at="2026-03-05T10:00:00Z")
        assert look(shop, 6) == []
        assert look(shop, 8) == [("order/callcentre/C-1", "ecommerce", 6500)]
        web.payment("C-1", "refunded", "r-1", "65.00", at="2026-03-09T10:00:00Z")
        assert look(shop, 9) == []
    assert shop.balances() == {}
    assert shop.stock("P1") == (20, 0)
    assert not shop.drain(60.0).moving
    papers = dict(shop.rows("select op, kind from document where key like 'order/callcentre/C-%%'"))
    assert sorted(papers.values()) == ["sales_order"] * 2 + ["sales_order_cancel"] * 2
    assert shop.lies() == []


def test_what_is_paid_beyond_the_total_is_the_buyers_until_it_goes_back(shop: House) -> None:
    with checkout(shop) as web:
        web.order("P-1", "20.00", paid="25.00", tender="card")
        assert shop.balances() == {"clearing/card": 2500, "customer-deposits": -2500}
        assert look(shop, 6) == [("order/callcentre/P-1", "ecommerce", 500)]
        # five days later the shop says that it keeps twenty
        later = "2026-03-07T16:00:00Z"
        web.order("P-1", "20.00", paid="20.00", tender="card", updated_at=later)
        assert look(shop, 12) == []
    assert shop.balances() == {"clearing/card": 2000, "customer-deposits": -2000}
    days = shop.rows("select business_date::text from entry order by at, fact")
    assert days == [("2026-03-02",), ("2026-03-07",)]
    assert shop.lies(quiesced=False) == []


def test_a_tender_nobody_knows_is_a_case_and_no_account(shop: House) -> None:
    with checkout(shop) as web:
        web.order("W-1", "20.00")
        web.payment("W-1", "captured", "k-1", "20.00", tender="klarna pay later")
        assert (shop.cases(), shop.balances()) == (["mapping_missing"], {})
        shop.names([("callcentre", "tender", "klarna pay later", "klarna")])
        assert not shop.drain(60.0).moving
    assert shop.cases() == []
    assert shop.balances() == {"clearing/klarna": 2000, "customer-deposits": -2000}
    assert shop.lies() == []
