"""How stores transmit: late is normal, missing is not; and the cases that say so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from psycopg import Connection

from tests.reconciliation.till_rows import MONDAY, heard
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.intake import Received
from tillbridge.durable import log
from tillbridge.durable.rooms import Record
from tillbridge.reconciliation.tills.cases import tell
from tillbridge.reconciliation.tills.health import Health, StoreHealth, TillHealth, health
from tillbridge.reconciliation.tills.rules import Expected, StoreRules, TillRules
from tillbridge.reconciliation.tills.sequences import look

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
NEW_YORK = StoreRules("America/New_York")
RULES = Expected({}, {"store-nyc": NEW_YORK})
TUESDAY = MONDAY + timedelta(days=1)


def at(connection: Connection, now: datetime, rules: Expected = RULES) -> StoreHealth:
    """The one store's health at an instant, its cases told."""
    found = whole(connection, now, rules)
    (store,) = found.stores
    return store


def whole(connection: Connection, now: datetime, rules: Expected = RULES) -> Health:
    look(connection, rules, now)
    found = health(connection, rules, now)
    tell(connection, found, rules, now)
    connection.commit()
    return found


def only(store: StoreHealth) -> TillHealth:
    (till,) = store.tills
    return till


def cases(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        "select reason, key from exception_case where state = 'open' order by id"
    ).fetchall()
    connection.rollback()
    return [(reason, key) for reason, key in rows]


def test_a_business_day_is_due_some_hours_after_its_end_where_the_store_is() -> None:
    assert NEW_YORK.due_at(MONDAY, 6) == datetime(2026, 3, 3, 11, tzinfo=UTC)
    # the night in which the clocks go forward
    assert NEW_YORK.due_at(date(2026, 3, 8), 6) == datetime(2026, 3, 9, 10, tzinfo=UTC)
    assert StoreRules(weekdays=frozenset({1})).opens(MONDAY)
    assert not StoreRules(weekdays=frozenset({1})).opens(TUESDAY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"numbers": "tills"},
        {"last_number": -1},
        {"gap_hours": -1},
        {"first_number": 5, "last_number": 5},
    ],
)
def test_rules_that_cannot_be_meant_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, TillRules)


def test_a_till_that_sends_in_time_and_closes_has_nothing_to_explain(
    connection: Connection,
) -> None:
    heard(connection, [1, 2], NOON)
    heard(connection, [3], NOON, kind="TillClosed")
    store = at(connection, NOON + timedelta(hours=3))
    till = only(store)
    assert (till.last_heard_at, till.last_business_date, till.last_closed) == (NOON, MONDAY, MONDAY)
    assert (till.late_days, till.unclosed, till.missing, store.absent_days) == ((), (), 0, ())
    assert cases(connection) == []


def test_a_day_that_comes_after_it_was_due_is_late(connection: Connection) -> None:
    heard(connection, [1], NOON + timedelta(hours=19))
    assert only(at(connection, NOON + timedelta(hours=20))).late_days == (MONDAY,)
    patient = Expected({"stores": TillRules(allowed_hours=24)}, RULES.stores)
    assert only(at(connection, NOON + timedelta(hours=20), patient)).late_days == ()


def test_a_missing_close_is_a_case_after_its_time_until_it_comes(connection: Connection) -> None:
    heard(connection, [1], NOON)
    heard(connection, [2], NOON, kind="TillClosed")
    heard(connection, [3], NOON + timedelta(days=1), day=TUESDAY)
    assert only(at(connection, NOON + timedelta(days=1))).unclosed == ()
    assert only(at(connection, NOON + timedelta(days=2))).unclosed == (TUESDAY,)
    key = f"till/stores/store-nyc/4/{TUESDAY}"
    assert ("till_close_missing", key) in cases(connection)
    heard(connection, [4], NOON + timedelta(days=2), day=TUESDAY, kind="TillClosed")
    assert only(at(connection, NOON + timedelta(days=2))).unclosed == ()
    assert ("till_close_missing", key) not in cases(connection)


def test_closes_are_not_expected_of_a_till_that_never_told_one(connection: Connection) -> None:
    heard(connection, [1], NOON)
    assert only(at(connection, NOON + timedelta(days=3))).unclosed == ()


def test_a_silent_store_is_one_case_over_its_trading_days(connection: Connection) -> None:
    rules = Expected({}, {"store-nyc": StoreRules("America/New_York", frozenset({1, 2, 4, 5}))})
    thursday, friday = MONDAY + timedelta(days=3), MONDAY + timedelta(days=4)
    heard(connection, [1], NOON)
    assert at(connection, NOON + timedelta(days=6), rules).absent_days == ()  # only tried out
    heard(connection, [2], NOON, day=TUESDAY)
    assert at(connection, NOON + timedelta(days=3), rules).absent_days == ()
    assert at(connection, NOON + timedelta(days=6), rules).absent_days == (thursday, friday)
    assert cases(connection) == [("store_day_missing", "store/stores/store-nyc")]
    heard(connection, [3], NOON + timedelta(days=6), day=thursday)
    assert at(connection, NOON + timedelta(days=6), rules).absent_days == (friday,)
    heard(connection, [4], NOON + timedelta(days=6), day=friday)
    assert at(connection, NOON + timedelta(days=6), rules).absent_days == ()
    assert cases(connection) == []


def test_an_old_gap_is_a_case_of_the_stores_that_closes_when_it_is_filled(
    connection: Connection,
) -> None:
    heard(connection, [118, 121], NOON)
    assert only(at(connection, NOON)).missing == 2
    assert cases(connection) == []
    at(connection, NOON + timedelta(hours=24))
    assert ("till_sequence_gap", f"till/stores/store-nyc/4/{MONDAY}") in cases(connection)
    rows = connection.execute("select words, owner from exception_case").fetchall()
    assert rows[0] == (
        "till 4 of store-nyc on 2026-03-02: 2 transaction(s) never came, number 119-120",
        "stores",
    )
    heard(connection, [119, 120], NOON + timedelta(hours=25))
    assert only(at(connection, NOON + timedelta(hours=25))).missing == 0
    assert cases(connection) == []


def test_numbers_that_all_wait_for_a_decision_are_no_case_of_their_own(
    connection: Connection,
) -> None:
    heard(connection, [118, 120], NOON)
    key = f"sale/stores/12/4/{MONDAY}/119"
    body = Received(
        key=key, id="d", connection="stores", topic="poslog", message=1, received_at=NOON
    )
    log.append_and_commit(connection, [Record(key, "Received", body, lane_of(key))])
    at(connection, NOON)
    store = at(connection, NOON + timedelta(days=2))
    assert (only(store).missing, [gap.waiting for gap in only(store).gaps]) == (0, [1])
    assert cases(connection) == []
