"""How the hub talks to PostgreSQL: one way to connect, with limits on every wait.

No statement, lock wait or idle transaction lasts without end: a stuck worker is found by the
server, not by the night shift.
"""

from __future__ import annotations

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from tillbridge.durable.arrays import pack_columns

LOCK_TIMEOUT_MS = 5_000
STATEMENT_TIMEOUT_MS = 30_000
IDLE_IN_TRANSACTION_MS = 60_000
WORKER_IDLE_IN_TRANSACTION_MS = 8_000
"""A frozen worker loses its cursor locks after this; others then take its lanes."""


def session_settings(
    *, worker: bool = False, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS
) -> dict[str, str]:
    """The settings of one session, in milliseconds where they are times."""
    idle = WORKER_IDLE_IN_TRANSACTION_MS if worker else IDLE_IN_TRANSACTION_MS
    return {
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        "statement_timeout": str(statement_timeout_ms),
        "idle_in_transaction_session_timeout": str(idle),
        "synchronous_commit": "on",
        "timezone": "UTC",
        "datestyle": "ISO",
    }


def connection_arguments(
    url: str,
    *,
    worker: bool = False,
    name: str = "",
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
) -> dict[str, str | int]:
    """What to give `psycopg.connect` or a pool beside the address; an `options` already in the
    address is kept and read after ours, so it wins.
    """
    settings = session_settings(worker=worker, statement_timeout_ms=statement_timeout_ms)
    options = [f"-c {key}={value}" for key, value in settings.items()]
    if given := conninfo_to_dict(url).get("options"):
        options.append(str(given))
    return {
        "options": " ".join(options),
        "application_name": name or ("tillbridge worker" if worker else "tillbridge"),
        "client_encoding": "UTF8",
        "connect_timeout": 10,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }


def connect(
    url: str,
    *,
    autocommit: bool = False,
    worker: bool = False,
    name: str = "",
    statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
) -> Connection:
    """A connection with the hub's session settings.

    `worker` shortens the time a transaction may stand idle. `statement_timeout_ms` 0 lifts the
    limit of a statement, for reports and migrations. Raises psycopg.OperationalError when the
    server is away.
    """
    arguments = connection_arguments(
        url, worker=worker, name=name, statement_timeout_ms=statement_timeout_ms
    )
    connection = psycopg.connect(url, autocommit=autocommit, **arguments)  # type: ignore[arg-type]
    pack_columns(connection)
    return connection
