"""Sessions: every wait has an end, and the address may add its own options."""

from __future__ import annotations

import psycopg
import pytest

from tillbridge.durable.session import connect


def shown(connection: psycopg.Connection, name: str) -> str:
    row = connection.execute("select current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def test_a_session_has_our_limits(server_url: str) -> None:
    with connect(server_url) as connection:
        assert shown(connection, "lock_timeout") == "5s"
        assert shown(connection, "statement_timeout") == "30s"
        assert shown(connection, "idle_in_transaction_session_timeout") == "1min"
        assert shown(connection, "TimeZone") == "UTC"
        assert shown(connection, "synchronous_commit") == "on"
        assert shown(connection, "application_name") == "tillbridge"
        assert not connection.autocommit


def test_a_worker_may_not_stand_idle_in_a_transaction(server_url: str) -> None:
    with connect(server_url, worker=True, name="flow 1", autocommit=True) as connection:
        assert shown(connection, "idle_in_transaction_session_timeout") == "8s"
        assert shown(connection, "application_name") == "flow 1"
        assert connection.autocommit


def test_a_long_statement_is_ended(server_url: str) -> None:
    with (
        connect(server_url, statement_timeout_ms=50) as connection,
        pytest.raises(psycopg.errors.QueryCanceled),
    ):
        connection.execute("select pg_sleep(5)")


def test_options_in_the_address_win(server_url: str) -> None:
    mark = "&" if "?" in server_url else "?"
    with connect(f"{server_url}{mark}options=-c%20lock_timeout%3D1s") as connection:
        assert shown(connection, "lock_timeout") == "1s"
        assert shown(connection, "statement_timeout") == "30s"
