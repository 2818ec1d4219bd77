"""Columns packed at once arrive as psycopg's own dumper would have sent them."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection, DataError
from psycopg.adapt import PyFormat
from psycopg.types.array import ListBinaryDumper

from tillbridge.durable.arrays import ColumnDumper

TEXTS = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=20)
WHOLE = st.one_of(st.integers(-(2**15), 2**15 - 1), st.integers(-(2**63), 2**63 - 1))
COLUMNS = st.one_of(
    st.lists(st.one_of(st.none(), TEXTS), min_size=1, max_size=30),
    st.lists(st.one_of(st.none(), st.binary(max_size=20)), min_size=1, max_size=30),
    st.lists(st.one_of(st.none(), WHOLE), min_size=1, max_size=30),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1, max_size=30),
    st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=30),
)


def _dumped(kind: type[ListBinaryDumper], column: list[Any]) -> bytes:
    dumper = kind(list).upgrade(column, PyFormat.BINARY)
    return bytes(dumper.dump(column) or b"")


@settings(max_examples=300, deadline=None)
@given(COLUMNS)
def test_a_packed_column_has_the_bytes_of_psycopgs_own(column: list[Any]) -> None:
    if any(value is not None for value in column):
        assert _dumped(ColumnDumper, column) == _dumped(ListBinaryDumper, column)


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("text", ["a", None, "ä€😀", ""]),
        ("bytea", [b"\x00\xff", None, b""]),
        ("bigint", [1, None, -(2**62), 2**62]),
        ("smallint", [1, 2, None, -3]),
        ("bool", [True, None, False]),
        ("date", [date(2026, 11, 20), None]),
        ("timestamptz", [datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC), None]),
        ("uuid", [uuid.UUID(int=7), None]),
        ("text", []),
        ("bigint", [None, None]),
    ],
)
def test_columns_of_every_kind_come_back_as_they_went(
    connection: Connection[Any], kind: str, column: list[Any]
) -> None:
    rows = connection.execute(f"select unnest(%b::{kind}[])", (column,)).fetchall()
    assert [row[0] for row in rows] == column


def test_a_text_with_nul_is_refused_by_the_database(connection: Connection[Any]) -> None:
    with pytest.raises(DataError):
        connection.execute("select unnest(%b::text[])", (["a\x00b"],))
