"""Bring a database to the schema of this program: numbered SQL files, forward only.

Files are `migrations/NNNN_name.sql`. Each runs once, in a transaction of its own together with
its row in `migration`, under one session lock, so that processes starting together do not race.
A file that was applied is history: an edited, removed or belated one is refused.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection
from psycopg.pq import TransactionStatus

FOLDER = Path(__file__).parent / "migrations"
LOCK = 7_701
"""Session advisory lock of the migrating process."""
POLL_SECONDS = 0.05
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


class MigrationRefused(Exception):
    """The files and the database's history do not agree; the words say which and what to do."""


@dataclass(frozen=True)
class Migration:
    """One file."""

    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text with line ends made equal, so that a checkout may differ in them."""
        return hashlib.sha256(self.text.replace("\r\n", "\n").encode()).hexdigest()

    @property
    def label(self) -> str:
        """`0003_parking`."""
        return f"{self.number:04d}_{self.name}"


def read_migrations(folder: Path = FOLDER) -> list[Migration]:
    """The files in order of their numbers; raises MigrationRefused on a bad or double number."""
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        parts = _FILE.fullmatch(path.name)
        if parts is None:
            raise MigrationRefused(f"{path.name} is not named NNNN_lower_case.sql")
        migration = Migration(int(parts[1]), parts[2], path.read_text(encoding="utf-8"))
        if migration.number in found:
            raise MigrationRefused(
                f"{path.name} and {found[migration.number].label}.sql have the same number; "
                "give the newer one the next free number"
            )
        found[migration.number] = migration
    return [found[number] for number in sorted(found)]


def pending(connection: Connection, folder: Path = FOLDER) -> list[Migration]:
    """The files this database lacks; raises MigrationRefused when its history does not fit."""
    migrations = read_migrations(folder)
    rows: list[tuple[int, str, str]] = []
    there = connection.execute("select to_regclass('public.migration') is not null").fetchone()
    if there is not None and there[0]:
        rows = connection.execute(
            "select number, name, checksum from public.migration order by number"
        ).fetchall()
    known = {migration.number: migration for migration in migrations}
    for number, name, checksum in rows:
        file = known.get(number)
        if file is None:
            raise MigrationRefused(
                f"The database has migration {number:04d}_{name}, which this program does not "
                "know: it was last used by a newer version. Use that version or a newer one."
            )
        if file.checksum != checksum:
            raise MigrationRefused(
                f"{file.label}.sql was edited after this database applied it. Put the file back "
                "as it was and write the change as a new migration."
            )
    newest = max((number for number, _, _ in rows), default=0)
    applied = {number for number, _, _ in rows}
    todo = [migration for migration in migrations if migration.number not in applied]
    for migration in todo:
        if migration.number < newest:
            raise MigrationRefused(
                f"{migration.label}.sql came after {newest:04d} had been applied; give it a "
                "number above all applied ones."
            )
    return todo


def migrate(connection: Connection, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing and return the labels of what was applied, oldest first.

    The connection must stand outside a transaction. Raises MigrationRefused, or the database's
    own error, after which all earlier files stay applied and the failed one has left nothing.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise MigrationRefused("Migrations need a connection outside a transaction")
    with _alone(connection):
        with connection.transaction():
            connection.execute(
                "create table if not exists public.migration (number int primary key, "
                "name text not null, checksum text not null, "
                "applied_at timestamptz not null default now())"
            )
        done = []
        for migration in pending(connection, folder):
            with connection.transaction():
                connection.execute(migration.text.encode())
                connection.execute(
                    "insert into public.migration (number, name, checksum) values (%s, %s, %s)",
                    [migration.number, migration.name, migration.checksum],
                )
            done.append(migration.label)
    return done


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the session lock, with the session's time limits lifted.

    The lock is tried again and again: a session that waits inside a statement would hold a
    snapshot, and an index built concurrently by the other process would wait for it for ever.
    """
    before = connection.autocommit
    connection.autocommit = True
    limits = ("lock_timeout", "statement_timeout")
    kept = [
        connection.execute("select current_setting(%s)", [name]).fetchone() or ("0",)
        for name in limits
    ]
    try:
        for name in limits:
            connection.execute("select set_config(%s, '0', false)", [name])
        while connection.execute("select pg_try_advisory_lock(%s)", [LOCK]).fetchone() != (True,):
            time.sleep(POLL_SECONDS)
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", [LOCK])
            for name, (value,) in zip(limits, kept, strict=True):
                connection.execute("select set_config(%s, %s, false)", [name, value])
            connection.autocommit = before
