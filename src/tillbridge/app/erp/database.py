"""Tryton's database: initialised once, filled once per set of books, kept as a dump, cloned.

Two dumps per cache folder: after initialisation (modules only) and after the fill. They are keyed
by the server's major version too, because an older server does not read a newer one's dump.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tillbridge.app.erp.books import Books
from tillbridge.app.erp.fill import fill
from tillbridge.app.erp.installation import (
    LOCK,
    Installation,
    lines_of,
    lock_key,
    run_told,
    write_private,
)
from tillbridge.app.erp.progress import ErpError, Progress
from tillbridge.app.erp.server import TrytonServer, clean_environment, write_config
from tillbridge.durable.postgres.binaries import find
from tillbridge.durable.postgres.databases import (
    create_database,
    database_exists,
    drop_database,
    with_database,
)
from tillbridge.durable.postgres.errors import PostgresError

MODULES = (
    "sale", "account_invoice", "account_invoice_stock", "stock", "sale_shipment_grouping",
    "web_shop",
)  # fmt: skip
ADMIN_EMAIL = "admin@example.com"


class Vault:
    """The cached databases of an installation, for one server."""

    def __init__(self, installation: Installation, server_url: str) -> None:
        self._installation = installation
        self._url = server_url
        with psycopg.connect(with_database(server_url, "postgres")) as connection:
            self._major = connection.info.server_version // 10_000

    def ensure(self, name: str, books: Books, progress: Progress) -> None:
        """Make database `name`, filled with the books, unless it is there already.

        Raises ErpError when the one that is there was made by another lock: Tryton's programs and
        its tables belong together.
        """
        if database_exists(self._url, name):
            self._check_origin(name)
            return
        filled = self._dump(f"filled-{books.key()}")
        with self._installation.locked():
            if not filled.exists():
                self._build(filled, books, progress)
        if not filled.exists():
            raise ErpError(f"{filled} is gone; was the cache emptied meanwhile?")
        progress("cloning the ERP's database", 0, 1)
        self._restore(filled, name)
        self._note_origin(name)
        progress("cloning the ERP's database", 1, 1)

    def _note_origin(self, name: str) -> None:
        note = sql.SQL("comment on database {} is {}").format(
            sql.Identifier(name), sql.Literal(_origin())
        )
        with psycopg.connect(with_database(self._url, "postgres"), autocommit=True) as connection:
            connection.execute(note)

    def _check_origin(self, name: str) -> None:
        with psycopg.connect(with_database(self._url, "postgres")) as connection:
            row = connection.execute(
                "select shobj_description(oid, 'pg_database') from pg_database where datname = %s",
                [name],
            ).fetchone()
        if row is None or row[0] != _origin():
            raise ErpError(
                f"database {name!r} was not made by this release's Tryton; name another one, "
                "or let it be made afresh"
            )

    def _dump(self, name: str) -> Path:
        return self._installation.folder / f"{name}-pg{self._major}.dump"

    def _build(self, filled: Path, books: Books, progress: Progress) -> None:
        """Fill a scratch database in the server and dump it; the scratch one goes in any case."""
        scratch = f"tryton_scratch_{books.key()}"
        drop_database(self._url, scratch)
        try:
            self._initialise(scratch, progress)
            with TemporaryDirectory(prefix="tillbridge-tryton-") as folder:
                server = TrytonServer(self._installation, self._url, scratch, Path(folder))
                server.start()
                try:
                    passwords = self._installation.passwords()
                    client = server.client("admin", passwords.admin)
                    fill(client, books, passwords.integration, progress)
                finally:
                    server.stop()
            self._save(scratch, filled)
        finally:
            drop_database(self._url, scratch)

    def _initialise(self, name: str, progress: Progress) -> None:
        """A database with the modules in it: from its dump, else by Tryton's own program."""
        empty = self._dump("initialised")
        if empty.exists():
            self._restore(empty, name)
            return
        create_database(self._url, name)
        with TemporaryDirectory(prefix="tillbridge-tryton-") as place:
            folder = Path(place)
            config = write_config(folder, self._url)
            secret = folder / "password"
            write_private(secret, self._installation.passwords().admin.encode())
            command = [
                str(self._installation.program("python")),
                str(self._installation.program("trytond-admin")),
                "-vv", "-c", str(config), "-d", name, "--email", ADMIN_EMAIL,
                "--activate-dependencies", "-u", *MODULES,
            ]  # fmt: skip
            environment = clean_environment(folder) | {"TRYTONPASSFILE": str(secret)}
            _tell_modules(command, environment, progress)
        self._save(name, empty)

    def _save(self, name: str, dump: Path) -> None:
        """Dump a database; the file appears under its name only when it is whole."""
        draft = dump.with_suffix(".draft")
        program = _client_program("pg_dump", self._major)
        run_told(
            [program, "--format=custom", "--no-owner", f"--file={draft}"],
            "the dump of the ERP's database",
            self._environment(name),
        )
        draft.chmod(0o600)
        draft.replace(dump)

    def _restore(self, dump: Path, name: str) -> None:
        """A new database from a dump; nothing is left of it when that fails."""
        create_database(self._url, name)
        program = _client_program("pg_restore", self._major)
        try:
            run_told(
                [program, "--single-transaction", "--no-owner", f"--dbname={name}", str(dump)],
                "the clone of the ERP's database",
                self._environment(name),
            )
        except BaseException:
            drop_database(self._url, name)
            raise

    def _environment(self, name: str) -> dict[str, str]:
        """Where and as whom for the client programs; the password stays off the command line."""
        told = conninfo_to_dict(self._url)
        known = {
            "PGHOST": told.get("hostaddr") or told.get("host"),
            "PGPORT": told.get("port"),
            "PGUSER": told.get("user"),
            "PGPASSWORD": told.get("password"),
            "PGDATABASE": name,
            "PGSSLMODE": told.get("sslmode"),
        }
        plain = {key: str(value) for key, value in known.items() if value}
        return clean_environment(self._installation.folder) | plain


def _origin() -> str:
    return f"reference ERP of Tillbridge, lock {lock_key()}"


def _tell_modules(command: list[str], environment: dict[str, str], progress: Progress) -> None:
    """Run the initialisation; every module whose records it loads is a step."""
    step = "initialising the ERP's database"
    # The lock's modules, and the two that come with trytond itself.
    expected = LOCK.read_text(encoding="utf-8").count("\ntrytond-") + 2
    seen: set[str] = set()
    progress(step, 0, expected)
    for line in lines_of(command, "the initialisation of Tryton", environment):
        told = re.search(r"trytond\.modules (\w+) load \w", line)
        if told and told.group(1) not in seen:
            seen.add(told.group(1))
            progress(step, min(len(seen), expected) - 1, expected)
    progress(step, expected, expected)


def _client_program(name: str, major: int) -> str:
    """pg_dump or pg_restore that fits the server: beside the server's programs, else on PATH."""
    for wanted in (major, None):
        try:
            return str(find(wanted).program(name))
        except PostgresError:
            continue
    found = shutil.which(name)
    if found is None:
        raise ErpError(f"{name} is missing; install the PostgreSQL client programs")
    return found
