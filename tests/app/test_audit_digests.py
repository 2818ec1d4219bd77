"""Digests of the audit are kept in a file that only grows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg import Connection

from tillbridge.app.audit_digests import FILE, keep_digests, read_digests
from tillbridge.atoms.errors import Refused
from tillbridge.durable.audit import record, verify


def test_a_digest_is_added_when_the_day_grew(connection: Connection, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert keep_digests(connection, tmp_path, now) == "kept 0 digests"
    record(connection, "ann", "names.set", "1")
    connection.commit()
    assert keep_digests(connection, tmp_path, now) == "kept 1 digests"
    assert keep_digests(connection, tmp_path, now) == "kept 0 digests"
    record(connection, "ann", "names.set", "2")
    assert keep_digests(connection, tmp_path, now) == "kept 1 digests"
    kept = read_digests(tmp_path / FILE)
    assert [(one.first, one.last, one.count) for one in kept] == [(1, 1, 1), (1, 2, 2)]
    assert verify(connection, kept).problems == []


def test_a_line_that_is_no_digest_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("{}\n")
    with pytest.raises(Refused, match=r"kept:1: is no digest"):
        read_digests(tmp_path / "kept")
