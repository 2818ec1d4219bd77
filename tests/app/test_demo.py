"""The demo: one day played in a process of its own, and its parts one by one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.places import quick_place
from tillbridge.app.demo.bars import Bars
from tillbridge.app.demo.books import retailer_books
from tillbridge.app.demo.monthend import SECOND, trading_day
from tillbridge.app.demo.outcome import mend, tie_lines
from tillbridge.app.demo.place import ERP, Occupied, make_place
from tillbridge.app.demo.trade import (
    drop_cards,
    drop_settlement,
    drop_stock,
    drop_till_files,
    drop_whole_log,
    lost_sale,
    waiting_files,
    without,
)
from tillbridge.app.http import listen
from tillbridge.app.hub import Hub
from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.ids import SystemIds
from tillbridge.connectors.sandbox.payout_files import SHORT, payout_files
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.connectors.sandbox.shop_payments import payment_deliveries
from tillbridge.connectors.sandbox.till_day import FLOAT
from tillbridge.reconciliation.ledger.tie import AccountTie, Loose, TieOut
from tillbridge.triage.cases import Case

ORDERS, SEED = 6, 7
NOW = datetime(2026, 11, 14, tzinfo=UTC)
KEPT = ("documents", "balances", "ties", "cases", "timings", "counts", "address", "verify", "month")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place of the test's own that does not exist yet."""
    above = Path(tempfile.mkdtemp(prefix="tillbridge-demo-", dir=quick_place()))
    above.chmod(0o711)
    yield above / "demo"
    shutil.rmtree(above, ignore_errors=True)


