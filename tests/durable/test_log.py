"""The log: id order is commit order, whoever is slow, stopped or beside us."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import Connection
from psycopg import errors as pg
from psycopg.conninfo import make_conninfo

from tests.durable.floor import OtherProcess, note, notes, url_of, wait_for
from tillbridge.atoms.ids import LANES, SeededIds, lane_of
from tillbridge.durable import log
from tillbridge.durable.session import WORKER_IDLE_IN_TRANSACTION_MS, connect

CONSUMER = "flow"
IDLE = "-c idle_in_transaction_session_timeout=1200"
"""Shorter than the hub's own (see the test of the real one), so that the run stays short."""


@pytest.fixture
def cursors(connection: Connection) -> Connection:
    """A connection to a database with the cursors of a consumer."""
    log.make_cursors(connection, CONSUMER)
    connection.commit()
    return connection


def take(connection: Connection, limit: int = 1000) -> list[str]:
    """Everything the consumer has still to take, as a runner would take it."""
    positions = log.take_lanes(connection, CONSUMER)
    found = log.read(connection, positions, limit)
    log.move_cursors(connection, CONSUMER, log.last_ids(found))
    connection.commit()
    return [record.body.id for record in found]


@contextmanager
def another(url: str, options: str = IDLE) -> Iterator[OtherProcess]:
    """A process of its own with a connection, ended with the test."""
    process = OtherProcess(url, options)
    try:
        yield process
    finally:
        process.end()


def test_a_slow_commit_hides_nothing(cursors: Connection, database_url: str) -> None:
    with connect(database_url) as slow, connect(database_url) as quick:
        log.append(slow, [note("a", "slow")])
        appended = threading.Thread(target=log.append_and_commit, args=(quick, [note("a", "q")]))
        appended.start()
        # The quick one cannot overtake: until the slow one is through there is nothing to read,
        # and so no cursor can pass by.
        assert take(cursors) == []
        appended.join(0.3)
        assert appended.is_alive()
        assert take(cursors) == []
        slow.commit()
        appended.join()
        assert take(cursors) == ["a#slow", "a#q"]
        assert take(cursors) == []


