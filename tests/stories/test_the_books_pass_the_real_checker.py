"""The books of a month with web orders, tills, a refund and a payout, in the hands of Beancount."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment
from tests.stories.test_payout_down_to_the_bank_line import (
    CONNECTIONS,
    lines,
    payouts,
    sold,
    transaction,
)
from tests.stories.till_files import close, goods, poslog, post_void, receipt, tender
from tillbridge.atoms.clock import FixedClock
from tillbridge.posting.money.export import BeancountNames

CHECKER = Path(sys.executable).with_name("bean-check")
HLEDGER = os.environ.get("HLEDGER") or shutil.which("hledger")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    def furnish(folder: Path) -> None:
        settings = folder / "tillbridge.toml"
        settings.write_text(settings.read_text() + CONNECTIONS)

    clock = FixedClock(datetime(2026, 3, 6, 12, tzinfo=UTC))
    with house(tmp_path / "shop", database_url, clock=clock, furnish=furnish) as found:
        yield found


def checked(ledger: Path) -> str:
    """What the checker complains of."""
    done = subprocess.run([CHECKER, str(ledger)], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (not done.stderr)
    return done.stderr


def traded(shop: House) -> None:
    """A month of everything."""
    payment = sold(shop, 1001, "100.00")
    shop.web("refunds/create", refund(7, 1001, [], "25.00"))
    shop.web("orders/create", paid_order(2, [line(1), line(2, sku="SKU-2")], "20.00"))
    shop.web("fulfillments/create", shipment(1, 2, {1: 1, 2: 1}))
    sales = [
        receipt(n, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60") for n in (1, 2)
    ]
    shop.file("stores", poslog(*sales, post_void(3, 2), close(4, Cash="21.00")))
    shop.look_at_tills()
    shop.file("shop-pay", lines(transaction(801, "charge", "100.00", "3.20", payment)))
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "96.80")))
    shop.settle()
    kinds = {kind for (kind,) in shop.rows("select distinct fact_type from entry")}
    assert {"SaleRung", "SaleVoided", "TillCounted", "RefundPaid", "SettlementMatched"} <= kinds


@pytest.mark.skipif(
    not CHECKER.exists(), reason="beancount's bean-check is not installed beside the interpreter"
)
def test_the_ledger_of_a_traded_month_is_accepted_and_an_altered_one_is_not(
    shop: House, tmp_path: Path
) -> None:
    traded(shop)
    ledger = tmp_path / "us.beancount"
    shop.verb("ledger", "export", "--entity", "us", "--out", str(ledger))
    assert checked(ledger) == ""
    text = ledger.read_text()
    assert "NotInChart" not in text
    ledger.write_text(text.replace("  100.00 USD", "  100.01 USD", 1))
    assert "does not balance" in checked(ledger)


@pytest.mark.skipif(not HLEDGER, reason="hledger is neither on the path nor named by HLEDGER")
def test_hledger_reads_the_same_book_and_agrees_on_every_balance(
    shop: House, tmp_path: Path
) -> None:
    traded(shop)
    ledger = tmp_path / "us.journal"
    shop.verb("ledger", "export", "--format", "hledger", "--entity", "us", "--out", str(ledger))
    done = _hledger(ledger, "check", "--strict")
    assert done.returncode == 0, done.stderr
    told = _hledger(ledger, "balance", "--flat", "--no-total", "-O", "csv").stdout
    theirs = {
        account: int(Decimal(amount.split()[0]) * 100)
        for account, amount in list(csv.reader(io.StringIO(told)))[1:]
    }
    names = BeancountNames(shop.hub.book.chart)
    ours: dict[str, int] = {}
    for account, amount in shop.balances().items():
        ours[names.of(account)] = ours.get(names.of(account), 0) + amount
    assert theirs == ours
    altered = ledger.read_text().replace("  100.00 USD", "  100.01 USD", 1)
    ledger.write_text(altered)
    assert _hledger(ledger, "check").returncode != 0


def _hledger(ledger: Path, *words: str) -> subprocess.CompletedProcess[str]:
    assert HLEDGER
    command = [HLEDGER, "-f", str(ledger), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)
