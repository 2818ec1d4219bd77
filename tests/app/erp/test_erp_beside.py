"""The reference ERP: what it is installed from, filled with, and how it goes away."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest

from tests.connectors.tryton.live import BOOKS, DAY
from tillbridge.app.erp import installation
from tillbridge.app.erp.beside import Erp, erp_beside
from tillbridge.app.erp.books import Books, LegalEntity
from tillbridge.app.erp.installation import LOCK, Installation, install, lines_of
from tillbridge.app.erp.progress import ErpError, NotInstallable, silent
from tillbridge.app.erp.server import database_uri, write_config
from tillbridge.connectors.tryton.client import Access, TrytonClient
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.durable.postgres.databases import create_database, drop_database

live = pytest.mark.timeout(900)


@pytest.fixture
def database(server_url: str) -> Iterator[str]:
    """A name for an ERP's database that is gone after the test."""
    name = f"tillbridge_test_erp_{os.getpid()}"
    drop_database(server_url, name)
    yield name
    drop_database(server_url, name)


@pytest.fixture(scope="module")
def erp(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erp]:
    name = f"tillbridge_test_erp_module_{os.getpid()}"
    folder = tmp_path_factory.mktemp("erp")
    try:
        with erp_beside(server_url, folder, BOOKS, database=name, fresh=True) as found:
            yield found
    except NotInstallable as problem:
        pytest.skip(f"no Tryton on this machine: {problem}")
    finally:
        drop_database(server_url, name)


@pytest.fixture(scope="module")
def client(erp: Erp) -> TrytonClient:
    return TrytonClient(
        Access(erp.url, erp.database, erp.user, erp.password), HttpTransport(LOOPBACK)
    )


@live
def test_both_companies_keep_books_in_their_own_currency(client: TrytonClient) -> None:
    fields = ["party.code", "currency.code"]
    rows = client.search_read("company.company", [], fields)
    told = {row["party."]["code"]: row["currency."]["code"] for row in rows}
    assert told == {one.code: one.currency for one in BOOKS.entities}
    assert set(told.values()) == {"USD", "EUR"}


@live
def test_every_day_of_the_books_has_an_open_period_with_sequences(client: TrytonClient) -> None:
    for day in (BOOKS.first_day, DAY, BOOKS.last_day):
        domain = [["start_date", "<=", day], ["end_date", ">=", day], ["state", "=", "open"]]
        assert len(client.search("account.period", [*domain, ["type", "=", "standard"]])) == len(
            BOOKS.entities
        )
    years = client.search_read("account.fiscalyear", [], ["invoice_sequences"])
    assert len(years) == 2 * len(BOOKS.entities)
    assert all(row["invoice_sequences"] for row in years)


@live
def test_accounts_shops_places_and_products_carry_the_hubs_codes(client: TrytonClient) -> None:
    def codes(model: str, field: str = "code") -> list[str]:
        return sorted({row[field] for row in client.search_read(model, [], [field]) if row[field]})

    assert {account.code for account in BOOKS.accounts} <= set(codes("account.account"))
    assert codes("web.shop", "name") == sorted(one.channel for one in BOOKS.shops)
    assert {"wh-1", "store-1"} <= set(codes("stock.location"))
    assert codes("product.product") == [item.product for item in BOOKS.items]


@live
def test_a_second_erp_is_a_clone_within_seconds_and_keeps_its_data(
    erp: Erp, server_url: str, database: str, tmp_path: Path
) -> None:
    begun = time.monotonic()
    with erp_beside(server_url, tmp_path / "a", BOOKS, database=database) as twin:
        assert twin.database == database != erp.database
        steps = {step.name: step.seconds for step in twin.steps}
        other = TrytonClient(
            Access(twin.url, twin.database, twin.user, twin.password), HttpTransport(LOOPBACK)
        )
        made = other.create("party.party", [{"name": "Kept", "code": "kept"}])
    # Cloning and starting, on a busy machine; filling anew would take longer than this.
    assert steps["database"] < 20
    assert time.monotonic() - begun < 60
    assert not _answers(twin.url)
    with erp_beside(server_url, tmp_path / "a", BOOKS, database=database) as again:
        found = TrytonClient(
            Access(again.url, again.database, again.user, again.password), HttpTransport(LOOPBACK)
        )
        assert found.search("party.party", [["code", "=", "kept"]]) == made


