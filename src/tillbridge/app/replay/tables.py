"""The two databases of a replay: the live one in a snapshot, and an empty one to replay into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import IsolationLevel, sql

from tillbridge.app.hub import Hub
from tillbridge.atoms.errors import Refused
from tillbridge.durable.migrate import migrate
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect

SCRATCH = "tillbridge_replay"
_ALONE = 88
"""Key of the advisory lock that keeps two replays apart."""


@contextmanager
def snapshot(hub: Hub) -> Iterator[Connection]:
    """The live database as it is now, read only, for as long as it takes."""
    with connect(hub.url, name="tillbridge replay", statement_timeout_ms=0) as live:
        live.isolation_level = IsolationLevel.REPEATABLE_READ
        live.read_only = True
        live.execute("set idle_in_transaction_session_timeout = 0")
        live.execute("set local timezone = 'UTC'")
        yield live
        live.rollback()


@contextmanager
def scratch_database(url: str, into: str = "") -> Iterator[str]:
    """An empty database with the schema, on the same server unless an address is given.

    Raises Refused while another replay uses the one on this server.
    """
    if into:
        yield _made_ready(into)
        return
    with connect(url, name="tillbridge replay", autocommit=True) as alone:
        row = alone.execute("select pg_try_advisory_lock(%s)", (_ALONE,)).fetchone()
        if not (row and row[0]):
            raise Refused("another replay runs on this server; wait for it, or name a database")
        drop_database(url, SCRATCH)
        try:
            yield _made_ready(create_database(url, SCRATCH))
        finally:
            drop_database(url, SCRATCH)


def _made_ready(into: str) -> str:
    """The schema, without the guards that ask for a second person: what was approved then needs
    nobody again. Raises Refused when something stands in the log.
    """
    with connect(into) as connection:
        migrate(connection)
        for guarded in ("xref", "period", "rule_book", "availability_rules"):
            name = sql.Identifier(guarded)
            connection.execute(sql.SQL("alter table {} disable trigger user").format(name))
        row = connection.execute("select exists (select from record), current_database()")
        used, found = row.fetchone() or (False, "")
        if used:
            raise Refused(f"database {found} is not empty")
    return into


def copy_table(there: Connection, here: Connection, table: str) -> None:
    """All rows of a table of one database into the same table of another one."""
    name = sql.Identifier(table)
    with (
        there.cursor().copy(sql.SQL("copy {} to stdout").format(name)) as out,
        here.cursor().copy(sql.SQL("copy {} from stdin").format(name)) as into,
    ):
        for block in out:
            into.write(block)
