"""An entry that commits while its group is taken is in the sums or waits on, never between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from psycopg import Connection

from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.registry import decode
from tillbridge.durable import accounts
from tillbridge.durable.session import connect
from tillbridge.publishing.journals import summarise
from tillbridge.publishing.room import Destinations

NOW = datetime(2026, 1, 5, tzinfo=UTC)


class Watched:
    """A connection that lets something happen just before it takes the pending entries."""

    def __init__(self, connection: Connection, before: Callable[[], None]) -> None:
        self._connection = connection
        self._before = before

    def execute(self, query: Any, *arguments: Any, **named: Any) -> Any:
        text = query.decode() if isinstance(query, bytes) else str(query)
        if "delete from journal_pending" in text:
            self._before()
        return self._connection.execute(query, *arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def add(connection: Connection, entry: str, amount: int) -> None:
    for n, (account, signed) in enumerate((("cash", amount), ("sales", -amount))):
        connection.execute(
            "insert into journal_pending (entry, n, entity, flow, place, day, currency, account,"
            " amount) values (%s, %s, 'us', 'stores', 'nyc', '2026-01-04', 'USD', %s, %s)",
            (entry, n, account, signed),
        )
    connection.commit()


def test_an_entry_that_commits_while_its_group_is_taken_is_not_lost(
    connection: Connection, database_url: str
) -> None:
    dest = accounts.make_dest(connection, "erp", accounts.Budget())
    add(connection, "a", 1000)
    with connect(database_url) as till:
        watched = cast("Connection", Watched(connection, lambda: add(till, "b", 250)))
        assert summarise(watched, Destinations({"us": "erp"}, {"erp": dest}), NOW) == 1
    connection.commit()
    rows = connection.execute("select type, body from job").fetchall()
    sent = [cast("SubmitDocument", decode(kind, 1, body)).journal for kind, body in rows]
    taken = connection.execute("select entry from journal_summary order by 1").fetchall()
    assert taken == [("a",), ("b",)]
    assert [(j.entries, [(li.account, li.amount) for li in j.lines]) for j in sent if j] == [
        (2, [("cash", 1250), ("sales", -1250)])
    ]


def test_entries_that_cancel_each_other_need_no_journal(connection: Connection) -> None:
    dest = accounts.make_dest(connection, "erp", accounts.Budget())
    add(connection, "a", 1000)
    add(connection, "b", -1000)
    assert summarise(connection, Destinations({"us": "erp"}, {"erp": dest}), NOW) == 0
    found = connection.execute("select distinct op from journal_summary").fetchall()
    assert found == [("journal/us/stores/nyc/2026-01-04/1/a/nil",)]
    assert connection.execute("select count(*) from journal_pending").fetchone() == (0,)
