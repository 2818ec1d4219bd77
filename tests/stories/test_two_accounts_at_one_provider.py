"""Two shops, each with an account at the same provider: the same ids in both, and neither skips or
takes what is the other's. What came is counted and summed per account, so nothing is lost unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.checkout import checkout
from tests.stories.shop import House, house
from tests.stories.test_payout_down_to_the_bank_line import (
    CONNECTIONS,
    lines,
    payouts,
    sold,
    statement,
    transaction,
)
from tillbridge.atoms.clock import FixedClock

SECOND = """
[connection.phone-pay]
connector = "shopify_payments"
entity = "us"
[connection.phone-pay.settle]
tenders = ["card"]
orders = ["callcentre"]
bank = "house-bank"
bank_texts = ["PHONE"]
"""


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    """A house with a web shop and a call centre, an account each, one bank."""

    def furnish(folder: Path) -> None:
        settings = folder / "tillbridge.toml"
        settings.write_text(settings.read_text() + CONNECTIONS + SECOND)

    clock = FixedClock(datetime(2026, 3, 6, 12, tzinfo=UTC))
    with house(tmp_path / "shop", database_url, clock=clock, furnish=furnish) as found:
        yield found


def ties(shop: House) -> dict[str, tuple[int, int]]:
    """Both sides of every tie-out by its name."""
    told = json.loads(shop.verb("--json", "reconcile", "status"))["tie_outs"]
    return {row["name"]: (row["books"], row["theirs"]) for row in told}


def test_neither_account_skips_or_takes_what_is_the_others(shop: House) -> None:
    with checkout(shop) as phone:
        web = sold(shop, 1001, "100.00")
        phone.order("P-1", "40.00")
        phone.payment("P-1", "captured", str(web), "40.00")  # the very same id at the other account
        # the same payout and the same line in both files; the second export overlaps the first
        first = transaction(801, "charge", "100.00", "3.20", web)
        shop.file("shop-pay", lines(first))
        shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "96.80")))
        other = transaction(801, "charge", "40.00", "1.46", web)
        shop.file("phone-pay", lines(other))
        shop.file("phone-pay", payouts((91, "paid", "2026-03-05", "38.54")))
        shop.settle()
        assert shop.cases() == []
        found = ties(shop)
        assert found["clearing/shop-pay"] == found["clearing/card"] == (0, 0)
        assert found["payouts/shop-pay"] == (9_680, 9_680)
        assert found["payouts/phone-pay"] == (3_854, 3_854)

        later = sold(shop, 1002, "50.00")
        overlap = lines(first, transaction(802, "charge", "50.00", "1.75", later, payout=92))
        shop.file("shop-pay", overlap)
        shop.file("shop-pay", payouts((92, "paid", "2026-03-06", "48.25")))
        shop.settle()
        assert shop.cases() == []
        counted = shop.rows(
            "select account, count(*), sum(net)::int from settlement_line group by 1 order by 1"
        )
        assert counted == [("phone-pay", 1, 3_854), ("shop-pay", 2, 9_680 + 4_825)]

        # an export that stops in the middle: what is missing is named by its exact amount
        two = [sold(shop, 1003, "10.00"), sold(shop, 1004, "20.00")]
        rows = [
            transaction(803 + n, "charge", amount, "0.00", payment, payout=93)
            for n, (payment, amount) in enumerate(zip(two, ("10.00", "20.00"), strict=True))
        ]
        shop.file("shop-pay", lines(rows[0]))
        shop.file("shop-pay", payouts((93, "paid", "2026-03-06", "30.00")))
        shop.settle()
        assert shop.rows("select reason, amount from exception_case where state = 'open'") == [
            ("payout_does_not_tie", 2_000)
        ]
        assert shop.balances()["clearing/shop-pay"] == 3_000
        shop.file("shop-pay", lines(*rows))
        day = "2026-03-06"
        bank = [("96.80", day, "SHOPIFY"), ("38.54", day, "PHONE"), ("48.25", day, "SHOPIFY")]
        bank.append(("30.00", day, "SHOPIFY"))
        shop.file("house-bank", statement("S1", "0.00", "213.59", bank))
        shop.settle()
    assert shop.cases() == []
    books = shop.balances()
    assert books["bank/house-bank"] == 21_359
    assert {name for name in books if name.startswith(("clearing", "payouts"))} == set()
    assert (books["fees/shop-pay"], books["fees/card"]) == (320 + 175, 146)
    assert not shop.drain().moving
    assert set(shop.documents().values()) == {"accepted"}
    assert shop.lies(quiesced=False) == []
