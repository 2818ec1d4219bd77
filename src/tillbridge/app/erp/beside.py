"""The ERP beside the hub, from nothing to answering: install, initialise, fill, clone, start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tillbridge.app.erp.books import Books
from tillbridge.app.erp.database import Vault
from tillbridge.app.erp.fill import INTEGRATION_USER
from tillbridge.app.erp.installation import install
from tillbridge.app.erp.progress import Progress, Step, Watch, silent
from tillbridge.app.erp.server import TrytonServer
from tillbridge.durable.postgres.databases import drop_database

DATABASE = "tillbridge_erp"


class Erp(msgspec.Struct, frozen=True):
    """A running ERP: what a `tryton` connection needs, its log, and what each step took.

    url, database, user: settings of the connection. password: its secret `password`.
    """

    url: str
    database: str
    user: str
    password: str
    log: Path
    steps: tuple[Step, ...]


@contextmanager
def erp_beside(
    server_url: str,
    folder: Path,
    books: Books,
    *,
    database: str = DATABASE,
    fresh: bool = False,
    port: int = 0,
    progress: Progress = silent,
) -> Iterator[Erp]:
    """A Tryton for the time of the block, its database on the given PostgreSQL server.

    folder: for its settings and log, of this ERP alone. fresh: throw an existing database away.
    port: where it listens, 0 = a free one.
    An existing one is kept as it is, whatever the books say. The first time on a machine takes
    minutes, later about three seconds. Raises ErpError.
    """
    watch = Watch()
    installation = install(progress)
    watch.lap("installed")
    if fresh:
        drop_database(server_url, database)
    Vault(installation, server_url).ensure(database, books, progress)
    watch.lap("database")
    server = TrytonServer(installation, server_url, database, folder, port=port)
    progress("starting the ERP", 0, 1)
    url = server.start()
    progress("starting the ERP", 1, 1)
    watch.lap("started")
    try:
        yield Erp(
            url=url,
            database=database,
            user=INTEGRATION_USER,
            password=installation.passwords().integration,
            log=server.log,
            steps=tuple(watch.steps),
        )
    finally:
        server.stop()
