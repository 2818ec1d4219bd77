"""Money that was taken and that no settlement tells of, by account, entity and month."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tests.stories.shop import House
from tests.stories.test_payout_down_to_the_bank_line import (
    lines,
    payouts,
    shop,
    sold,
    transaction,
)
from tillbridge.reconciliation.settlement.rules import Account
from tillbridge.reconciliation.settlement.unsettled import tell_unsettled

__all__ = ["shop"]
TAKEN = datetime(2026, 3, 3, 14, tzinfo=UTC)


def found(shop: House, days: int, *accounts: Account) -> list[tuple[str, int, str]]:
    """Key, amount and currency of the open cases after a look so many days later."""
    asked = accounts or shop.hub.accounts
    tell_unsettled(shop.connection, asked, TAKEN + timedelta(days=days))
    shop.connection.commit()
    return shop.rows(
        "select key, amount, currency from exception_case where state = 'open' order by key"
    )


@pytest.fixture
def payment(shop: House) -> int:
    return sold(shop, 1001, "100.00")


def test_a_payment_is_missed_after_its_days_and_not_before(shop: House, payment: int) -> None:
    shop.settle()
    assert payment
    assert found(shop, 13) == []
    assert found(shop, 15) == [("settlement/shop-pay/USD/2026-03-01", 10_000, "USD")]
    (account,) = [one for one in shop.hub.accounts if one.name == "shop-pay"]
    never = msgspec.structs.replace(
        account, rules=msgspec.structs.replace(account.rules, settle_days=0)
    )
    assert found(shop, 15, never) == []  # whenever it comes
    other = msgspec.structs.replace(account, entity="ca")
    assert found(shop, 15, other) == []  # another entity's account of the same tender


def test_a_line_that_waits_for_its_payout_is_no_missing_file(shop: House, payment: int) -> None:
    shop.file("shop-pay", lines(transaction(801, "charge", "100.00", "3.20", payment)))
    shop.settle()  # its payout's head did not come: the payout is held, the file is there
    assert [row[0] for row in found(shop, 30)] == ["payout/shop-pay/91"]
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "96.80")))
    shop.settle()
    assert found(shop, 30) == []


def test_a_line_that_names_its_order_alone_settles_it(shop: House, payment: int) -> None:
    assert payment
    row = {**transaction(801, "charge", "100.00", "3.20", None), "source_order_id": 1001}
    row["source_id"] = None
    shop.file("shop-pay", lines(row))
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "96.80")))
    shop.settle()
    assert found(shop, 30) == []


def test_a_locked_month_asks_for_nothing(shop: House, payment: int) -> None:
    assert payment
    shop.settle()
    assert found(shop, 30) != []
    shop.connection.execute("set session_replication_role = replica")
    shop.connection.execute(
        "insert into period (entity, period, state, changed_at, changed_by)"
        " values ('us', '2026-03', 'locked', now(), 'ann')"
    )
    shop.connection.commit()
    assert found(shop, 30) == []
