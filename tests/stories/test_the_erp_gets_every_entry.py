"""Sales go to the ERP as invoices, everything else as journals: its ledger is the hub's, account by
account, nothing left out and nothing there twice; its invoices are paid.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.connectors.tryton.live import Live, running_erp
from tests.stories.shop import House, house
from tests.stories.trade_in_full import furnish, play
from tillbridge.app.erp.beside import Erp
from tillbridge.app.ledger_ties import tie_month
from tillbridge.atoms.clock import FixedClock
from tillbridge.reconciliation.ledger.accounts import folded
from tillbridge.reconciliation.ledger.tie import TieOut

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    place = tmp_path / "house"
    clock = FixedClock(NOW)
    with house(place, database_url, clock=clock, furnish=furnish, payments="journals") as found:
        yield found


def tied(shop: House, entity: str) -> TieOut:
    found = tie_month(shop.hub, shop.connection, entity, "2026-03")
    shop.connection.rollback()
    return found


def test_books_and_erp_agree_in_every_account_of_both_entities(shop: House) -> None:
    play(shop)
    assert shop.rows("select reason, words from exception_case where state = 'open'") == []
    assert shop.balances() == {
        "bank/house-bank": 7_180,
        "card-promotions": 5_000,
        "cash-over-short/store-nyc": 100,
        "clearing/card": 2_160,
        "clearing/shop-pay": 6_480,
        "discounts/unassigned": 2_500,  # an allowance of 25.00
        "due-to/ne": -3_240,
        "fees/shop-pay": 320,
        "gift-card-liability": -2_000,
        "sales-tax/us-ny": -240 - 320,
        "sales/unassigned": -10_000 - 3_000 - 3_000 - 4_000,
        "till-expense/unassigned": 500,
        "till/store-nyc/cash": 1_560,
    }
    assert shop.balances("ne") == {"due-from/us": 3_240, "till/store-bos/cash": -3_240}
    assert not shop.drain(60.0).moving
    for entity in ("us", "ne"):
        found = tied(shop, entity)
        assert found.agrees, found
        assert [one.account for one in found.accounts if one.alone] == []
    assert "receivable" not in shop.erp_balances()
    assert shop.lies() == []
    # a day's deposits are one journal, which opens to its orders
    (number,) = shop.rows(
        "select number from document where op = 'journal/us/web/web/2026-03-02/1'"
    )[0]
    page = shop.verb("ledger", "behind", number)
    assert "order/web/4711" in page


def test_an_entry_the_erp_lost_is_found(shop: House) -> None:
    play(shop)
    shop.drain(60.0)
    assert tied(shop, "us").agrees
    lost = "journal/us/web/shop-pay/2026-03-05/1"
    assert shop.documents()[lost] == "accepted"
    with sqlite3.connect(shop.hub.workspace.folder / "erp.sqlite") as books:
        books.execute(
            "delete from move where number = (select move from document where external_id = ?)",
            (lost,),
        )
    found = tied(shop, "us")
    assert [(one.where, one.operation) for one in found.loose] == [("hub", lost)]


# -- The same with a real Tryton -------------------------------------------------------------------

OURS = {"us": "quay", "ne": "pier"}  # companies of their own: no other test's moves stand there
NAMES = (
    ("erp", "product", "sku-1", "P1"),
    ("erp", "product", "sku-2", "P2"),
    ("erp", "location", "wh-1", "wh-east"),
    ("erp", "location", "store-1", "store-nyc"),
    ("erp", "location", "store-2", "store-bos"),
)


def _with_tryton(erp: Erp) -> Callable[[Path], None]:
    def furnish_all(folder: Path) -> None:
        furnish(folder)
        (folder / "secrets" / "tryton").write_text(erp.password)
        file = folder / "tillbridge.toml"
        text = file.read_text()
        sandbox = 'connector = "sandbox"\nentity = "us"\n'
        assert sandbox in text
        secret = 'secrets.password = { file = "secrets/tryton" }\n'
        text = text.replace(sandbox, sandbox.replace("sandbox", "tryton") + secret)
        text = text.replace('settings = { url = "auto" }\n', "")
        for ours, theirs in OURS.items():
            text = text.replace(f'"{ours}"', f'"{theirs}"')
        for place in ("code", "channel"):
            text = text.replace(f'{place} = "web"', f'{place} = "quay-web"')
        file.write_text(text)

    return furnish_all


def _in_tryton(live: Live, entity: str) -> dict[str, int]:
    """Tryton's own trial balance of a company: account code -> minor units, without zeros."""
    lines = live.read(
        "account.move.line",
        [["move.company.party.code", "=", entity], ["move.state", "=", "posted"]],
        "account.code", "debit", "credit",
    )  # fmt: skip
    sums: dict[str, int] = {}
    for one in lines:
        code = one["account."]["code"]
        sums[code] = sums.get(code, 0) + int((one["debit"] - one["credit"]) * 100)
    return {code: amount for code, amount in sums.items() if amount}


@pytest.mark.timeout(1500)  # the first run on a machine installs Tryton and fills its database
def test_a_real_tryton_takes_every_journal_and_its_trial_balance_is_ours(
    tmp_path: Path, database_url: str
) -> None:
    with running_erp() as erp:
        reach = {"erp": {"url": erp.url, "database": erp.database, "user": erp.user}}
        with house(
            tmp_path / "house", database_url, furnish=_with_tryton(erp), payments="journals",
            reach=reach,
        ) as shop:  # fmt: skip
            shop.names(NAMES)
            play(shop)
            assert not shop.drain(240.0).moving
            assert shop.cases() == []
            assert set(shop.documents().values()) == {"accepted"}
            live = Live(erp)
            for entity in OURS.values():
                found = tied(shop, entity)
                assert found.agrees, found
                mine, theirs = folded(shop.balances(entity), _in_tryton(live, entity))
                assert mine == theirs
                assert mine  # something to compare
            invoices = live.read(
                "account.invoice", [["company.party.code", "=", "quay"]], "reference", "state"
            )
            assert len(invoices) == 5  # three invoices, two credit notes
            assert {one["state"] for one in invoices} == {"paid"}
            assert shop.lies() == []
