"""Further databases on the same server."""

from __future__ import annotations

import psycopg
import pytest

from tillbridge.durable.postgres.databases import (
    create_database,
    database_exists,
    database_name,
    drop_database,
    with_database,
)


def test_a_copy_holds_what_its_template_held(server_url: str) -> None:
    model = create_database(server_url, 'mo"del')
    try:
        with psycopg.connect(model) as connection:
            connection.execute("create table t as select 7 as x")
        copy = create_database(server_url, "copy of it", template='mo"del', strategy="file_copy")
        connection = psycopg.connect(copy, autocommit=True)
        assert connection.execute("select x from t").fetchone() == (7,)
        assert database_exists(server_url, "copy of it")
        with pytest.raises(psycopg.errors.DuplicateDatabase):
            create_database(server_url, "copy of it")
        drop_database(server_url, "copy of it")  # although somebody is in it
        connection.close()
        assert not database_exists(server_url, "copy of it")
        drop_database(server_url, "copy of it")
    finally:
        drop_database(server_url, 'mo"del')


def test_an_address_leads_to_another_database_in_either_form() -> None:
    url = "postgresql://u:p@127.0.0.1:20001/hub?connect_timeout=3"
    assert (
        with_database(url, "a b/c")
        == "postgresql://u:p@127.0.0.1:20001/a%20b%2Fc?connect_timeout=3"
    )
    assert database_name(with_database(url, "a b/c")) == "a b/c"
    assert database_name(with_database("host=h dbname=hub", "erp")) == "erp"
