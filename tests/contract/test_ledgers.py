"""An ERP that tells its ledger signs it by having the method."""

from __future__ import annotations

from datetime import date

from tillbridge.connectors.sandbox.connector import SandboxConnector
from tillbridge.connectors.shopify.connector import ShopifyConnector
from tillbridge.connectors.tryton.connector import TrytonConnector
from tillbridge.contract.ledgers import LedgerLine, LedgerPage, Span, TellsLedger


def test_erps_tell_their_ledger_and_a_channel_does_not() -> None:
    assert isinstance(SandboxConnector(), TellsLedger)
    assert isinstance(TrytonConnector(), TellsLedger)
    assert not isinstance(ShopifyConnector(), TellsLedger)


def test_a_page_says_what_each_move_was_made_for() -> None:
    line = LedgerLine(
        currency="EUR", move="7", day=date(2026, 3, 2), account="sales", theirs="4000", amount=-5
    )
    page = LedgerPage(lines=(line,))
    assert (page.more, page.lines[0].operation) == (False, "")
    assert Span("de", date(2026, 3, 1), date(2026, 3, 31)).entity == "de"
