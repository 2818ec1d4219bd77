"""Stripe's quirks: categories before types, minor units there and decimals here, manual payouts.

The recorded account is not part of the project: TILLBRIDGE_REALDATA names its folder.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import LINE_TYPES, Broken, PayoutTold, SettlementLine, Told
from tillbridge.connectors.stripe import inbound
from tillbridge.connectors.stripe.config import StripeConfig
from tillbridge.connectors.stripe.wire import CATEGORIES, TYPES

HERE = Path(__file__).resolve()
REAL = Path(os.environ.get("TILLBRIDGE_REALDATA", HERE.parents[4] / "shared" / "realdata"))
SEEDS = REAL / "04_payments" / "stripe" / "fivetran_seeds"
HEADER = "id,amount,fee,net,currency,type,reporting_category,source,payout_id\n"


def _read(text: str, config: StripeConfig | None = None) -> list[Told]:
    return list(inbound.read(io.BytesIO(text.encode()), config or StripeConfig()))


def _line(text: str) -> SettlementLine:
    (line,) = _read(HEADER + text)
    assert isinstance(line, SettlementLine)
    return line


def test_every_word_of_stripe_means_a_type_of_ours() -> None:
    assert set(CATEGORIES.values()) | set(TYPES.values()) <= set(LINE_TYPES)


def test_the_category_says_what_an_adjustment_was() -> None:
    assert _line("t,-10,15,-25,usd,adjustment,dispute,dp_1,po_1\n").type == "chargeback"
    assert _line("t,10,0,10,usd,adjustment,,dp_1,po_1\n").type == "unknown"
    assert _line("t,10,0,10,usd,charge,never_seen,dp_1,po_1\n").told == "never_seen"


def test_currencies_without_decimals_are_whole_numbers() -> None:
    line = _line("t,500,18,482,jpy,charge,charge,ch,po\n")
    assert (line.gross, line.fee, line.net, line.currency) == (500, 18, 482, "JPY")


@pytest.mark.parametrize("currency", ["isk", "doubloon"])
def test_a_currency_that_cannot_be_counted_is_broken(currency: str) -> None:
    assert isinstance(_read(HEADER + f"t,1,0,1,{currency},charge,charge,ch,po\n")[0], Broken)


def test_another_table_is_not_read() -> None:
    with pytest.raises(NeedsDecision, match="no list of balance transactions"):
        _read("id,currency\n1,usd\n")
    assert not inbound.is_ours(b"Date,Betrag\n")


def test_a_manual_payout_has_no_lines_to_expect() -> None:
    head = "id,amount,arrival_date,status,currency,automatic\n"
    (payout,) = _read(head + "po_1,-700,2026-03-01 00:00:00,failed,eur,FALSE\n")
    assert payout == PayoutTold(
        payout="po_1",
        currency="EUR",
        amount=-700,
        state="failed",
        paid_on=payout.paid_on if isinstance(payout, PayoutTold) else None,
        itemised=False,
        n=2,
    )


@pytest.mark.skipif(not SEEDS.is_dir(), reason="no files of a real account here")
def test_a_real_account_is_read_to_the_last_row() -> None:
    for name, rows in (("balance_transaction_data.csv", 8), ("payout_data.csv", 14)):
        data = (SEEDS / name).read_bytes()
        assert inbound.is_ours(data[:4096])
        told = list(inbound.read(io.BytesIO(data), StripeConfig()))
        assert [type(one).__name__ for one in told if isinstance(one, Broken)] == []
        assert len(told) in (rows, rows + 1)