def test_id_order_is_commit_order_under_four_appenders_and_a_reader(
    cursors: Connection, database_url: str
) -> None:
    """A reader that only ever looks past the highest id it saw misses nothing, in any lane."""
    each, size = 60, 7
    done = threading.Event()

    def run(name: int) -> None:
        dice = SeededIds(name)
        with connect(database_url) as connection:
            for number in range(each):
                if dice.jitter() < 0.2:  # work of unlike length before the append
                    connection.execute("select pg_sleep(%s)", (dice.jitter() / 200,))
                batch = [
                    note(f"k{int(dice.jitter() * 40)}", f"{name}.{number}.{i}") for i in range(size)
                ]
                log.append_and_commit(connection, batch)

    threads = [threading.Thread(target=run, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    last, seen = 0, 0
    with connect(database_url, autocommit=True) as reader:
        while not done.is_set():
            if not any(thread.is_alive() for thread in threads):
                done.set()
            rows = reader.execute(
                "select id from record where id > %s order by id", (last,)
            ).fetchall()
            seen += len(rows)
            last = rows[-1][0] if rows else last
    for thread in threads:
        thread.join()
    assert seen == 4 * each * size
    taken = [name.split("#")[1].split(".") for name in take(cursors, 10_000)]
    assert len(taken) == 4 * each * size
    for appender in range(4):
        own = [(int(n), int(i)) for a, n, i in taken if int(a) == appender]
        assert own == sorted(own)


def test_append_and_commit_commits_also_when_it_is_the_first_thing(connection: Connection) -> None:
    connection.rollback()
    log.append_and_commit(connection, [note("a", 1)])
    with connect(url_of(connection)) as other:
        assert other.execute("select count(*) from record").fetchone() == (1,)


def test_a_failed_append_leaves_nothing_and_the_connection_usable(connection: Connection) -> None:
    bad = note("a", 1)
    bad.lane = 99_999
    with pytest.raises(psycopg.Error):
        log.append_and_commit(connection, [bad])
    connection.rollback()
    log.append_and_commit(connection, [note("a", 2)])
    assert connection.execute("select count(*) from record").fetchone() == (1,)


def test_the_lock_is_taken_after_the_bodies_are_encoded(connection: Connection) -> None:
    """What cannot be encoded raises before anybody waits for us."""
    broken = note("a", "\ud800")
    with pytest.raises(UnicodeEncodeError):
        log.append(connection, [broken])
    held = connection.execute("select count(*) from pg_locks where locktype = 'advisory'")
    assert held.fetchone() == (0,)


def test_one_notify_per_transaction_and_none_for_what_is_carried_already(
    connection: Connection,
) -> None:
    with connect(url_of(connection), autocommit=True) as ears:
        ears.execute("listen log")
        log.append_and_commit(connection, notes(300))
        log.append(connection, notes(3))
        log.append(connection, notes(3))
        connection.commit()
        log.append_and_commit(connection, [], notes(5))
        heard = list(ears.notifies(timeout=0.5))
    assert len(heard) == 2


def test_fused_records_are_only_for_those_who_read_the_whole_log(cursors: Connection) -> None:
    log.append_and_commit(cursors, [note("a", 1)], [note("a", 2)])
    log.append_and_commit(cursors, [], [note("b", 3)])
    assert take(cursors) == ["a#1"]
    whole = log.read(cursors, dict.fromkeys(range(LANES), 0), 100, whole=True)
    assert {record.body.id for record in whole} == {"a#1", "a#2", "b#3"}


def test_a_cursor_never_goes_back_and_moves_only_where_it_is(cursors: Connection) -> None:
    log.append_and_commit(cursors, notes(5))
    take(cursors)
    with pytest.raises(RuntimeError, match="1 cursors of flow"):
        log.move_cursors(cursors, CONSUMER, {lane_of("k0"): 0})
    cursors.rollback()


def test_two_workers_share_the_lanes_and_idle_ones_are_not_locked(
    cursors: Connection, database_url: str
) -> None:
    log.append_and_commit(cursors, [note("a", 1)])
    with connect(database_url) as other:
        assert list(log.take_lanes(cursors, CONSUMER)) == [lane_of("a")]
        assert log.take_lanes(other, CONSUMER) == {}
        other.rollback()
        log.append_and_commit(other, [note("b", 1)])
        assert list(log.take_lanes(other, CONSUMER)) == [lane_of("b")]


# -- a worker stopped anywhere stops nobody else for long ---------------------------------------


def test_the_real_time_limits_are_seconds(connection: Connection, database_url: str) -> None:
    assert 5_000 <= WORKER_IDLE_IN_TRANSACTION_MS <= 10_000
    with connect(database_url, worker=True) as worker:
        shown = worker.execute("show idle_in_transaction_session_timeout").fetchone()
        assert shown == ("8s",)
        log.append(worker, [note("a", 1)])
        assert worker.execute("show transaction_timeout").fetchone() == ("5s",)
        worker.commit()
        assert worker.execute("show transaction_timeout").fetchone() == ("0",)


def test_a_worker_stopped_with_cursors_holds_up_only_its_lanes_and_not_for_long(
    cursors: Connection, database_url: str
) -> None:
    log.append_and_commit(cursors, [note("a", 1), note("b", 1)])
    with another(database_url) as frozen:
        lanes = f"[{lane_of('a')}]"
        frozen.ask(f"say(log.take_lanes(connection, 'flow', {lanes}))")
        frozen.stop()
        began = time.monotonic()
        assert take(cursors) == ["b#1"]
        assert time.monotonic() - began < 0.5
        wait_for(
            cursors,
            "select not exists (select from pg_locks where mode = 'RowShareLock'"
            " and relation = 'cursor'::regclass and pid <> pg_backend_pid())",
        )
        assert time.monotonic() - began < 4
        assert take(cursors) == ["a#1"]
        frozen.go_on()
        # the zombie wakes up, and its late commit fails
        late = "attempt(lambda: log.append_and_commit(connection, [note('a', 'zombie')]))"
        assert frozen.ask(late).startswith("failed")
    assert take(cursors) == []


def test_a_worker_stopped_before_its_commit_lets_others_append_within_seconds(
    cursors: Connection, database_url: str
) -> None:
    """Appended without the pipeline: the lock is held, and the client sleeps."""
    with another(database_url) as frozen:
        frozen.ask("log.append(connection, [note('a', 'zombie')]); say('held')")
        frozen.stop()
        began = time.monotonic()
        log.append_and_commit(cursors, [note("a", "live")])
        assert time.monotonic() - began < 4
        frozen.go_on()
        assert frozen.ask("attempt(connection.commit)").startswith("failed")
    assert take(cursors) == ["a#live"]


def test_a_worker_stopped_inside_an_append_lets_others_append_within_seconds(
    cursors: Connection, database_url: str
) -> None:
    """Stopped while the records are on their way and the lock is held: no idle time-out runs."""
    with another(database_url) as frozen:
        frozen.ask("big = [note('a', n, 'x' * 200_000) for n in range(800)]; say('made')")
        frozen.tell("attempt(lambda: log.append_and_commit(connection, big))")
        held = (
            "select exists (select from pg_locks where locktype = 'advisory' and granted"
            " and objid = 77)"
        )
        wait_for(cursors, held)
        frozen.stop()
        cursors.execute("set lock_timeout = '20s'")
        cursors.commit()
        began = time.monotonic()
        log.append_and_commit(cursors, [note("a", "live")])
        waited = time.monotonic() - began
        assert waited < 7
        found = take(cursors)
        assert found == ["a#live"], f"the stop came too late to be inside ({waited:.3f} s)"
        frozen.go_on()
        assert frozen.hear().startswith("failed")
    assert take(cursors) == []


def test_a_pipeline_that_holds_locks_is_bounded_and_its_append_more_closely(
    connection: Connection,
) -> None:
    def limit() -> str:
        return str(connection.execute("show transaction_timeout").fetchall()[0][0])

    if connection.info.server_version < 170000:
        pytest.skip("PostgreSQL 17 ends such a transaction, this one is older")
    found = []
    with connection.pipeline():
        log.bound(connection)
        found.append(limit())
        log.append(connection, [note("order/web/1", 1)])
        found.append(limit())
        connection.commit()
    assert [*found, limit()] == ["15s", "5s", "0"]


def test_a_worker_stopped_after_its_append_stops_nobody(
    cursors: Connection, database_url: str
) -> None:
    with another(database_url) as frozen:
        frozen.ask("log.append_and_commit(connection, [note('a', 1)]); say('done')")
        frozen.stop()
        began = time.monotonic()
        log.append_and_commit(cursors, [note("a", 2)])
        assert take(cursors) == ["a#1", "a#2"]
        assert time.monotonic() - began < 0.5


def test_an_open_write_in_another_database_does_not_stop_the_flow(
    cursors: Connection, server_url: str, empty_database_url: str
) -> None:
    with psycopg.connect(empty_database_url) as tryton:
        tryton.execute("create table sale (x int)")
        tryton.execute("insert into sale values (1)")  # and it stays open
        began = time.monotonic()
        for number in range(5):
            log.append_and_commit(cursors, [note("a", number)])
            assert take(cursors) == [f"a#{number}"]
        assert time.monotonic() - began < 2


def test_an_open_write_of_our_own_database_does_not_stop_the_flow_either(
    cursors: Connection, database_url: str
) -> None:
    with connect(database_url) as beside:
        beside.execute("insert into connection_name (name) values ('open')")
        log.append_and_commit(cursors, [note("a", 1)])
        assert take(cursors) == ["a#1"]


def test_a_lock_that_never_comes_is_an_error_and_not_a_hang(
    connection: Connection, database_url: str
) -> None:
    quick = make_conninfo(database_url, options="-c lock_timeout=200")
    with connect(quick) as waiting:
        log.append(connection, [note("a", 1)])
        with pytest.raises(pg.LockNotAvailable):
            log.append_and_commit(waiting, [note("a", 2)])


def test_a_key_is_always_in_the_same_lane() -> None:
    """crc32 of the UTF-8 bytes modulo 64; these values must never change."""
    known = {"": 0, "a": 3, "order/web/450789469": 40, "sale/9/31": 10, "Gr\u00fc\u00dfe": 49}
    assert {key: lane_of(key) for key in known} == known


def test_the_database_names_the_lane_function_it_was_filled_with(connection: Connection) -> None:
    assert connection.execute("select lane_fn from hub").fetchone() == ("crc32/64",)
    keys = [f"order/web/{number}" for number in range(2000)]
    assert len({lane_of(key) for key in keys}) == LANES
