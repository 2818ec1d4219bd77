"""Migrations: once, in order, together or not at all; history is never rewritten."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from tillbridge.durable.migrate import MigrationRefused, migrate, read_migrations
from tillbridge.durable.session import connect


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations."""
    (tmp_path / "0001_first.sql").write_text(
        "create table a (x int);\ninsert into a values (1); -- 100% %s %b\n"
    )
    (tmp_path / "0002_second.sql").write_text("alter table a add y int default 5;")
    return tmp_path


def test_every_file_is_applied_once(empty_database_url: str, folder: Path) -> None:
    with connect(empty_database_url) as connection:
        assert migrate(connection, folder) == ["0001_first", "0002_second"]
        assert migrate(connection, folder) == []
        assert connection.execute("select x, y from a").fetchall() == [(1, 5)]
        connection.rollback()
        (folder / "0003_third.sql").write_text("drop table a;")
        assert migrate(connection, folder) == ["0003_third"]
        assert connection.execute("show lock_timeout").fetchone() == ("5s",)
        assert not connection.autocommit


def test_an_edited_file_is_refused_but_not_its_line_ends(
    empty_database_url: str, folder: Path
) -> None:
    with connect(empty_database_url) as connection:
        migrate(connection, folder)
        first = folder / "0001_first.sql"
        first.write_bytes(first.read_bytes().replace(b"\n", b"\r\n"))
        assert migrate(connection, folder) == []
        first.write_text(first.read_text() + "-- more")
        with pytest.raises(MigrationRefused, match=r"0001_first\.sql was edited"):
            migrate(connection, folder)


def test_a_database_of_a_newer_program_is_refused(empty_database_url: str, folder: Path) -> None:
    with connect(empty_database_url) as connection:
        migrate(connection, folder)
        (folder / "0002_second.sql").unlink()
        with pytest.raises(MigrationRefused, match="0002_second, which this program does not know"):
            migrate(connection, folder)


def test_a_belated_number_is_refused(empty_database_url: str, folder: Path) -> None:
    with connect(empty_database_url) as connection:
        (folder / "0001_first.sql").rename(folder / "0005_first.sql")
        (folder / "0002_second.sql").rename(folder / "0006_second.sql")
        migrate(connection, folder)
        (folder / "0003_late.sql").write_text("select 1;")
        with pytest.raises(MigrationRefused, match=r"0003_late\.sql came after 0006"):
            migrate(connection, folder)


def test_a_failing_file_leaves_nothing_and_the_earlier_ones_stay(
    empty_database_url: str, folder: Path
) -> None:
    (folder / "0003_bad.sql").write_text("create table b (x int); select no_such_thing;")
    with connect(empty_database_url) as connection:
        with pytest.raises(psycopg.errors.UndefinedColumn):
            migrate(connection, folder)
        there = "select to_regclass('a') is not null, to_regclass('b') is not null"
        assert connection.execute(there).fetchone() == (True, False)
        connection.rollback()
        (folder / "0003_bad.sql").write_text("create table b (x int);")
        assert migrate(connection, folder) == ["0003_bad"]


def test_processes_that_start_together_apply_each_file_once(
    empty_database_url: str, folder: Path
) -> None:
    (folder / "0003_slow.sql").write_text("select pg_sleep(0.3); create table c (x int);")
    answers: list[list[str]] = []

    def run() -> None:
        with connect(empty_database_url) as connection:
            answers.append(migrate(connection, folder))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, answers)) == [0, 0, 0, 3]


def test_badly_named_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "1_first.sql").write_text("select 1;")
    with pytest.raises(MigrationRefused, match="NNNN_lower_case"):
        read_migrations(tmp_path)
    (tmp_path / "1_first.sql").unlink()
    (tmp_path / "0001_a.sql").write_text("select 1;")
    (tmp_path / "0001_b.sql").write_text("select 1;")
    with pytest.raises(MigrationRefused, match="same number"):
        read_migrations(tmp_path)


def test_an_open_transaction_is_refused(empty_database_url: str, folder: Path) -> None:
    with connect(empty_database_url) as connection:
        connection.execute("select 1")
        with pytest.raises(MigrationRefused, match="outside a transaction"):
            migrate(connection, folder)
