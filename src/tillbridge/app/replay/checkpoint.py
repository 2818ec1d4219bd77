"""Checkpoints: a kept copy of the state at a place of the log, so that a replay can start there.

Files in `checkpoints/POSITION/` of the workspace: one per table, as PostgreSQL's COPY writes it,
packed, and a manifest with the stand of the flow and the digest of each table. Taken in one
snapshot; loaded only when the digests come out the same. Personal data of the vault is not in it.
"""

from __future__ import annotations

import gzip
import os
import shutil
from datetime import datetime
from pathlib import Path

import msgspec
from psycopg import sql

from tillbridge.app.hub import Hub
from tillbridge.app.replay.reader import Stand, pending_at, stand_of
from tillbridge.app.replay.state import Digest, digests, state_hash
from tillbridge.app.replay.tables import snapshot
from tillbridge.atoms.errors import Refused
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.app.replay", "checkpoint.sql")
FOLDER = "checkpoints"
MANIFEST = "manifest.json"
KEPT = 3
TABLES = (
    "order_state",
    "receivable",
    "sale_state",
    "till_count",
    "till_receipt",
    "transfer_state",
    "proposal_state",
    "tax_document",
    "stock",
    "stock_movement",
    "reservation",
    "hold",
    "supply",
    "purchase",
    "promise",
    "waiting",
    "stock_evidence",
    "item",
    "item_pack",
    "item_component",
    "availability_rules",
    "posting_rule",
    "entry",
    "entry_line",
    "sale_void",
    "period",
    "period_admission",
    "dest",
    "document",
    "journal_pending",
    "journal_summary",
    "xref",
    "parked_key",
    "parked",
)
_GUARDED = ("entry", "entry_line", "posting_rule")


class Checkpoint(msgspec.Struct, frozen=True):
    """A kept copy of the state after record `position`, below `checkpoints/`."""

    position: int
    taken_at: datetime
    state_hash: str
    folder: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True):
    """What lies beside the tables. oldest: the lowest record a replay from here has to read."""

    stand: Stand
    oldest: int
    state_hash: str
    tables: dict[str, Digest]


def take(hub: Hub, kept: int = KEPT) -> Checkpoint:
    """Copy the state as it is now; older checkpoints than the newest `kept` are removed."""
    home = hub.workspace.folder / FOLDER
    home.mkdir(mode=0o700, exist_ok=True)
    unfinished = home / ".unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    with snapshot(hub) as live:
        stand = stand_of(live)
        waiting = pending_at(live, stand)
        tables = digests(live)
        for name in TABLES:
            _save(live, name, unfinished)
    oldest = min((told.id for told in waiting), default=stand.top + 1)
    manifest = Manifest(stand, oldest, state_hash(tables), tables)
    _write(unfinished / MANIFEST, msgspec.json.encode(manifest))
    folder = home / str(stand.top)
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    size = sum(file.stat().st_size for file in folder.iterdir())
    found = Checkpoint(stand.top, hub.clock.now(), manifest.state_hash, folder.name, size)
    with hub.connect() as connection:
        connection.execute(QUERIES.note, msgspec.structs.astuple(found))
        rows = connection.execute(QUERIES.forget, (kept,)).fetchall()
        connection.commit()
    for (old,) in rows:
        shutil.rmtree(home / old, ignore_errors=True)
    return found


def newest(connection: Connection, home: Path) -> tuple[Checkpoint, Manifest] | None:
    """The newest checkpoint the database knows whose files are here; home: the workspace."""
    for row in connection.execute(QUERIES.list).fetchall():
        found = Checkpoint(*row)
        file = home / FOLDER / found.folder / MANIFEST
        if file.is_file():
            manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
            if manifest.state_hash == found.state_hash:
                return found, manifest
    return None


def safe_below(connection: Connection, home: Path) -> int:
    """Records below this number are not needed for a replay from the newest checkpoint."""
    found = newest(connection, home)
    return 0 if found is None else min(found[0].position + 1, found[1].oldest)


def restore(scratch: Connection, folder: Path, manifest: Manifest) -> None:
    """Load a checkpoint into an empty database; raises Refused when it is not what it was."""
    for name in _GUARDED:
        scratch.execute(_guards("disable", name))
    for name in TABLES:
        _load(scratch, name, folder)
    for name in _GUARDED:
        scratch.execute(_guards("enable", name))
    for table, column in scratch.execute(QUERIES.identities, (list(TABLES),)).fetchall():
        counted = sql.SQL(
            "select setval(pg_get_serial_sequence({table}, {column}),"
            " coalesce(max({name}), 0) + 1, false) from {of}"
        ).format(
            table=sql.Literal(table),
            column=sql.Literal(column),
            name=sql.Identifier(column),
            of=sql.Identifier(table),
        )
        scratch.execute(counted)
    wrong = [name for name, one in digests(scratch).items() if manifest.tables.get(name) != one]
    if wrong:
        raise Refused(f"checkpoint {folder} is damaged: {', '.join(wrong)}")
    scratch.commit()


def _guards(verb: str, table: str) -> sql.Composed:
    text = sql.SQL("alter table {} {} trigger user")
    return text.format(sql.Identifier(table), sql.SQL("enable" if verb == "enable" else "disable"))


def _save(live: Connection, table: str, folder: Path) -> None:
    text = sql.SQL("copy {} to stdout").format(sql.Identifier(table))
    with (
        gzip.open(folder / f"{table}.copy.gz", "wb", compresslevel=3) as file,
        live.cursor().copy(text) as rows,
    ):
        for block in rows:
            file.write(block)


def _load(scratch: Connection, table: str, folder: Path) -> None:
    text = sql.SQL("copy {} from stdin").format(sql.Identifier(table))
    with (
        gzip.open(folder / f"{table}.copy.gz", "rb") as file,
        scratch.cursor().copy(text) as rows,
    ):
        while block := file.read(1 << 16):
            rows.write(block)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
