"""Recorded settlements and bank statements through the hub: what proves itself makes no case, what
does not makes one with its exact difference, what has no totals says so.

The files are not part of the project; where they are absent these tests are skipped.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from tests.connectors.settled import REAL
from tests.reconciliation.provider import NOW, Provider
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.connectors import amazon, bai2, mt940
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import ReadsSettlements
from tillbridge.reconciliation.settlement.intake import SettlementFiles
from tillbridge.reconciliation.settlement.taken import Taken

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no recorded files here")
BANK = REAL / "04_payments" / "bank"
AMAZON = REAL / "03_marketplaces" / "amazon" / "settlement_flatfile_v2_sample.txt"


@pytest.fixture
def psp(connection: Connection[Any]) -> Provider:
    """A provider whose files are read by real sources."""
    return Provider(connection)


def _take(psp: Provider, connector: Any, path: Path) -> Taken:
    reader: ReadsSettlements = connector
    source = Source(
        name="psp", entity="us", channel="web", currency="USD", settings=connector.config()
    )
    with path.open("rb") as stream:
        digest = hashlib.sha256(path.read_bytes()).digest()
        return SettlementFiles(reader, source).take(psp.connection, stream, path.name, digest, NOW)


def _statements(psp: Provider) -> list[tuple[Any, ...]]:
    return psp.connection.execute(
        b"select statement, opening + net - closing from bank_statement order by statement"
    ).fetchall()


def test_a_settlement_of_amazon_ties_and_only_its_orders_wait(psp: Provider) -> None:
    taken = _take(psp, amazon.connector, AMAZON)
    assert (taken.lines, taken.broken) == (23, [])
    psp.look()
    assert psp.connection.execute(b"select tied from payout").fetchall() == [(True,)]
    assert set(psp.cases()) == {"settlement_line_unmatched"}


@pytest.mark.parametrize(
    ("name", "count", "off"),
    [
        ("ASNB_0708271685_09022020_164516.940.txt", 31, []),
        ("betterplace_with_binary_character.sta", 2, []),
        ("jejik_ing.sta", 1, [-4_906]),
        ("jejik_postfinance.sta", 2, [-20]),
        ("mBank_mt942.sta", 1, [None]),
        ("self-provided_overly_long_details.sta", 1, [-23_401]),
    ],
)
def test_statements_in_mt940_go_through(
    psp: Provider, name: str, count: int, off: list[int | None]
) -> None:
    taken = _take(psp, mt940.connector, BANK / "mt940" / name)
    assert taken.broken == []
    found = _statements(psp)
    assert len(found) == count
    assert [rest for _, rest in found if rest != 0] == off
    psp.look()
    assert bool(psp.cases()) == bool(off), psp.cases()


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("sample2.txt", 0),
        ("sample4-continuations-newline-delimited.txt", 8),
        ("sample5-issue113.txt", 9),
    ],
)
def test_statements_in_bai2_go_through(psp: Provider, name: str, broken: int) -> None:
    taken = _take(psp, bai2.connector, BANK / "bai2" / name)
    assert len(taken.broken) == broken
    assert len(_statements(psp)) == 5
    assert ("settlement_file_broken" in psp.cases()) == bool(broken)
    psp.look()
    assert psp.cases()


def test_what_is_no_bai2_is_refused_with_words(psp: Provider) -> None:
    with pytest.raises(NeedsDecision, match="does not begin"):
        _take(psp, bai2.connector, BANK / "bai2" / "sample-parseError.txt")
