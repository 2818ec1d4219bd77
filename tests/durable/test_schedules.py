"""Chores run once at their time, whoever asks, and survive their failures."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from psycopg import Connection

from tillbridge.durable import schedules
from tillbridge.durable.session import connect

EARLY = datetime(2000, 1, 1, tzinfo=UTC)


def ready(connection: Connection, *names: str) -> datetime:
    """Schedules that are due; gives the instant."""
    schedules.make(connection, dict.fromkeys(names, 60))
    connection.commit()
    row = connection.execute("select max(next_at) from schedule").fetchone()
    connection.rollback()
    assert row is not None
    found: datetime = row[0]
    return found


def test_a_chore_runs_once_over_two_workers(connection: Connection, database_url: str) -> None:
    now = ready(connection, "sum")
    inside, go_on = threading.Event(), threading.Event()
    runs: list[str] = []

    def slow(_: Connection, __: datetime) -> str:
        runs.append("slow")
        inside.set()
        go_on.wait(10)
        return "summed"

    def quick(_: Connection, __: datetime) -> str:
        runs.append("quick")
        return "summed twice"

    with connect(database_url) as first, connect(database_url) as second:
        worker = threading.Thread(target=schedules.run_due, args=(first, {"sum": slow}, now))
        worker.start()
        assert inside.wait(10)
        assert schedules.run_due(second, {"sum": quick}, now) == []  # taken, and nobody waits
        go_on.set()
        worker.join()
        assert schedules.run_due(second, {"sum": quick}, now) == []  # done
        later = now + timedelta(seconds=61)
        assert schedules.run_due(second, {"sum": quick}, later) == ["sum"]
    assert runs == ["slow", "quick"]


def test_a_chore_that_fails_says_so_undoes_its_work_and_is_tried_again(
    connection: Connection,
) -> None:
    now = ready(connection, "bad", "good")

    def bad(own: Connection, _: datetime) -> str:
        own.execute("insert into connection_name (name) values ('half done')")
        own.execute("select no_such_thing")
        return "never"

    def good(own: Connection, _: datetime) -> str:
        own.execute("insert into connection_name (name) values ('whole')")
        return "done"

    assert schedules.run_due(connection, {"bad": bad, "good": good}, now) == ["bad", "good"]
    names = connection.execute("select name from connection_name").fetchall()
    assert names == [("whole",)]
    rows = connection.execute("select name, last_words from schedule").fetchall()
    words: dict[str, str] = dict(rows)
    connection.rollback()
    assert words["good"] == "done"
    assert words["bad"].startswith("failed: UndefinedColumn")
    assert schedules.run_due(connection, {"bad": bad}, now) == []
    later = now + timedelta(seconds=61)
    assert schedules.run_due(connection, {"bad": good}, later) == ["bad"]


def test_a_chore_before_its_time_or_without_a_schedule_does_not_run(connection: Connection) -> None:
    ready(connection, "sum")
    ran = schedules.run_due(connection, {"sum": lambda *_: "", "other": lambda *_: ""}, EARLY)
    assert ran == []


def test_a_new_rhythm_replaces_the_former_one(connection: Connection) -> None:
    now = ready(connection, "sum")
    schedules.make(connection, {"sum": 3600})
    connection.commit()
    schedules.run_due(connection, {"sum": lambda *_: "x" * 9000}, now)
    row = connection.execute("select next_at, length(last_words) from schedule").fetchone()
    assert row == (now + timedelta(hours=1), 500)


def test_a_long_chore_is_taken_once_and_again_when_its_worker_is_gone(
    connection: Connection,
) -> None:
    now = ready(connection, "check")
    hour = timedelta(hours=1)
    assert schedules.begin(connection, "check", now, hour)
    assert not schedules.begin(connection, "check", now, hour)
    assert schedules.begin(connection, "check", now + hour, hour)
    schedules.done(connection, "check", now, "all is well")
    row = connection.execute("select next_at, last_at, last_words from schedule").fetchone()
    assert row == (now + timedelta(seconds=60), now, "all is well")


def test_a_schedule_may_wait_before_its_first_run(connection: Connection) -> None:
    now = ready(connection, "sum")
    schedules.make(connection, {"check": 60}, first_seconds=600)
    connection.commit()
    assert not schedules.begin(connection, "check", now, timedelta(hours=1))
    later = now + timedelta(seconds=630)
    assert schedules.begin(connection, "check", later, timedelta(hours=1))
