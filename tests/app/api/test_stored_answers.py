"""Stored answers: the same request gets the same answer, another one under its key is refused."""

from __future__ import annotations

from datetime import date

import pytest
from psycopg import Connection, errors

from tillbridge.app.api import stored_answers
from tillbridge.app.api.stored_answers import Stored, find, keep, told_again

DAY = date(2026, 3, 1)
ONE = Stored("shop", "k-1", b"asked", 201, b"{}")
TWO = Stored("shop", "k-2", b"asked", 409, b'{"type":"x"}')


def test_answers_are_found_by_client_and_key(connection: Connection) -> None:
    keep(connection, [ONE, TWO], DAY)
    keep(connection, [], DAY)
    wanted = [("shop", "k-1"), ("shop", "k-2"), ("till", "k-1"), ("shop", "k-3")]
    assert find(connection, wanted) == {("shop", "k-1"): ONE, ("shop", "k-2"): TWO}
    assert find(connection, []) == {}


def test_two_processes_never_answer_one_key_twice(connection: Connection) -> None:
    keep(connection, [ONE], DAY)
    with pytest.raises(errors.UniqueViolation):
        keep(connection, [ONE], DAY)


def test_a_stored_answer_is_told_again_as_it_was() -> None:
    told = told_again(TWO, b"asked")
    assert (told.status, told.body) == (409, TWO.body)
    assert dict(told.headers)[b"idempotent-replayed"] == b"true"
    assert dict(told.headers)[b"content-type"] == b"application/problem+json"
    assert dict(told_again(ONE, b"asked").headers)[b"content-type"] == b"application/json"
    told = told_again(ONE, b"something else")
    assert told.status == 422
    assert b"idempotency-key-reused" in told.body


def test_old_answers_are_forgotten(connection: Connection) -> None:
    keep(connection, [ONE], DAY)
    keep(connection, [TWO], date(2026, 3, 2))
    assert stored_answers.expire(connection, date(2026, 3, 2)) == 1
    assert list(find(connection, [("shop", "k-1"), ("shop", "k-2")])) == [("shop", "k-2")]
