"""Cross-references are cached whole, and a change is never missed."""

from __future__ import annotations

from psycopg import Connection

from tests.one_person import works_alone
from tillbridge.durable.session import connect
from tillbridge.mapping.names import NameRow, NameTables, set_names


def test_a_reload_while_names_are_being_written_does_not_keep_the_old_ones(
    connection: Connection, database_url: str
) -> None:
    names = NameTables()
    with connect(database_url) as clerk:
        set_names(clerk, [NameRow("web", "tender", "stripe", "card")])
        names.refresh(connection)  # sees nothing of it yet
        connection.commit()
        assert names.theirs("web", "tender", "card") is None
        clerk.commit()
    names.refresh(connection)
    assert names.theirs("web", "tender", "card") == "stripe"
    assert names.of("web").ours("tender", "stripe", where="line 1") == "card"


def test_nothing_is_read_again_when_nothing_changed(connection: Connection) -> None:
    names = NameTables()
    works_alone(connection)
    set_names(connection, [NameRow("web", "tender", "stripe", "card")])
    connection.commit()
    names.refresh(connection)
    connection.execute("update xref set ours = 'other'")  # behind the back of `set_names`
    names.refresh(connection)
    assert names.theirs("web", "tender", "card") == "stripe"
    set_names(connection, [NameRow("web", "tender", "paypal", "wallet")])
    names.refresh(connection)
    assert names.theirs("web", "tender", "other") == "stripe"