def played(folder: Path, *words: str, seconds: float = 110) -> subprocess.CompletedProcess[str]:
    """The demo run as a person runs it, on an embedded server of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TILLBRIDGE_DATABASE")}
    command = [sys.executable, "-c", "from tillbridge.app.cli import main; main()", "demo"]
    options = ["--workspace", str(folder), "--no-wait", "--orders", str(ORDERS), *words]
    return subprocess.run(
        [*command, *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def day_told(told: dict[str, Any]) -> DayOfTrade:
    """The day of a month that is over, as the demo said it."""
    return day_of_trade(SEED, ORDERS, date.fromisoformat(told["day"]))


def test_a_day_of_trade_is_taken_in_booked_delivered_closed_and_proven(folder: Path) -> None:
    ended = played(folder, "--erp", "sandbox", "--json")
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    assert told.keys() >= set(KEPT)
    _everything_arrived(told)
    _documents_have_numbers(told)
    _money_is_the_retailers_own(told)
    _the_month_is_ready_to_be_closed(told)
    assert told["verify"]["ok"]
    assert told["verify"]["checked"] > 20
    assert told["cases"] == []


def _everything_arrived(told: dict[str, Any]) -> None:
    day = day_told(told)
    counts = told["counts"]
    paid = payment_deliveries(SEED, day.stories)
    assert counts["webhooks_acknowledged"] == len(day.deliveries) + len(paid)
    assert counts["forged_refused"] == 1
    assert counts["orders"] == ORDERS
    assert counts["orders_parked"] == 0
    assert counts["duplicates"] > 0
    assert told["first_view"]["documents_waiting"] > 0
    assert told["first_view"]["orders"] == ORDERS
    assert told["first_view"]["open_cases"] == 1
    assert told["timings"]["first_view"] < 30


def _documents_have_numbers(told: dict[str, Any]) -> None:
    documents = told["documents"]
    assert all(row["state"] == "accepted" and row["number"] for row in documents)
    # an ERP counts from one for each company, and of these each has a currency of its own
    own = [row for row in documents if row["kind"] != "sales_order_change"]  # it has its order's
    numbers = {
        (row["kind"], row["currency"] or row["about"].split("/")[0], row["number"]) for row in own
    }
    assert len(numbers) == len(own)
    kinds = Counter(row["kind"] for row in documents)
    assert kinds["sales_order"] == ORDERS
    assert kinds["credit_note"] == 1
    assert kinds["journal"] >= 3 + 2  # a store each, the lost sale, Boston's missing dollar


def _money_is_the_retailers_own(told: dict[str, Any]) -> None:
    """Trial balance against the example day, which knows nothing of the hub."""
    day = day_told(told)
    held = {
        (row["entity"], row["account"]): row["debits"] - row["credits"] for row in told["balances"]
    }
    for entity in ("us", "ca"):
        assert sum(amount for (name, _), amount in held.items() if name == entity) == 0
    stores = {store.location: store for store in day.stores}
    short = {till.location.code: till.short for till in day.tills}
    for location, store in stores.items():
        entity = "ca" if location == "store-tor" else "us"
        counted = FLOAT + store.tenders["Cash"] - short[location]
        assert held[entity, f"till/{location}/cash"] == counted
    assert held["us", "cash-over-short/store-bos"] == short["store-bos"] == 100
    assert held["ca", "clearing/card"] == stores["store-tor"].tenders["CreditDebit"]
    cards = sum(stores[place].tenders["CreditDebit"] for place in ("store-nyc", "store-bos"))
    assert held["us", "clearing/card"] == cards
    files = payout_files(day.stories, day.day)
    web = sum(order.total - order.refunded for order in day.orders)
    assert files.amount == web - SHORT - files.fees  # no order of so short a day is paid by PayPal
    assert held.get(("us", "clearing/shop-pay"), 0) == 0
    assert held["us", "fees/shop-pay"] == files.fees
    assert held["us", "provider-adjustments/shop-pay"] == SHORT
    assert held["us", "bank/house-bank"] == files.amount
    for one in told["ties"]:
        assert one["loose"] == []
        assert [row for row in one["accounts"] if row["hub"] != row["erp"]] == []
        assert len(one["accounts"]) >= 7


def _the_month_is_ready_to_be_closed(told: dict[str, Any]) -> None:
    """Before: who has to do what. After: nothing, and every tie-out to the cent."""
    day, month = day_told(told), told["month"]
    assert month["period"] == told["day"][:7]
    assert month["difference"] == -SHORT
    before, after = month["before"], month["after"]
    us = [(row["kind"], row["owner"], row["amount"]) for row in before["close_lists"]["us"]]
    unknown = next(order for order in day.orders if order.part == "unknown_sku")
    assert ("unposted", "ecommerce", None) in us
    assert ("payout", "finance", SHORT) in us
    assert len(us) == 3  # the charge of the unknown order is about money that nobody tells of
    (named,) = [row["words"] for row in before["close_lists"]["us"] if row["amount"] == SHORT]
    assert payout_files(day.stories, day.day).wrong == "#1001"
    assert f"order/web/{day.orders[0].id} by -0.40 USD" in named
    (gap,) = before["close_lists"]["ca"]
    store, number = lost_sale(day)
    assert (gap["kind"], gap["owner"]) == ("till", "stores")
    assert f"number {number} of till 1 of {store}" in gap["words"]
    clearing = next(t for t in before["tie_outs"] if t["name"] == "clearing/shop-pay")
    assert clearing["books"] - clearing["theirs"] == SHORT - unknown.total
    assert sum(part["amount"] for part in clearing["parts"]) == SHORT - unknown.total
    assert after["close_lists"] == {"us": [], "ca": []}
    for one in after["tie_outs"]:
        left = one["books"] - one["theirs"] - sum(part["amount"] for part in one["parts"])
        assert left == 0, one
        assert one["books"] == one["theirs"] or one["name"] == "gift-card-liability", one
    assert [(step["owner"], step["by"]) for step in month["steps"]][-1] == ("finance", SECOND.name)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_with_a_real_tryton_every_document_gets_its_number(folder: Path) -> None:
    ended = played(folder, "--json", seconds=880)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    _documents_have_numbers(told)
    _money_is_the_retailers_own(told)


def test_a_folder_no_demo_made_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("ten years of work")
    day = day_of_trade(SEED, ORDERS)
    with pytest.raises(Occupied, match="no demo made"):
        make_place(folder, "sandbox", day, SystemIds(), FixedClock(NOW))
    assert (folder / "thesis.txt").exists()
    assert played(folder, "--erp", "sandbox").returncode == 2


def test_a_demos_folder_is_made_afresh_unless_its_hub_runs(folder: Path) -> None:
    day = day_of_trade(SEED, ORDERS)
    clock = FixedClock(NOW)
    secret = make_place(folder, "sandbox", day, SystemIds(), clock).secrets("web")
    (folder / "postgres").mkdir(exist_ok=True)
    (folder / "drop" / "stores" / "yesterday.xml").write_text("old")
    again = make_place(folder, "sandbox", day, SystemIds(), clock)
    assert not (folder / "drop" / "stores" / "yesterday.xml").exists()
    assert (folder / "postgres").is_dir()
    assert again.secrets("web") != secret
    hub = again.settings.hub
    with listen(hub.host, hub.port), pytest.raises(Occupied, match="still runs"):
        make_place(folder, "sandbox", day, SystemIds(), clock)


def test_the_demos_settings_reach_its_own_tryton(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TILLBRIDGE_CACHE", str(tmp_path))
    day = day_of_trade(SEED, ORDERS)
    workspace = make_place(folder, "tryton", day, SystemIds(), FixedClock(NOW))
    settings = workspace.settings.connection[ERP]
    assert (settings.connector, settings.settings["url"]) == ("tryton", "auto")
    assert len(workspace.secrets(ERP)["password"][0]) >= 16
    hub = Hub(workspace, "", overrides={ERP: {"url": "http://127.0.0.1:1"}})
    assert hub.sources[ERP].settings.database
    assert set(hub.drop_folders()) >= {
        "stores",
        "feed",
        "shop-pay",
        "house-bank",
        "cards",
        "cards-ca",
    }
    account = next(one for one in hub.accounts if one.name == "shop-pay")
    assert (account.tenders, account.rules.bank) == (("shop-pay",), "house-bank")


def test_files_are_dropped_whole_under_their_names(folder: Path) -> None:
    day = day_of_trade(SEED, ORDERS)
    make_place(folder, "sandbox", day, SystemIds(), FixedClock(NOW))
    drop_stock(folder, day)
    assert drop_till_files(folder, day) == 3
    assert waiting_files(folder) == 4
    assert drop_cards(folder, day) == 2
    assert drop_whole_log(folder, day).startswith("poslog-store-tor-")
    assert len(drop_settlement(folder, payout_files(day.stories, day.day))) == 3
    assert waiting_files(folder) == 10
    assert not list(folder.glob("drop/*/*.part"))


def test_the_erps_books_are_the_same_for_every_day_of_a_year() -> None:
    assert retailer_books(date(2026, 1, 2)).key() == retailer_books(date(2026, 12, 30)).key()
    assert retailer_books(date(2027, 1, 2)).key() != retailer_books(date(2026, 1, 2)).key()


def test_the_erps_ledger_is_told_in_a_line_and_a_difference_by_account() -> None:
    same = AccountTie("sales", -900, -900)
    agrees = TieOut("us", "USD", (same, AccountTie("clearing/card", 900, 900)), ())
    assert tie_lines([agrees], "tryton") == "us: tryton agrees on 2 accounts, debits 9.00 USD"
    loose = Loose("erp", "order/web/1/invoice/1", "", 1, "posted twice")
    page = tie_lines([TieOut("us", "USD", (AccountTie("clearing", 870, 871),), (loose,))], "tryton")
    assert "clearing: hub 8.70, ERP 8.71" in page
    assert "posted twice" in page


def test_the_day_is_one_of_the_month_before() -> None:
    assert trading_day(date(2026, 11, 1)) == date(2026, 10, 13)
    assert trading_day(date(2026, 1, 31)) == date(2025, 12, 13)


def test_a_log_that_lost_a_sale_says_so_by_its_numbers() -> None:
    day = day_of_trade(SEED, ORDERS)
    store, number = lost_sale(day)
    whole = day.poslogs[store]
    cut = without(whole, number)
    assert whole.count(b"<Transaction") - cut.count(b"<Transaction") == 1
    assert f"<SequenceNumber>{number}</SequenceNumber><BusinessDay".encode() not in cut
    assert cut.endswith(b"</POSLog>\n")


def test_a_case_is_shown_with_the_command_that_mends_it_here() -> None:
    case = Case(
        id=4,
        reason="mapping_missing",
        owner="ecommerce",
        room="mapping",
        key="order/web/1",
        state="open",
        words="no name",
        remedy="tillbridge xref set web product 'A B' OUR-NAME && tillbridge cases replay CASE",
        amount=None,
        currency=None,
        copies=1,
        opened_at=NOW,
        due_at=NOW,
        parked=1,
    )
    command = mend(case, "tillbridge --workspace d", {"A B": "P1"}).command
    assert command == (
        "tillbridge --workspace d xref set web product 'A B' P1"
        " && tillbridge --workspace d cases replay 4"
    )


def test_progress_without_a_terminal_is_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FixedClock(NOW)
    with Bars(clock) as bars:
        for done in range(1, 101):
            bars.tell("records", done, 100)
            clock.sleep(0.1)
        bars.tell("records", 100, 100)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "records: 1/100"
    assert lines[-1] == "records: 100/100"
    assert len(lines) <= 7
