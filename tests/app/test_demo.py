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
from tillbridge.app.demo.outcome import mend
from tillbridge.app.demo.place import ERP, Occupied, make_place
from tillbridge.app.demo.tieout import sandbox_balances, tie
from tillbridge.app.demo.trade import drop_stock, drop_till_files, waiting_files
from tillbridge.app.http import listen
from tillbridge.app.hub import Hub
from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.ids import SystemIds
from tillbridge.connectors.sandbox.retailer import day_of_trade
from tillbridge.connectors.sandbox.till_day import FLOAT
from tillbridge.triage.cases import Case

ORDERS, SEED = 6, 7
NOW = datetime(2026, 11, 14, tzinfo=UTC)
KEPT = ("documents", "balances", "ties", "cases", "timings", "counts", "address", "verify")


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


def test_a_day_of_trade_is_taken_in_booked_delivered_and_proven(folder: Path) -> None:
    ended = played(folder, "--erp", "sandbox", "--json")
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    assert told.keys() >= set(KEPT)
    _everything_arrived(told)
    _documents_have_numbers(told)
    _money_is_the_retailers_own(told)
    assert told["verify"]["ok"]
    assert told["verify"]["checked"] > 20
    (case,) = told["cases"]
    late = day_of_trade(SEED, ORDERS).late
    assert case["command"].endswith(f"xref set web product {late.theirs} {late.ours}")


def _everything_arrived(told: dict[str, Any]) -> None:
    day = day_of_trade(SEED, ORDERS)
    counts = told["counts"]
    assert counts["webhooks_acknowledged"] == len(day.deliveries)
    assert counts["forged_refused"] == 1
    assert counts["orders"] == ORDERS
    assert counts["orders_parked"] == 1
    assert counts["duplicates"] > 0
    assert told["first_view"]["documents_waiting"] > 0
    assert told["first_view"]["orders"] == ORDERS
    assert told["timings"]["first_view"] < 30


def _documents_have_numbers(told: dict[str, Any]) -> None:
    documents = told["documents"]
    assert all(row["state"] == "accepted" and row["number"] for row in documents)
    # an ERP counts from one for each company, and of these each has a currency of its own
    own = [row for row in documents if row["kind"] != "sales_order_change"]  # it has its order's
    numbers = {(row["kind"], row["currency"], row["number"]) for row in own}
    assert len(numbers) == len(own)
    kinds = Counter(row["kind"] for row in documents)
    assert kinds["sales_order"] == ORDERS - 1
    assert kinds["credit_note"] == 1
    assert kinds["journal"] == 3


def _money_is_the_retailers_own(told: dict[str, Any]) -> None:
    """Trial balance against the example day, which knows nothing of the hub."""
    day = day_of_trade(SEED, ORDERS)
    held = {
        (row["entity"], row["account"]): row["debits"] - row["credits"] for row in told["balances"]
    }
    for entity in ("us", "ca"):
        assert sum(amount for (name, _), amount in held.items() if name == entity) == 0
    stores = {store.location: store for store in day.stores}
    for location, store in stores.items():
        entity = "ca" if location == "store-tor" else "us"
        assert held[entity, f"till/{location}/cash"] == FLOAT + store.tenders["Cash"]
    assert held["ca", "clearing/card"] == stores["store-tor"].tenders["CreditDebit"]
    cards = sum(stores[place].tenders["CreditDebit"] for place in ("store-nyc", "store-bos"))
    web = sum(order.total - order.refunded for order in day.orders if order.part != "unknown_sku")
    assert held["us", "clearing/card"] == cards + web
    assert [one["differences"] for one in told["ties"]] == [{}, {}]
    assert all(one["accounts"] >= 7 for one in told["ties"])


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
    assert set(hub.drop_folders()) >= {"stores", "feed"}


def test_files_are_dropped_whole_under_their_names(folder: Path) -> None:
    day = day_of_trade(SEED, ORDERS)
    make_place(folder, "sandbox", day, SystemIds(), FixedClock(NOW))
    drop_stock(folder, day)
    assert drop_till_files(folder, day) == 3
    assert waiting_files(folder) == 4
    assert not list(folder.glob("drop/*/*.part"))


def test_the_erps_books_are_the_same_for_every_day_of_a_year() -> None:
    assert retailer_books(date(2026, 1, 2)).key() == retailer_books(date(2026, 12, 30)).key()
    assert retailer_books(date(2027, 1, 2)).key() != retailer_books(date(2026, 1, 2)).key()


def test_a_tie_out_folds_accounts_and_shows_a_cent() -> None:
    hub = {"sales/camp": -900, "discounts/ten": 100, "sales-tax/us-ny": -70, "clearing/card": 870}
    erp = {"sales": -800, "sales-tax/us-ny": -70, "clearing": 870}
    assert tie("us", "USD", hub, erp).agrees
    off = tie("us", "USD", hub, {**erp, "clearing": 871})
    assert off.differences == {"clearing": (870, 871)}
    assert off.difference == 1
    missing = tie("us", "USD", hub, {})
    assert missing.differences.keys() == {"sales", "sales-tax", "clearing"}


def test_the_sandboxs_accounts_are_read_in_our_names() -> None:
    told = {("USD", "receivable"): 107, ("USD", "revenue/goods"): -100, ("USD", "tax/us-ny"): -7}
    found = sandbox_balances(told, {"USD": "us"})
    assert found == {"us": {"customer-deposits": 107, "sales": -100, "sales-tax/us-ny": -7}}


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
