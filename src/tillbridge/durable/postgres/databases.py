"""Further databases on the same server: a fresh clone per test, a real ERP beside the hub.

Works on any server whose role may create databases, embedded or not. Addresses are URLs or
key=value connection strings.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

MAINTENANCE = "postgres"
"""The database to stand in while another one is made or dropped."""

Strategy = Literal["wal_log", "file_copy"]


def with_database(url: str, name: str) -> str:
    """The same server and role, another database."""
    if "://" not in url:
        return make_conninfo(url, dbname=name)
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{quote(name, safe='')}"))


def database_name(url: str) -> str:
    """The name of the database an address leads to."""
    told = conninfo_to_dict(url)
    return str(told.get("dbname") or told.get("user") or "")


def _maintain(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(with_database(url, MAINTENANCE), autocommit=True) as connection:
        connection.execute("set client_min_messages = error")
        connection.execute(statement)


def create_database(
    url: str, name: str, *, template: str | None = None, strategy: Strategy = "wal_log"
) -> str:
    """Make database `name`, optionally as a copy of `template`, and return its address.

    Nobody may be connected to the template meanwhile. Raises psycopg.errors.DuplicateDatabase
    when the name is taken.
    """
    statement = sql.SQL("create database {}").format(sql.Identifier(name))
    if template is not None:
        statement += sql.SQL(" template {} strategy {}").format(
            sql.Identifier(template), sql.SQL("wal_log" if strategy == "wal_log" else "file_copy")
        )
    _maintain(url, statement)
    return with_database(url, name)


def drop_database(url: str, name: str) -> None:
    """Drop database `name` where it exists; sessions in it are ended."""
    _maintain(url, sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def database_exists(url: str, name: str) -> bool:
    """True when the server has a database of that name."""
    with psycopg.connect(with_database(url, MAINTENANCE), autocommit=True) as connection:
        row = connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
    return row is not None
