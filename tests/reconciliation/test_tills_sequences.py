"""Which numbers never came: noticed, kept with their age, filled when they come late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg import Connection

from tests.reconciliation.till_rows import MONDAY, heard
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.intake import Received
from tillbridge.durable import log
from tillbridge.durable.rooms import Record
from tillbridge.reconciliation.tills.rules import Expected, TillRules
from tillbridge.reconciliation.tills.sequences import Gap, Looked, gaps, look

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
RUNS_ON = Expected()


def seen(connection: Connection, rules: Expected, at: datetime) -> Looked:
    found = look(connection, rules, at)
    connection.commit()
    return found


def open_gaps(connection: Connection) -> list[tuple[str, date, int, int, int]]:
    found = [gap for gap in all_gaps(connection) if gap.filled_at is None]
    return [(gap.till, gap.business_date, gap.first, gap.last, gap.missing) for gap in found]


def all_gaps(connection: Connection) -> list[Gap]:
    found = gaps(connection, NOON - timedelta(days=100))
    connection.rollback()
    return found


def test_a_gap_is_noticed_and_filled_when_its_numbers_come(connection: Connection) -> None:
    heard(connection, [*range(100, 119), 121, 122], NOON)
    assert seen(connection, RUNS_ON, NOON) == Looked(1, 1, 0)
    assert open_gaps(connection) == [("4", MONDAY, 119, 120, 2)]
    late = NOON + timedelta(days=2)
    heard(connection, [119, 120], late)
    assert seen(connection, RUNS_ON, late) == Looked(1, 0, 1)
    assert open_gaps(connection) == []
    (gap,) = all_gaps(connection)
    assert (gap.noticed_at, gap.filled_at) == (NOON, late)


def test_what_is_left_of_a_gap_is_as_old_as_the_gap(connection: Connection) -> None:
    heard(connection, [1, 10], NOON)
    seen(connection, RUNS_ON, NOON)
    later = NOON + timedelta(hours=30)
    heard(connection, [5], later)
    assert seen(connection, RUNS_ON, later) == Looked(1, 2, 1)
    left = [gap for gap in all_gaps(connection) if gap.filled_at is None]
    assert [(gap.first, gap.last, gap.noticed_at) for gap in left] == [(2, 4, NOON), (6, 9, NOON)]


def test_nothing_new_means_nothing_to_do_and_looking_twice_changes_nothing(
    connection: Connection,
) -> None:
    assert seen(connection, RUNS_ON, NOON) == Looked(0, 0, 0)
    heard(connection, [1, 3], NOON)
    assert seen(connection, RUNS_ON, NOON) == Looked(1, 1, 0)
    assert seen(connection, RUNS_ON, NOON) == Looked(1, 0, 0)
    heard(connection, [7], NOON + timedelta(days=1), day=MONDAY + timedelta(days=1), till="5")
    assert seen(connection, RUNS_ON, NOON).days == 2
    assert seen(connection, RUNS_ON, NOON).days == 1  # the first day is too old to look at again


def test_a_till_runs_on_over_midnight_and_late_days_fill_the_gap(connection: Connection) -> None:
    tuesday, wednesday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
    heard(connection, range(1, 11), NOON)
    heard(connection, range(21, 31), NOON, day=wednesday)
    seen(connection, RUNS_ON, NOON)
    assert open_gaps(connection) == [("4", wednesday, 11, 20, 10)]
    heard(connection, [11, 12, 14], NOON, day=tuesday)
    seen(connection, RUNS_ON, NOON)
    assert open_gaps(connection) == [("4", tuesday, 13, 13, 1), ("4", wednesday, 15, 20, 6)]
    heard(connection, [13], NOON, day=tuesday)
    heard(connection, range(15, 21), NOON, day=wednesday)
    seen(connection, RUNS_ON, NOON)
    assert open_gaps(connection) == []


def test_a_late_day_fills_the_gap_before_a_day_of_long_ago(connection: Connection) -> None:
    tuesday, wednesday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
    heard(connection, [1, 2], NOON)
    heard(connection, [5], NOON, day=wednesday)
    seen(connection, RUNS_ON, NOON)
    heard(connection, [1], NOON + timedelta(hours=5), till="9")
    seen(connection, RUNS_ON, NOON + timedelta(hours=5))
    assert open_gaps(connection) == [("4", wednesday, 3, 4, 2)]
    heard(connection, [3, 4], NOON + timedelta(hours=6), day=tuesday)
    assert seen(connection, RUNS_ON, NOON + timedelta(hours=6)) == Looked(2, 0, 1)
    assert open_gaps(connection) == []


def test_numbers_that_begin_each_day_lack_what_is_before_the_first_one(
    connection: Connection,
) -> None:
    rules = Expected({"stores": TillRules(numbers="day")})
    heard(connection, [3, 4], NOON)
    heard(connection, [1, 2], NOON, day=MONDAY + timedelta(days=1))
    seen(connection, rules, NOON)
    assert open_gaps(connection) == [("4", MONDAY, 1, 2, 2)]


def test_tills_that_share_their_stores_numbers_fill_each_others_gaps(
    connection: Connection,
) -> None:
    rules = Expected({"stores": TillRules(numbers="store")})
    heard(connection, [1, 2, 5], NOON)
    heard(connection, [3], NOON, till="5")
    seen(connection, rules, NOON)
    assert open_gaps(connection) == [("", MONDAY, 4, 4, 1)]


def test_numbers_that_mean_nothing_are_not_looked_at(connection: Connection) -> None:
    heard(connection, [1, 9], NOON)
    seen(connection, Expected({"stores": TillRules(numbers="none")}), NOON)
    assert all_gaps(connection) == []


def test_a_sequence_that_begins_again_after_its_last_number(connection: Connection) -> None:
    rules = Expected({"stores": TillRules(last_number=9999)})
    heard(connection, [9996, 9997, 9999, 1], NOON)
    heard(connection, [3], NOON, day=MONDAY + timedelta(days=1))
    seen(connection, rules, NOON)
    assert open_gaps(connection) == [
        ("4", MONDAY, 9998, 9998, 1),
        ("4", MONDAY + timedelta(days=1), 2, 2, 1),
    ]


@pytest.mark.parametrize("digits", [0, 6])
def test_a_number_that_came_and_waits_for_a_person_is_not_missing(
    connection: Connection, digits: int
) -> None:
    heard(connection, [118, 121], NOON, digits=digits)
    key = f"sale/stores/12/4/{MONDAY}/{119:0{digits}d}"
    body = Received(
        key=key, id="d", connection="stores", topic="poslog", message=1, received_at=NOON
    )
    log.append_and_commit(connection, [Record(key, "Received", body, lane_of(key))])
    seen(connection, RUNS_ON, NOON)
    (gap,) = all_gaps(connection)
    assert (gap.first, gap.last, gap.missing, gap.waiting) == (119, 120, 2, 1)
