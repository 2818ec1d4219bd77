"""A database for a benchmark: one of its own in the workspace's server, or a scratch server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tillbridge.app.settings import FILE
from tillbridge.durable.migrate import migrate
from tillbridge.durable.postgres import database
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.durable.session import connect

NAME = "tillbridge_bench"


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
