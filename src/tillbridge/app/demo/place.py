"""The demo's own workspace: made fresh on every run, complete enough for every other command.

Only a folder that an earlier demo made is ever emptied; its embedded server is kept, its databases
are dropped by `fresh_database`. A folder whose hub still runs is left alone.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import psycopg

from tillbridge.app.beside import answers
from tillbridge.app.beside_tryton import BOOKS, tryton_folder
from tillbridge.app.demo.books import retailer_books
from tillbridge.app.erp.beside import DATABASE
from tillbridge.app.erp.installation import place as installation
from tillbridge.app.sealed_secrets import SealedSecrets
from tillbridge.app.settings import FILE, SettingsRefused, Workspace, load_workspace
from tillbridge.app.workspace import write
from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import Ids
from tillbridge.connectors.sandbox.assortment import STORES
from tillbridge.connectors.sandbox.card_files import MAPPING
from tillbridge.connectors.sandbox.retailer import DayOfTrade
from tillbridge.durable.postgres import external_url, status
from tillbridge.durable.postgres.databases import (
    create_database,
    database_exists,
    database_name,
    drop_database,
)
from tillbridge.durable.postgres.supervisor import choose_port, port_is_free

FOLDER = "tillbridge-demo"
ERP = "erp"
CARDS = {"us": "cards", "ca": "cards-ca"}
"""Legal entity -> the connection that tells of its gift cards."""
MARK = Path(".tillbridge") / "demo.json"
PORT = 8765
_SERVER = "postgres"
_GOING_SECONDS = 5.0
_TRYTON = """\
# The ERP. `tryton` with url "auto" is a real Tryton on this workspace's own PostgreSQL server,
# started by `up` and `drain` and filled the first time from .tillbridge/erp/erp/books.json.
[connection.erp]
connector = "tryton"
entity = "us"
secrets.password = {{ file = "secrets/erp-password" }}
settings = {{ url = "auto", database = "{database}" }}
# Twenty documents go in one call and a batch takes seconds, so the bucket never holds it up.
budget = {{ rate = 20.0, burst = 40.0, conc = 20 }}
"""


_MONTH_END = """
# The provider of the web shop's card payments: what it saves of payouts and balance transactions is
# dropped into drop/shop-pay/. Its payouts go to the bank whose statements come to drop/house-bank/.
[connection.shop-pay]
connector = "shopify_payments"
entity = "us"

[connection.shop-pay.settle]
tenders = ["shop-pay"]
orders = ["web"]
bank = "house-bank"
bank_texts = ["SHOPIFY"]

[connection.house-bank]
connector = "camt"
entity = "us"
"""
_CARDS = """
[connection.{name}]
connector = "feed"
entity = "{entity}"
channel = "stores"
timezone = "{timezone}"
settings = {{ mapping = "feeds/cards.toml" }}
"""


class Mark(msgspec.Struct, frozen=True):
    """Left in a folder the demo made: that it may be emptied, and its ERP's database."""

    database: str


class Occupied(Refused):
    """The folder cannot be used for a demo; exit 2."""


def make_place(folder: Path, erp: str, day: DayOfTrade, ids: Ids, clock: Clock) -> Workspace:
    """A fresh demo workspace in `folder`. Raises Occupied; ErpError when there is no cache."""
    old = _old(folder)
    if old is not None:
        _must_be_quiet(folder, clock)
        SealedSecrets(folder).forget_master()
        _empty(folder)
    name = DATABASE if external_url() is None else f"{DATABASE}_{ids.random_hex(4)}"
    mark = old or Mark(name)
    (folder / MARK).parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    (folder / MARK).write_bytes(msgspec.json.encode(mark))
    write(folder, ids, clock)
    (folder / "feeds" / "cards.toml").write_text(MAPPING, encoding="utf-8")
    for name in ("shop-pay", "house-bank", *CARDS.values()):
        (folder / "drop" / name).mkdir()
    _settings(folder, erp, mark.database)
    if erp == "tryton":
        _tryton(folder, day, ids, clock)
    return load_workspace(folder)


