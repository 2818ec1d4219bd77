"""Recorded files of real accounts and banks: what they say of themselves is proven, or is a case.

The files are not part of the project: TILLBRIDGE_REALDATA names their folder, or they lie in
`shared/realdata` beside the checkout. Where they are absent these tests are skipped.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from tests.reconciliation.provider import NOW, Provider
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.connectors import camt, shopify_payments, stripe
from tillbridge.connectors.camt.config import CamtConfig
from tillbridge.connectors.shopify_payments.config import ShopifyPaymentsConfig
from tillbridge.connectors.stripe.config import StripeConfig
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import ReadsSettlements
from tillbridge.reconciliation.settlement.intake import SettlementFiles
from tillbridge.reconciliation.settlement.taken import Taken

HERE = Path(__file__).resolve()
REAL = Path(os.environ.get("TILLBRIDGE_REALDATA", HERE.parents[3] / "shared" / "realdata"))
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no recorded files here")
SEEDS = REAL / "04_payments" / "stripe" / "fivetran_seeds"
SHOP = REAL / "01_shopify" / "admin_rest_2026-07"
BANK = REAL / "04_payments" / "bank" / "camt"


@pytest.fixture
def psp(connection: Connection[Any]) -> Provider:
    """A provider whose files are read by real sources."""
    return Provider(connection)


def _take(psp: Provider, connector: ReadsSettlements, config: object, path: Path) -> Taken:
    source = Source(name="psp", entity="us", channel="web", currency="USD", settings=config)
    files = SettlementFiles(connector, source)
    data = path.read_bytes()
    assert files.takes(path.name, data[:4096])
    with path.open("rb") as stream:
        return files.take(psp.connection, stream, path.name, hashlib.sha256(data).digest(), NOW)


def _money(psp: Provider, query: bytes) -> list[tuple[Any, ...]]:
    return psp.connection.execute(query).fetchall()


def test_a_stripe_account_goes_through_to_the_last_row(psp: Provider) -> None:
    lines = _take(psp, stripe.connector, StripeConfig(), SEEDS / "balance_transaction_data.csv")
    heads = _take(psp, stripe.connector, StripeConfig(), SEEDS / "payout_data.csv")
    rows = (SEEDS / "balance_transaction_data.csv").read_text().splitlines()[1:]
    assert lines.lines + lines.unassigned + len(lines.broken) == len([row for row in rows if row])
    assert lines.broken == []
    assert len(heads.heads) == len((SEEDS / "payout_data.csv").read_text().splitlines()) - 1
    psp.look()
    # a sample of an account: payouts and lines do not belong together, and each says so
    untied = _money(
        psp,
        b"select p.payout, p.amount - sum(l.net) from payout p join settlement_line l"
        b" on l.payout = p.id and l.type <> 'payout' where not p.tied and p.amount is not null"
        b" group by p.id",
    )
    for payout, off in untied:
        ((amount,),) = psp.connection.execute(
            "select amount from exception_case where reason = 'payout_does_not_tie' and key = %s",
            (f"payout/psp/{payout}",),
        ).fetchall()
        assert amount == abs(off)


def test_shopify_payouts_and_balance_transactions_go_through(psp: Provider) -> None:
    config = ShopifyPaymentsConfig()
    path = SHOP / "balance_transactions_payout_623721858.json"
    lines = _take(psp, shopify_payments.connector, config, path)
    heads = _take(psp, shopify_payments.connector, config, SHOP / "payouts.json")
    assert [one.words for one in lines.broken] == [
        "net -175 is not gross -150 less fee -25 (minor units)"
    ]
    assert heads.broken == []
    assert lines.lines > 10
    ((amount, net, own),) = _money(
        psp,
        b"select p.amount, sum(l.net) filter (where l.type <> 'payout'),"
        b" -sum(l.net) filter (where l.type = 'payout')"
        b" from payout p join settlement_line l on l.payout = p.id group by p.id",
    )
    psp.look()
    total = amount if amount is not None else own
    told = psp.cases()
    assert "settlement_file_broken" in told
    if total is None:
        assert told["payout_without_total"] == abs(net)
    else:
        assert told.get("payout_does_not_tie", 0) == abs(total - net)


def test_bank_files_without_a_statement_are_refused_with_words(psp: Provider) -> None:
    with pytest.raises(NeedsDecision, match="holds no statement"):
        _take(psp, camt.connector, CamtConfig(), BANK / "camt053.v2.wrong.xml")
    psp.connection.rollback()
    with pytest.raises(NeedsDecision, match="advice"):
        _take(psp, camt.connector, CamtConfig(), BANK / "camt054.v8.xml")
