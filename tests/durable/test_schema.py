"""The real migrations: from nothing to the newest, with the floor's promises in the tables."""

from __future__ import annotations

import pytest
from psycopg import Connection
from psycopg import errors as pg

from tillbridge.durable.migrate import migrate, pending, read_migrations
from tillbridge.durable.session import connect


def test_the_migrations_lead_from_an_empty_database_to_the_newest(empty_database_url: str) -> None:
    with connect(empty_database_url) as connection:
        done = migrate(connection)
        assert done == [migration.label for migration in read_migrations()]
        assert pending(connection) == []
        connection.rollback()
        assert migrate(connection) == []


@pytest.mark.parametrize(
    "query",
    [
        "insert into hub (one, incarnation, lane_fn) values (false, 1, '')",
        "insert into hub (incarnation, lane_fn) values (1, '')",
        "insert into outkey (dest, key, prio, due, n) values (1, 'k', 4, now(), 1)",
        (
            "insert into document (dest, op, key, kind, state, day)"
            " values (1, 'o', 'k', 'i', '', now())"
        ),
        "insert into parked (room, key, type, version, body) values ('r', 'k', 't', 1, '')",
        (
            "insert into record (lane, id, key, type, version, fused, body)"
            " values (1, 5, '', '', 1, false, '')"
        ),
        (
            "insert into reservation (key, line, location, product, quantity)"
            " values ('', '', '', '', 0)"
        ),
    ],
)
def test_the_tables_refuse_what_must_not_be(connection: Connection, query: str) -> None:
    with pytest.raises((pg.IntegrityError, pg.GeneratedAlways)):
        connection.execute(query.encode())


def test_no_extension_and_no_foreign_collation_is_needed(connection: Connection) -> None:
    extensions = connection.execute("select extname from pg_extension").fetchall()
    assert extensions == [("plpgsql",)]