def _old(folder: Path) -> Mark | None:
    """What an earlier demo left; None for a new or empty folder."""
    if not folder.exists():
        return None
    if not folder.is_dir():
        raise Occupied(f"{folder} is no folder")
    try:
        return msgspec.json.decode((folder / MARK).read_bytes(), type=Mark)
    except (OSError, msgspec.MsgspecError):
        if any(folder.iterdir()):
            raise Occupied(
                f"{folder} holds something that no demo made; name a new or empty folder"
            ) from None
        return None


def _must_be_quiet(folder: Path, clock: Clock) -> None:
    """Raises Occupied when a hub or command of the workspace runs."""
    end = clock.monotonic() + _GOING_SECONDS  # one that was killed a moment ago is still going
    while _runs(folder):
        if clock.monotonic() > end:
            raise Occupied(
                f"the hub in {folder} still runs; stop it, or play in another folder "
                "with --workspace"
            )
        clock.sleep(0.1)


def _runs(folder: Path) -> bool:
    if external_url() is None and status(folder).mode == "leased":
        return True
    try:
        hub = load_workspace(folder).settings.hub
    except SettingsRefused:
        return False
    return answers(f"http://{hub.host}:{hub.port}")


def _empty(folder: Path) -> None:
    """Everything goes but the embedded server and the mark."""
    _clear(folder, {_SERVER, MARK.parts[0]})
    _clear(folder / MARK.parts[0], {MARK.name})


def _clear(folder: Path, keep: set[str]) -> None:
    for entry in folder.iterdir():
        if entry.name in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _settings(folder: Path, erp: str, database: str) -> None:
    """The template's settings with a port that is free now and the demo's ERP."""
    path = folder / FILE
    text = path.read_text(encoding="utf-8")
    port = PORT if port_is_free(PORT) else choose_port(f"{folder} hub")
    if f"port = {PORT}\n" not in text:
        raise SettingsRefused(f"{path}: the template names no port {PORT}")
    text = text.replace(f"port = {PORT}\n", f"port = {port}\n")
    if erp == "tryton":
        head, found, _ = text.partition("[connection.erp]")
        if not found:
            raise SettingsRefused(f"{path}: the template names no [connection.erp]")
        lines = head.rstrip().splitlines()
        while lines and lines[-1].startswith("#"):
            lines.pop()
        text = "\n".join(lines).rstrip() + "\n\n" + _TRYTON.format(database=database)
    text += _MONTH_END + "\n# The gift card service, one file per legal entity\n"
    for store in {one.entity: one for one in reversed(STORES)}.values():
        name, zone = CARDS[store.entity], store.timezone
        text += _CARDS.format(name=name, entity=store.entity, timezone=zone)
    path.write_text(text, encoding="utf-8")


def _tryton(folder: Path, day: DayOfTrade, ids: Ids, clock: Clock) -> None:
    """Its password, and the books its database is filled with."""
    password = installation().passwords().integration
    SealedSecrets(folder).set("erp-password", password, ids, clock.now())
    beside = tryton_folder(folder, ERP)
    beside.mkdir(parents=True)
    (beside / BOOKS).write_bytes(msgspec.json.encode(retailer_books(day.day)))


def fresh_database(workspace: Workspace, url: str) -> None:
    """Empty databases for hub and ERP on the workspace's server.

    A server of somebody else's (TILLBRIDGE_DATABASE_URL) must have an empty one: nothing of it is
    ever dropped but the ERP of an earlier demo in this folder. Raises Occupied.
    """
    mark = msgspec.json.decode((workspace.folder / MARK).read_bytes(), type=Mark)
    if database_exists(url, mark.database):
        drop_database(url, mark.database)
    if external_url() is not None:
        _must_be_empty(url)
        return
    name = database_name(url)
    drop_database(url, name)
    create_database(url, name)


def _must_be_empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        row = connection.execute("select to_regclass('public.record') is not null").fetchone()
    if row and row[0]:
        raise Occupied(
            "TILLBRIDGE_DATABASE_URL names a database with a hub in it; name an empty one"
        )
