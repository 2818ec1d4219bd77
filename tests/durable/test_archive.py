"""Backup and restore: the whole of it comes back, and the hub knows that it was away."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from tests.durable.server_bench import Bench
from tillbridge.durable.migrate import migrate
from tillbridge.durable.postgres import PostgresError, database, start, status
from tillbridge.durable.postgres.archive import backup, restore
from tillbridge.durable.postgres.manifest import Form
from tillbridge.durable.restore import Aftermath, after_restore
from tillbridge.durable.session import connect

FLOOR = """
create table hub (one boolean primary key default true, incarnation int not null);
insert into hub (incarnation) values (1);
create table outkey (key text, lease_until timestamptz, token bigint, due timestamptz,
  unknown boolean not null default false);
insert into outkey values ('leased', now(), 5, now()), ('waiting', null, null, now() + '1 h');
create table document (op text, state text);
insert into document values ('a', 'sent'), ('b', 'accepted'), ('c', 'owed');
"""


def quiet(line: str) -> None:
    """Nobody listens."""


def incarnation(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select incarnation from hub").fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.parametrize("form", ["tar", "plain"])
def test_a_backup_comes_back_in_an_empty_workspace(
    own_bench: Bench, open_folder: Path, form: Form
) -> None:
    with database(own_bench.workspace) as url:
        with psycopg.connect(url) as connection:
            connection.execute(FLOOR)
        made = backup(own_bench.workspace, open_folder / "saved", form=form)
    assert made.files > 500
    assert made.size > 1_000_000
    assert made.version.startswith("18.")
    other = Bench(open_folder / "other")
    try:
        done = restore(other.workspace, made.path, report=quiet)
        assert done.aftermath == Aftermath(incarnation=2, keys=2, documents=1)
        assert done.kept is None
        # Its own password, not the one it was saved with; and no second telling.
        assert other.folder.password() != own_bench.folder.password()
        with database(other.workspace) as url, psycopg.connect(url) as connection:
            documents = connection.execute("select op, state from document order by op")
            assert documents.fetchall() == [("a", "unknown"), ("b", "accepted"), ("c", "owed")]
            leases = connection.execute("select distinct unknown, lease_until, token from outkey")
            assert leases.fetchall() == [(True, None, None)]
            assert incarnation(url) == 2
            methods = connection.execute("select distinct auth_method from pg_hba_file_rules")
            assert methods.fetchall() == [("scram-sha-256",)]
    finally:
        other.clean()


def test_a_restore_over_a_database_needs_force_and_puts_the_former_one_aside(
    own_bench: Bench, open_folder: Path
) -> None:
    start(own_bench.workspace)
    with database(own_bench.workspace) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FLOOR)
        backup(own_bench.workspace, open_folder / "saved")
        connection.execute("create table later (x int)")
    with pytest.raises(PostgresError, match="server is running; stop it"):
        restore(own_bench.workspace, open_folder / "saved", report=quiet)
    done = restore(own_bench.workspace, open_folder / "saved", force=True, report=quiet)
    assert done.kept is not None
    assert (done.kept / "PG_VERSION").exists()
    with pytest.raises(PostgresError, match="holds a database"):
        restore(own_bench.workspace, open_folder / "saved", report=quiet)
    # The same backup twice: the second life is not the first one again.
    again = restore(own_bench.workspace, open_folder / "saved", force=True, report=quiet)
    assert again.aftermath is not None
    assert again.aftermath.incarnation == 3
    with database(own_bench.workspace) as url, psycopg.connect(url) as connection:
        assert connection.execute("select to_regclass('later')").fetchone() == (None,)


def test_a_damaged_or_unfinished_backup_changes_nothing(
    own_bench: Bench, open_folder: Path
) -> None:
    with database(own_bench.workspace) as url:
        with psycopg.connect(url) as connection:
            connection.execute(FLOOR)
        saved = backup(own_bench.workspace, open_folder / "saved", form="plain").path
        with pytest.raises(PostgresError, match="not an empty folder"):
            backup(own_bench.workspace, saved)
    table = max((saved / "cluster" / "base").rglob("*"), key=lambda path: path.stat().st_size)
    with table.open("r+b") as file:
        file.seek(100)
        file.write(b"rot")
    with pytest.raises(
        PostgresError, match=f"damaged: {table.relative_to(saved / 'cluster')} .* was changed"
    ):
        restore(own_bench.workspace, saved, force=True, report=quiet)
    table.unlink()
    with pytest.raises(PostgresError, match="is missing"):
        restore(own_bench.workspace, saved, force=True, report=quiet)
    manifest = saved / "cluster" / "backup_manifest"
    manifest.write_text(manifest.read_text().replace("base/", "bose/"))
    with pytest.raises(PostgresError, match="does not match its own checksum"):
        restore(own_bench.workspace, saved, force=True, report=quiet)
    (saved / "backup.json").unlink()
    with pytest.raises(PostgresError, match="not a finished backup"):
        restore(own_bench.workspace, saved, force=True, report=quiet)
    with database(own_bench.workspace) as url:
        assert incarnation(url) == 1
    assert [path.name for path in own_bench.folder.root.iterdir() if path.is_dir()] == ["data"]
    shutil.rmtree(saved)


def test_the_hook_fits_the_real_schema(database_url: str) -> None:
    with connect(database_url) as connection:
        assert after_restore(connection, above=4) == Aftermath(5, 0, 0)
        assert migrate.__doc__


def test_the_hook_passes_a_database_that_is_no_hub(empty_database_url: str) -> None:
    with connect(empty_database_url) as connection:
        assert after_restore(connection) == Aftermath(0, 0, 0)


def test_psql_reaches_the_database(bench: Bench) -> None:
    child = bench.command(
        "from tillbridge.durable.postgres.shell import psql\n"
        "sys.exit(psql(workspace, ['-XAt', '-c', 'select current_database()']))"
    )
    assert child.communicate()[0] == "tillbridge\n"
    assert child.returncode == 0
    assert status(bench.workspace).mode == "stopped"
