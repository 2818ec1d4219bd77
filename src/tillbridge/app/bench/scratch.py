"""A database for a benchmark: one of its own in the workspace's server, or a scratch server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tillbridge.app.settings import FILE
from tillbridge.durable.migrate import migrate
from tillbridge.durable.postgres import database
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect

NAME = "tillbridge_bench"
WAL_MB_PER_SECOND, WAL_MB_MOST = 60, 900
PROVEN = ("fsync", "synchronous_commit", "full_page_writes")


class Place(Protocol):
    """Where the command was called."""

    @property
    def folder(self) -> Path:
        """The workspace folder given, or the present one."""


@contextmanager
def scratch_database(here: Place) -> Iterator[str]:
    """A migrated empty database that is gone afterwards; without a workspace, so is its server."""
    if (here.folder / FILE).exists():
        with database(here.folder) as url:
            yield from _own(url)
        return
    folder = Path(tempfile.mkdtemp(prefix="tillbridge-bench-"))
    # Started by root the server has an account of its own: what it cannot enter it would not leave
    # its data in, and they would stay behind elsewhere.
    folder.chmod(0o711)
    try:
        with database(folder) as url:
            yield from _own(url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _own(server: str) -> Iterator[str]:
    drop_database(server, NAME)
    url = create_database(server, NAME)
    with connect(url) as connection:
        migrate(connection)
    try:
        yield url
    finally:
        drop_database(server, NAME)


def proven(connection: Connection) -> dict[str, Any]:
    """The settings that keep what is committed; raises AssertionError when one is off."""
    found = {}
    for name in PROVEN:
        row = connection.execute("select current_setting(%b)", (name,)).fetchone()
        found[name] = row[0] if row else ""
        if found[name] != "on":
            raise AssertionError(f"{name} is {found[name]}: these answers would not be durable")
    connection.rollback()
    return found


def settle(connection: Connection, seconds: int) -> None:
    """Write and recycle as much write-ahead log as the timed part will need.

    A server that has just been made must first create each 16 MB of its log, 50 ms a time; one
    that has run for an hour takes old ones. The raw side comes after and finds them as well.
    """
    megabytes = min(WAL_MB_PER_SECOND * seconds, WAL_MB_MOST)
    connection.autocommit = True
    for _ in range(megabytes):
        connection.execute("select pg_logical_emit_message(false, 'bench', repeat('x', 1048576))")
    connection.execute("checkpoint")
    connection.autocommit = False
