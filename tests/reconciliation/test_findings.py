"""Cases that come and go with what a check finds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from psycopg import Connection

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.reconciliation.findings import Settled, settle
from tillbridge.triage import cases

NOW = datetime(2026, 3, 2, 17, tzinfo=UTC)


def found(words: str = "two are missing", finding: str = "1, 2") -> NeedsDecision:
    return NeedsDecision("till_sequence_gap", words, owner="stores", details={"finding": finding})


def told(connection: Connection, **now: NeedsDecision) -> Settled:
    settled = settle(connection, "till_sequence_gap", now, NOW)
    connection.commit()
    return settled


def open_words(connection: Connection) -> list[tuple[str, str, int]]:
    listed = cases.list_cases(connection)
    connection.rollback()
    return sorted((case.key, case.words, case.copies) for case in listed)


def test_a_finding_has_one_case_as_long_as_it_is_found(connection: Connection) -> None:
    assert told(connection, a=found(), b=found()) == Settled(2, 0)
    assert told(connection, a=found(), b=found()) == Settled(0, 0)
    assert open_words(connection) == [("a", "two are missing", 1), ("b", "two are missing", 1)]
    assert told(connection, b=found()) == Settled(0, 1)
    (closed,) = cases.list_cases(connection, state="resolved")
    assert closed.key == "a"
    assert told(connection, a=found(), b=found()) == Settled(1, 0)


def test_a_finding_in_other_words_keeps_its_case(connection: Connection) -> None:
    told(connection, a=found())
    assert told(connection, a=found("one is missing", "1")) == Settled(0, 0)
    assert open_words(connection) == [("a", "one is missing", 1)]


@pytest.mark.parametrize(("finding", "opened"), [("1, 2", 0), ("1, 2, 3", 1)])
def test_what_a_person_closed_stays_closed_until_something_else_is_found(
    connection: Connection, finding: str, opened: int
) -> None:
    told(connection, a=found())
    (case,) = cases.list_cases(connection)
    cases.resolve(connection, case.id, "anna", "never used")
    connection.commit()
    assert told(connection, a=found("in other words", finding)) == Settled(opened, 0)


def test_other_reasons_are_left_alone(connection: Connection) -> None:
    told(connection, a=found())
    close = NeedsDecision("till_close_missing", "no close")
    assert settle(connection, "till_close_missing", {"a": close}, NOW) == Settled(1, 0)
    connection.commit()
    assert told(connection) == Settled(0, 1)
    assert [case.reason for case in cases.list_cases(connection)] == ["till_close_missing"]
