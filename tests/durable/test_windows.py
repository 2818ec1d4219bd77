"""Posting windows: by the clock on the wall, over midnight and both changes of the clocks; what
waits for one is not asked for, keeps its order and its attempts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from tests.durable.test_jobs import FREE, accepted, owed
from tillbridge.durable import accounts, jobs, pauses, windows
from tillbridge.durable.windows import Windows, windows_of

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
NEW_YORK = "America/New_York"


def of(*words: str, zone: str = "UTC") -> Windows:
    found = windows_of(words, zone)
    assert found is not None
    return found


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "zone", "now", "opens"),
    [
        ("mon-fri 20:00-06:00", "UTC", "2026-01-15 19:59", "2026-01-15 20:00"),  # a Thursday
        ("mon-fri 20:00-06:00", "UTC", "2026-01-15 20:00", ""),
        ("mon-fri 20:00-06:00", "UTC", "2026-01-17 05:59", ""),  # Friday's, on Saturday morning
        ("mon-fri 20:00-06:00", "UTC", "2026-01-17 06:00", "2026-01-19 20:00"),
        ("fri-mon 08:00-09:00", "UTC", "2026-01-15 12:00", "2026-01-16 08:00"),
        ("tue,thu 08:00-09:00", "UTC", "2026-01-15 09:00", "2026-01-20 08:00"),
        ("thu 09:00-10:00", "UTC", "2026-01-15 10:00", "2026-01-22 09:00"),
        ("20:00-06:00", NEW_YORK, "2026-01-15 20:00", "2026-01-16 01:00"),
        ("sat,sun 00:00-24:00", "UTC", "2026-01-18 23:59", ""),
        ("sat,sun 00:00-24:00", "UTC", "2026-01-19 00:00", "2026-01-24 00:00"),
        # summer time begins on 8 March 2026 at 2:00: 20:00 is an hour earlier in UTC
        ("sat,sun 20:00-06:00", NEW_YORK, "2026-03-07 12:00", "2026-03-08 01:00"),
        ("sat,sun 20:00-06:00", NEW_YORK, "2026-03-08 09:59", ""),  # 5:59 there
        ("sat,sun 20:00-06:00", NEW_YORK, "2026-03-08 10:00", "2026-03-09 00:00"),
        ("sun 02:30-04:00", NEW_YORK, "2026-03-08 07:00", "2026-03-08 07:30"),  # 3:30 there
        # it ends on 1 November 2026 at 2:00: 1:30 comes twice
        ("sun 01:30-01:45", NEW_YORK, "2026-11-01 05:29", "2026-11-01 05:30"),
        ("sun 01:30-01:45", NEW_YORK, "2026-11-01 06:44", ""),
        ("sun 01:30-01:45", NEW_YORK, "2026-11-01 06:45", "2026-11-08 06:30"),
    ],
)
def test_a_window_opens_and_closes_by_the_clock_on_the_wall(
    words: str, zone: str, now: str, opens: str
) -> None:
    assert of(words, zone=zone).opening(at(now)) == (at(opens) if opens else None)


@given(
    st.integers(0, 366 * 24 * 60),
    st.sampled_from(["mon-fri 20:00-06:00", "sun 02:10-02:50", "wed 00:00-24:00", "23:59-00:01"]),
    st.sampled_from(["UTC", NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_at_its_opening_a_window_is_open_and_just_before_it_is_not(
    minutes: int, words: str, zone: str
) -> None:
    now = at("2026-01-01 00:00") + timedelta(minutes=minutes)
    found = of(words, zone=zone)
    opens = found.opening(now)
    if opens is not None:
        assert now < opens < now + timedelta(days=8)
        assert found.opening(opens) is None
        assert found.opening(opens - timedelta(microseconds=1)) == opens


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("at night", "is no window"),
        ("mon-fri 8-9", "is no window"),
        ("mun 08:00-09:00", "days are mon"),
        ("mon, tue 08:00-09:00", "is no window"),
        ("08:60-09:00", "no time of the day"),
        ("24:00-06:00", "no time of the day"),
        ("20:00-24:01", "no time of the day"),
        ("08:00-08:00", "opens as it closes"),
    ],
)
def test_what_is_no_window_is_refused(words: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        windows_of((words,), "UTC")
    assert windows_of((), "UTC") is None


def _owe(connection: Connection, dest: int, *wanted: tuple[str, int, str]) -> None:
    found = []
    for key, number, kind in wanted:
        job = owed(dest, key, number)
        job.kind = kind
        found.append(job)
    jobs.enqueue(connection, found, NOW)
    connection.commit()


def _claim(
    connection: Connection, dest: int, now: datetime, opens: datetime | None = None
) -> list[str]:
    """Operations that go out in one call, which is answered at once."""
    claimed = jobs.claim(connection, dest, 20, now, opens)
    if claimed:
        jobs.finish(connection, dest, [accepted(one) for one in claimed], now)
        accounts.end_call(connection, claimed[0].slot)
    return sorted(one.op for one in claimed)


def test_what_the_ledger_books_waits_with_what_is_behind_it_and_others_go(
    connection: Connection,
) -> None:
    erp = accounts.make_dest(connection, "erp", FREE)
    _owe(
        connection, erp, ("a", 1, "sales_order"), ("a", 2, "invoice"), ("a", 3, "customer_return"),
        ("b", 1, "credit_note"), ("c", 1, "journal"), ("d", 1, "delivery"),
    )  # fmt: skip
    opens = NOW + timedelta(hours=10)
    assert _claim(connection, erp, NOW, opens) == ["a/1", "d/1"]
    assert _claim(connection, erp, NOW, opens) == []
    rows = connection.execute("select key, due, opens, attempts, n from outkey order by key")
    assert rows.fetchall() == [("a", opens, opens, 0, 2), ("b", opens, opens, 0, 1),
                               ("c", opens, opens, 0, 1)]  # fmt: skip
    connection.execute("update dest set at = %s", (NOW,))
    due = connection.execute(jobs.QUERIES.next_due, (erp,)).fetchone()
    assert due == (opens,), "nobody asks before"
    assert _claim(connection, erp, opens - timedelta(seconds=1), opens) == []
    assert _claim(connection, erp, opens) == ["a/2", "b/1", "c/1"]
    assert _claim(connection, erp, opens) == ["a/3"]
    assert connection.execute("select count(*) from outkey").fetchone() == (0,)


def test_a_paused_kind_stays_paused_when_its_window_opens(connection: Connection) -> None:
    erp = accounts.make_dest(connection, "erp", FREE)
    _owe(connection, erp, ("a", 1, "invoice"))
    opens = NOW + timedelta(hours=10)
    assert _claim(connection, erp, NOW, opens) == []
    pauses.pause(connection, "erp", "invoice", "pat", "", NOW)
    assert _claim(connection, erp, opens) == []
    assert connection.execute("select paused, opens from outkey").fetchall() == [("invoice", None)]
    pauses.resume(connection, "erp", "invoice", by="pat", now=opens)
    connection.commit()
    assert _claim(connection, erp, opens) == ["a/1"]


def test_windows_that_were_changed_are_asked_anew(connection: Connection) -> None:
    erp = accounts.make_dest(connection, "erp", FREE)
    _owe(connection, erp, ("a", 1, "invoice"), ("b", 1, "invoice"))
    opens = NOW + timedelta(hours=10)
    assert _claim(connection, erp, NOW, opens) == []
    assert windows.ask_anew(connection, erp, opens, NOW) == 0
    assert windows.ask_anew(connection, erp, opens + timedelta(hours=1), NOW) == 2
    assert _claim(connection, erp, NOW, opens + timedelta(hours=1)) == []
    assert windows.ask_anew(connection, erp, None, NOW) == 2
    assert _claim(connection, erp, NOW) == ["a/1", "b/1"]