@live
def test_a_database_of_another_origin_is_not_touched(
    erp: Erp, server_url: str, database: str, tmp_path: Path
) -> None:
    create_database(server_url, database)
    with (
        pytest.raises(ErpError, match="not made by this release"),
        erp_beside(server_url, tmp_path, BOOKS, database=database),
    ):
        pass


@live
def test_the_server_goes_when_its_parent_is_killed(
    erp: Erp, server_url: str, database: str, tmp_path: Path
) -> None:
    books = tmp_path / "books.json"
    books.write_bytes(msgspec.json.encode(BOOKS))
    command = [
        sys.executable, "-m", "tillbridge.app.erp", "--server", server_url,
        "--folder", str(tmp_path / "erp"), "--books", str(books), "--database", database,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url = msgspec.json.decode(parent.stdout.readline())["url"]
        assert _answers(url)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    end = time.monotonic() + 10
    while _answers(url) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _answers(url)


@live
def test_settings_and_password_are_for_their_owner_only(erp: Erp) -> None:
    folder = erp.log.parent
    assert (folder / "trytond.conf").stat().st_mode & 0o077 == 0
    cache = installation.cache_folder() / f"tryton-{installation.lock_key()}"
    for path in (*cache.glob("*.dump"), cache / "passwords.json"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_lock_names_hashes_and_no_index() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    names = re.findall(r"^(\S+)==", text, re.MULTILINE)
    assert "trytond" in names
    assert "gunicorn" not in names
    for part in re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in part, part.split("==")[0]


def test_other_books_are_another_database() -> None:
    one = Books(
        entities=(LegalEntity("us", "US", "USD"),),
        first_day=date(2025, 1, 1),
        last_day=date(2026, 1, 1),
    )
    other = msgspec.structs.replace(one, last_day=date(2027, 1, 1))
    assert one.key() != other.key()
    assert one.key() == msgspec.json.decode(msgspec.json.encode(one), type=Books).key()
    assert list(other.years) == [2025, 2026, 2027]


def test_accounts_with_a_name_in_them_become_one_account_of_the_erp() -> None:
    accounts = {account.code: account.kind for account in BOOKS.accounts}
    assert (accounts["clearing"], accounts["sales"]) == ("asset", "income")
    assert not [code for code in accounts if "*" in code]


def test_the_database_server_is_written_as_tryton_reads_it(tmp_path: Path) -> None:
    assert database_uri("postgresql://hub:a%2Fb@127.0.0.1:25432/hub") == (
        "postgresql://hub:a%%2Fb@127.0.0.1:25432/"
    )
    assert (
        database_uri("host=db.example port=5433 user=hub") == "postgresql://hub:@db.example:5433/"
    )
    with pytest.raises(ErpError, match="TCP"):
        database_uri("host=/run/postgresql dbname=hub")
    config = write_config(tmp_path / "erp", "postgresql://hub:secret@127.0.0.1:1/hub", 20001)
    assert "listen = 127.0.0.1:20001" in config.read_text(encoding="utf-8")


def test_a_failing_program_is_told_with_its_last_words() -> None:
    command = [sys.executable, "-c", "print('the disk is full'); raise SystemExit(3)"]
    with pytest.raises(ErpError, match=r"(?s)the dump failed with status 3.*the disk is full"):
        list(lines_of(command, "the dump"))


def test_packages_that_cannot_be_had_are_told_in_pips_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TILLBRIDGE_CACHE", str(tmp_path))
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": "", "CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    with pytest.raises(NotInstallable, match="No matching distribution"):
        install(silent)
    assert not list(tmp_path.glob("*/installed"))


def test_passwords_are_made_once(tmp_path: Path) -> None:
    made = Installation(tmp_path).passwords()
    assert Installation(tmp_path).passwords() == made
    assert made.admin != made.integration
    assert len(made.integration) >= 32


def _answers(url: str) -> bool:
    try:
        return bool(TrytonClient(Access(url, "", "", ""), HttpTransport(LOOPBACK)).server_version())
    except Exception:  # noqa: BLE001 - whatever it says, it does not answer
        return False
