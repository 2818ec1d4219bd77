"""A payment is held, taken in parts, settled unlike it was held, given back in vain, disputed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.checkout import checkout
from tests.stories.shop import House, house
from tillbridge.app.worker import chores


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def cases(shop: House) -> list[tuple[object, ...]]:
    return shop.rows(
        "select reason, owner, amount from exception_case where state = 'open' order by reason"
    )


def test_a_hold_is_taken_in_parts_and_one_that_lapses_is_told_in_time(shop: House) -> None:
    with checkout(shop) as web:
        web.payment("H-1", "authorized", "a-1", "65.00", intent="pi_1")
        web.order("H-1", "65.00")
        assert shop.balances() == {}  # held, not taken
        web.payment("H-1", "captured", "c-1", "20.00", intent="pi_1", parent="a-1")
        assert shop.balances() == {"clearing/card": 2000, "customer-deposits": -2000}
        holds = chores(shop.hub)["holds"]
        holds(shop.connection, datetime(2026, 3, 7, tzinfo=UTC))
        shop.connection.commit()
        shop.flow()
        assert cases(shop) == []
        for _ in range(2):  # seven days after the authorisation, by the terms of sale
            holds(shop.connection, datetime(2026, 3, 8, 12, tzinfo=UTC))
            shop.connection.commit()
        shop.flow()
        assert cases(shop) == [("authorization_lapsing", "ecommerce", 4500)]
        web.payment("H-1", "captured", "c-2", "45.00", intent="pi_1", parent="a-1")
        assert cases(shop) == []
        web.payment("H-1", "voided", "v-1", "", intent="pi_1", parent="a-1")
        web.payment("H-1", "captured", "c-3", "1.00", intent="pi_1", parent="a-1", at=LATER)
        assert cases(shop) == [
            ("capture_after_void", "finance", 100),
            ("capture_beyond_authorization", "finance", 100),
        ]
    assert shop.lies(quiesced=False) == []


LATER = "2026-03-03T09:31:00Z"


def test_a_refund_that_comes_back_is_owed_again(shop: House) -> None:
    with checkout(shop) as web:
        web.order("H-2", "65.00")
        web.payment("H-2", "captured", "c-1", "65.00")
        web.payment("H-2", "refunded", "r-1", "65.00", parent="c-1")
        assert shop.balances() == {}
        web.payment("H-2", "refund_failed", "r-1", "65.00", at=LATER)
        assert shop.balances() == {"clearing/card": 6500, "customer-deposits": -6500}
        assert cases(shop) == [("refund_failed", "finance", 6500)]
        web.payment("H-2", "refunded", "r-2", "65.00", at="2026-03-04T09:31:00Z")
    assert shop.balances() == {}
    assert cases(shop) == []
    assert shop.lies(quiesced=False) == []


def test_a_dispute_holds_the_money_until_it_is_won_or_lost(shop: House) -> None:
    with checkout(shop) as web:
        for number in ("H-3", "H-4"):
            web.order(number, "65.00")
            web.payment(number, "captured", f"c-{number}", "65.00")
        web.payment("H-3", "dispute_won", "dp-3", "", at=LATER)  # told before its beginning
        web.payment("H-3", "disputed", "dp-3", "65.00", fee="15.00")
        assert cases(shop) == []
        web.payment("H-4", "disputed", "dp-4", "65.00", fee="15.00", respond_by=LATER)
        assert cases(shop) == [("payment_disputed", "finance", 6500)]
        assert shop.balances() == {
            "clearing/card": 2 * 6500 - 6500 - 2 * 1500,
            "customer-deposits": -2 * 6500,
            "disputes": 6500,
            "fees/card": 3000,
        }
        web.payment("H-4", "dispute_lost", "dp-4", "", at=LATER)
        assert shop.balances()["chargeback-losses"] == 6500
        assert "disputes" not in shop.balances()
        assert cases(shop) == []
        web.payment("H-4", "refunded", "r-4", "10.00", at=LATER)
        assert cases(shop) == [("refund_while_disputed", "finance", 1000)]
    assert shop.lies(quiesced=False) == []
