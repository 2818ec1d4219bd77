"""The embedded server keeps what it acknowledged and lets nobody else in."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.durable.server_bench import Bench
from tillbridge.durable.postgres import PostgresError, database, start
from tillbridge.durable.postgres.settings import SAFETY


@pytest.fixture
def url(bench: Bench) -> Iterator[str]:
    with database(bench.workspace) as url:
        yield url


def test_an_acknowledged_commit_is_on_disk(bench: Bench, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        # A file or ALTER SYSTEM cannot take the safety away.
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")
        connection.execute("alter system reset fsync")
        shown: dict[str, str] = dict(
            connection.execute(
                "select name, setting from pg_settings where name = any(%s)",
                [[*SAFETY, "data_checksums"]],
            ).fetchall()
        )
    assert shown["data_checksums"] == "on"
    for name in ("fsync", "synchronous_commit", "full_page_writes", "restart_after_crash"):
        assert shown[name] == "on", name
    assert shown["data_sync_retry"] == "off"
    assert shown["wal_level"] == "replica"


def test_text_sorts_by_bytes_whatever_the_machine_has(url: str) -> None:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select datlocprovider, datlocale, pg_encoding_to_char(encoding), lower('Ä') "
            "from pg_database where datname = current_database()"
        ).fetchone()
    assert row == ("b", "C.UTF-8", "UTF8", "ä")


def test_nobody_comes_in_without_the_password(url: str) -> None:
    for wrong in ({"password": "wrong"}, {"password": "wrong", "dbname": "postgres"}):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(make_conninfo(url, **wrong))
    with psycopg.connect(url) as connection:
        methods = connection.execute("select distinct auth_method from pg_hba_file_rules")
        assert methods.fetchall() == [("scram-sha-256",)]
        shown = connection.execute(
            "select current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        )
        assert shown.fetchone() == ("127.0.0.1", "")


def test_files_are_closed_to_others(bench: Bench, url: str) -> None:
    assert stat.S_IMODE(bench.data().stat().st_mode) == 0o700
    for path in bench.folder.root.iterdir():
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    secret = bench.folder.password()
    assert secret not in bench.log()
    for pid in bench.processes():
        assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    if os.geteuid() == 0:
        assert bench.data().stat().st_uid != 0


def test_a_planted_symlink_is_not_followed(bench: Bench, url: str) -> None:
    victim = bench.workspace / "victim"
    victim.write_text("untouched")
    (bench.folder.root / "keep").symlink_to(victim)
    with pytest.raises(PostgresError, match="cannot be opened"):
        start(bench.workspace)
    assert victim.read_text() == "untouched"
    (bench.folder.root / "keep").unlink()
