"""Partitions come ahead of the ids and go when done; what was received stays known."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg import Connection
from psycopg import errors as pg

from tests.durable.floor import note, url_of
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.durable import log, messages, parking, retention
from tillbridge.durable.messages import Incoming
from tillbridge.durable.session import connect

NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
SIZE = 1_000_000
FLOW = "flow"


def arrival(
    delivery: str, body: bytes = b"{}", at: datetime = NOW, key: str = "", place: str = ""
) -> Incoming:
    return Incoming(
        connection="web",
        topic="order",
        delivery=delivery,
        body=body,
        received_at=at,
        key=key,
        place=place,
    )


def receive(connection: Connection, *arrivals: Incoming) -> list[str]:
    """What became of deliveries; stored, told to the log, committed."""
    numbers = messages.connection_ids(connection, ["web"])
    connection.commit()
    done, records = messages.store(connection, arrivals, numbers)
    log.append_and_commit(connection, records)
    return [one.outcome for one in done]


def pass_by(connection: Connection, consumer: str = FLOW) -> None:
    """Let a consumer take everything."""
    log.make_cursors(connection, consumer)
    positions = log.take_lanes(connection, consumer)
    log.move_cursors(connection, consumer, log.last_ids(log.read(connection, positions, 10_000)))
    connection.commit()


def jump(connection: Connection, to: int, tables: Sequence[str] = retention.TABLES) -> None:
    """As if many ids had been given out."""
    for table in tables:
        connection.execute(f"alter table {table} alter column id restart with {to}")
    connection.commit()


def partitions(connection: Connection, table: str) -> list[str]:
    rows = connection.execute(
        "select inhrelid::regclass::text from pg_inherits where inhparent = %s::regclass"
        " order by length(inhrelid::regclass::text), 1",
        (table,),
    ).fetchall()
    connection.rollback()
    return [row[0] for row in rows]


def test_dropping_old_partitions_forgets_no_duplicate(connection: Connection) -> None:
    assert receive(connection, arrival("d1"), arrival("d2")) == ["new", "new"]
    pass_by(connection)
    jump(connection, SIZE)
    assert receive(connection, arrival("d3")) == ["new"]
    pass_by(connection)
    dropped = retention.drop_done_partitions(connection, 0)
    connection.commit()
    assert dropped == ["message_0", "record_0"]
    assert messages.read(connection, [1, 2]) == {}
    again = [arrival("d1"), arrival("d2", b"other"), arrival("d3"), arrival("d4")]
    assert receive(connection, *again) == ["duplicate", "conflict", "duplicate", "new"]


def test_a_partition_with_a_pending_record_is_not_dropped(connection: Connection) -> None:
    log.make_cursors(connection, FLOW)
    receive(connection, arrival("d1"))
    jump(connection, SIZE)
    receive(connection, arrival("d2"))
    assert retention.drop_done_partitions(connection, 0) == []
    connection.commit()
    pass_by(connection)
    log.make_cursors(connection, "watch")  # another consumer, which has read nothing yet
    assert retention.drop_done_partitions(connection, 0) == []
    connection.commit()
    log.move_cursors(connection, "watch", dict.fromkeys(range(64), 2 * SIZE))
    assert retention.drop_done_partitions(connection, 0) == ["message_0", "record_0"]


def test_the_body_of_a_parked_message_is_not_dropped(connection: Connection) -> None:
    """A parked record carries its own bytes; only the message it points at has to stay."""
    log.make_cursors(connection, FLOW)
    receive(connection, arrival("d1", b'{"parked": true}'))
    (record,) = log.read(connection, log.take_lanes(connection, FLOW), 10)
    case = parking.CaseOpened("mapping", record, NeedsDecision("toy", "wait"))
    parking.park(connection, FLOW, [parking.Parking("mapping", record, case)])
    log.move_cursors(connection, FLOW, log.last_ids([record]))
    connection.commit()
    jump(connection, SIZE)
    receive(connection, arrival("d2"))
    pass_by(connection)
    assert retention.drop_done_partitions(connection, 0) == ["record_0"]
    connection.commit()
    assert messages.read(connection, [1])[1].body == b'{"parked": true}'
    connection.execute("update parked_key set ready = true")
    (replay,) = parking.ready(connection, FLOW, list(range(64)), 10, 10)
    assert replay.record.body == record.body
    parking.unpark(connection, [replay], "hub")
    assert retention.drop_done_partitions(connection, 0) == ["message_0"]


def test_bodies_are_kept_for_their_days(connection: Connection) -> None:
    receive(connection, arrival("old", at=NOW - timedelta(days=91)))
    jump(connection, SIZE)
    receive(connection, arrival("new", at=NOW - timedelta(days=89)))
    pass_by(connection)
    limit = NOW - timedelta(days=90)
    # The first one that follows is younger: some of the partition may be as young.
    assert retention.drop_done_partitions(connection, before=limit, tables=("message",)) == []
    connection.commit()
    later = limit + timedelta(days=2)
    only = retention.drop_done_partitions(connection, before=later, tables=("message",))
    assert only == ["message_0"]


def test_dropping_waits_for_nobody(connection: Connection, database_url: str) -> None:
    receive(connection, arrival("d1"))
    jump(connection, SIZE)
    receive(connection, arrival("d2"))
    pass_by(connection)
    with connect(database_url) as reader:
        reader.execute("select count(*) from record").fetchone()
        began = time.monotonic()
        with pytest.raises(pg.LockNotAvailable):
            retention.drop_done_partitions(connection, 0)
        assert time.monotonic() - began < 1
    connection.rollback()


def test_partitions_are_made_ahead_and_only_once(connection: Connection) -> None:
    assert partitions(connection, "record") == ["record_0", "record_1000000"]
    assert retention.make_partitions(connection) == []
    jump(connection, SIZE + 5)
    log.append_and_commit(connection, [note("a", 1)])
    made = retention.make_partitions(connection)
    connection.commit()
    assert made == ["record_2000000", "record_3000000"]
    assert retention.make_partitions(connection) == []
    connection.commit()
    jump(connection, 3 * SIZE, ["record"])
    log.append_and_commit(connection, [note("a", 2)])
    found = connection.execute("select id, tableoid::regclass::text from record order by id")
    assert found.fetchall() == [(SIZE + 5, "record_1000000"), (3 * SIZE, "record_3000000")]


def test_a_partition_made_ahead_has_every_index_and_default(connection: Connection) -> None:
    jump(connection, SIZE)
    log.append_and_commit(connection, [note("a", 1)])
    receive(connection, arrival("d1"))
    retention.make_partitions(connection)

    def shape(table: str) -> list[object]:
        columns = connection.execute(
            "select attname, atttypid, attnotnull, attstorage, pg_get_expr(adbin, adrelid)"
            " from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum"
            " where attrelid = %s::regclass and attnum > 0 order by attnum",
            (table,),
        ).fetchall()
        defined = connection.execute(
            "select replace(indexdef, %s, 'T') from pg_indexes where tablename = %s",
            (table, table),
        ).fetchall()
        return [columns, sorted(row[0] for row in defined)]

    for table in retention.TABLES:
        assert shape(f"{table}_0") == shape(f"{table}_2000000")


def test_partitions_are_made_beside_open_readers_and_appenders(
    connection: Connection, database_url: str
) -> None:
    jump(connection, SIZE)
    log.append_and_commit(connection, [note("a", 1)])
    with connect(database_url) as reader, connect(database_url) as appender:
        reader.execute("select count(*) from record").fetchone()
        log.append(appender, [note("a", 2)])
        began = time.monotonic()
        assert len(retention.make_partitions(connection)) == 2
        connection.commit()
        assert time.monotonic() - began < 1
        appender.commit()
    assert connection.execute("select count(*) from record").fetchone() == (2,)


def test_workers_that_make_partitions_together_make_each_once(
    connection: Connection, database_url: str
) -> None:
    jump(connection, SIZE)
    log.append_and_commit(connection, [note("a", 1)])
    receive(connection, arrival("d1"))
    made: list[str] = []

    def run() -> None:
        with connect(database_url) as own:
            made.extend(retention.make_partitions(own))
            own.commit()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(set(made))
    assert {"message_2000000", "record_2000000"} <= set(made)


def test_identities_of_deliveries_expire_by_day_in_portions(connection: Connection) -> None:
    connection.execute(
        "insert into delivery (connection, id_hash, body_hash, message, day)"
        " select 1, md5(n::text)::uuid, '\\x00', n, '2025-01-01'::date + n / 5000"
        " from generate_series(0, 24999) n"
    )
    connection.commit()
    before = date(2025, 1, 4)
    assert [retention.expire_deliveries(connection, before) for _ in range(3)] == [10_000, 5_000, 0]
    left = connection.execute("select min(day), count(*) from delivery").fetchone()
    assert left == (before, 10_000)


def test_a_delivery_is_new_once_however_often_and_wherever_it_comes(
    connection: Connection,
) -> None:
    first = [arrival("d1"), arrival("d1"), arrival("d1", b"else"), arrival("d2", key="order/1")]
    assert receive(connection, *first) == ["new", "duplicate", "conflict", "new"]
    assert receive(connection, *first) == ["duplicate", "duplicate", "conflict", "duplicate"]
    kept = connection.execute("select count(*), count(nullif(problem, '')) from message").fetchone()
    assert kept == (3, 1)
    told = connection.execute("select count(*), count(distinct key) from record").fetchone()
    assert told == (3, 3)


def test_a_delivery_stored_by_two_at_once_is_new_for_one(
    connection: Connection, database_url: str
) -> None:
    numbers = messages.connection_ids(connection, ["web"])
    connection.commit()
    outcomes: list[str] = []
    with connect(database_url) as other:
        done, records = messages.store(connection, [arrival("a"), arrival("b")], numbers)

        def run() -> None:
            found, more = messages.store(other, [arrival("b"), arrival("a")], numbers)
            log.append_and_commit(other, more)
            outcomes.extend(one.outcome for one in found)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.1)
        log.append_and_commit(connection, records)
        thread.join()
    assert [one.outcome for one in done] == ["new", "new"]
    assert outcomes == ["duplicate", "duplicate"]


@pytest.mark.parametrize("key", ["", "\x00", "k" * 5_000, "\ud800"])
def test_an_odd_key_or_id_loses_no_delivery(connection: Connection, key: str) -> None:
    odd = arrival("id\x00\ud800" + "x" * 5_000, key=key, place="\x00\udfff")
    assert receive(connection, odd) == ["new"]
    assert receive(connection, odd) == ["duplicate"]
    pass_by(connection)
    with connect(url_of(connection)) as other:
        (stored,) = messages.read(other, [1]).values()
    assert stored.body == b"{}"
    assert stored.delivery.startswith("id?x")
