"""A recorded log of a grocer's day: every receipt that the log itself explains is reached.

The log is not part of the project: TILLBRIDGE_REALDATA names its folder, or it lies in
`shared/realdata` beside the checkout; without it nothing is tested here.
"""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.connectors.poslog.receipts import CONNECTION, items, proof, translated
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.sales import SaleRung
from tillbridge.connectors.poslog import fields, wire
from tillbridge.connectors.poslog.lines import retail_of
from tillbridge.connectors.poslog.receipt import prove

HERE = Path(__file__).resolve()
FOLDER = Path(os.environ.get("TILLBRIDGE_REALDATA", HERE.parents[4] / "shared" / "realdata"))
LOG = FOLDER / "05_pos" / "ncr_acs_poslog_2.1_real" / "POSLog.xml"

pytestmark = pytest.mark.skipif(not LOG.exists(), reason="the recorded log is not at hand")


def test_all_51_transactions_are_told_and_all_42_receipts_are_proven() -> None:
    found: Counter[str] = Counter()
    for item in items(LOG.read_bytes()):
        assert item.problem == ""
        told = translated(item.body)
        assert [fact.key for fact in told.facts] == [item.key]
        for fact in told.facts:
            found[type(fact).__name__] += 1
            if isinstance(fact, SaleRung):
                assert proof(fact) == (0, 0)
                assert fact.total == grand_amount(item.body)
    assert found == {"SaleRung": 42, "TillNoted": 9}


def test_nothing_of_operators_signatures_or_birthdates_reaches_a_fact() -> None:
    told = b"".join(
        msgspec.json.encode(translated(item.body).facts) for item in items(LOG.read_bytes())
    )
    for word in (b"Danielle", b"John R", b"Matt S", b"1980-01-01", b"M10,"):
        assert word not in told


def test_a_line_that_goes_missing_is_a_case_unless_the_log_still_explains_the_total() -> None:
    """Each counting item line in turn is taken out of its receipt. What may still be proven is
    only what nets to the same: one of a pair of a line and its void.
    """
    cases = believed = 0
    for item in items(LOG.read_bytes()):
        body = wire.body_of(wire.transactions(fields.parse(item.body))[0])[1]
        assert body is not None
        if fields.local(body.tag) != "RetailTransaction":
            continue
        retail = retail_of(body)
        total = prove(retail, "USD", 2, 1).total
        voided = {item_of(line) for line in retail.lines if line.voided}
        for at, line in enumerate(retail.lines):
            if not item_of(line):
                continue
            less = retail.lines[:at] + retail.lines[at + 1 :]
            reason = ""
            try:
                found = prove(msgspec.structs.replace(retail, lines=less), "USD", 2, 1)
                assert found.total == total
                assert item_of(line) in voided
                believed += 1
            except NeedsDecision as case:
                reason = case.reason
                cases += 1
            assert reason in ("", "totals_differ")
    assert cases > 450
    assert believed < 10


def item_of(line: wire.Line) -> str:
    """Item of a line with a price, "" for any other line."""
    return line.part.item if isinstance(line.part, wire.Merchandise) and line.part.extended else ""


def grand_amount(body: bytes) -> int:
    for element in fields.parse(body).iter():
        if fields.attribute(element, "TotalType") == "TransactionGrandAmount":
            return int(Decimal(element.text or "") * 100)
    raise AssertionError("no total")


def test_the_connection_of_the_tests_has_no_tolerance_for_a_cent() -> None:
    assert CONNECTION.settings.step_of("USD") == 1
