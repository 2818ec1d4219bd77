"""A month is tied out page by page; an ERP that never ends its ledger is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.app.ledger_ties import tie_month
from tillbridge.atoms.errors import Refused
from tillbridge.connectors.sandbox import erp_simulator
from tillbridge.connectors.sandbox.connector import SandboxConnector
from tillbridge.contract.ledgers import LedgerPage


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def test_more_than_one_page_is_read_to_its_end(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erp_simulator, "LEDGER_PAGE", 1)
    for number in (1, 2, 3):
        sale = receipt(number, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")
        shop.file("stores", poslog(sale))
        shop.drain()
    assert shop.rows("select count(*) from document where kind = 'journal'") == [(3,)]
    assert tie_month(shop.hub, shop.connection, "us", "2026-03").agrees


def test_a_ledger_without_end_is_refused(shop: House, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = LedgerPage(lines=(), cursor="7", more=True)
    monkeypatch.setattr(SandboxConnector, "ledger", lambda *_: endless)
    with pytest.raises(Refused, match="gives no new page"):
        tie_month(shop.hub, shop.connection, "us", "2026-03")
