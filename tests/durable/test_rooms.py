"""What every room has from its session: outcomes instead of errors, order within a key."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.durable.floor import note
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.canonical.registry import encode
from tillbridge.durable.rooms import (
    DONE,
    KEY_BYTES_MAX,
    KeyedSession,
    Outcome,
    Record,
    Unreadable,
    readable,
    records_of,
    storable,
    stored_form,
)


class Session(KeyedSession):
    """Does what it is told for the records of key `bad`."""

    room = "toy"

    def __init__(self, act: Callable[[], Outcome]) -> None:
        self._act = act

    def handle(self, record: Record) -> Outcome:
        return self._act() if record.body.id == "bad#1" else DONE


def raising(problem: Exception) -> Callable[[], Outcome]:
    def act() -> Outcome:
        raise problem

    return act


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (NeedsDecision("toy", "w"), "toy"),
        (Refused("no"), "refused"),
        (RetryLater("later"), "refused"),
        (ZeroDivisionError("by nought"), "defect"),
    ],
)
def test_an_error_is_an_outcome_and_later_records_of_the_key_follow(
    problem: Exception, reason: str
) -> None:
    taken = [note("a", 1), note("bad", 0), note("bad", 1), note("a", 2), note("bad", 2)]
    outcomes = Session(raising(problem)).take(taken)
    assert [outcomes[i] for i in (0, 1, 3)] == [DONE] * 3
    assert outcomes[2].decision is not None
    assert outcomes[2].decision.reason == reason
    assert (outcomes[4].decision, outcomes[4].follows) == (None, True)


def test_an_error_of_the_database_is_the_runners() -> None:
    with pytest.raises(psycopg.Error):
        Session(raising(psycopg.DataError("no"))).take([note("bad", 1)])


def test_what_follows_names_the_record_of_the_log_that_set_it_off() -> None:
    parent = note("a", 1)
    parent.id, parent.trace = 7, b"00-trace"
    (child,) = records_of([note("b", 1).body], parent)
    assert (child.key, child.id, child.cause, child.trace) == ("b", None, 7, b"00-trace")
    (grandchild,) = records_of([note("c", 1).body], child)
    assert (grandchild.cause, grandchild.trace) == (7, b"00-trace")


@pytest.mark.parametrize("key", ["", "a\x00", "\ud800", "k" * (KEY_BYTES_MAX + 1)])
def test_a_key_that_the_log_could_not_hold_is_refused_before_any_sql(key: str) -> None:
    with pytest.raises(ValueError, match=r"unusable key|surrogates"):
        storable(Record(key=key, type="TillNoted", body=note("a", 1).body, lane=0))
    storable(note("k" * KEY_BYTES_MAX, 1))


def test_an_unreadable_body_keeps_its_bytes_and_its_version() -> None:
    stored = b'{"not": "a fact"}'
    body = readable("k", "TillNoted", 1, stored)
    assert isinstance(body, Unreadable)
    assert "TillNoted (version 1) cannot be read" in body.words
    assert stored_form(Record("k", "TillNoted", body, 0)) == (1, stored)
    good = note("a", 1)
    assert stored_form(good) == (1, encode(good.body))
    assert readable("a", "TillNoted", 1, encode(good.body)) == good.body
