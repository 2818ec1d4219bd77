"""The group writer on a real database: nothing is acknowledged that is not committed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from psycopg import Connection, sql

from tests.inbox.signed_shop import ask, connections, signed
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.durable.messages import Incoming, Stored, connection_ids
from tillbridge.durable.postgres.databases import MAINTENANCE, database_name, with_database
from tillbridge.durable.session import connect
from tillbridge.inbox.group_commit import IntakeWriter
from tillbridge.inbox.webhooks import Webhooks

NOW = SystemClock().now()


@pytest.fixture
def writer(database_url: str) -> Iterator[IntakeWriter]:
    writer = IntakeWriter(database_url)
    writer.start()
    yield writer
    writer.stop()


def arrival(number: int, body: bytes = b"{}") -> Incoming:
    return Incoming(connection="web", topic="t", delivery=f"d-{number}", body=body, received_at=NOW)


def submit(writer: IntakeWriter, arrivals: Sequence[Incoming]) -> list[Stored | BaseException]:
    async def together() -> list[Stored | BaseException]:
        futures = [writer.submit(one) for one in arrivals]
        return await asyncio.gather(*futures, return_exceptions=True)

    return asyncio.run(together())


def count(connection: Connection, table: str) -> int:
    connection.rollback()
    row = connection.execute(f"select count(*) from {table}").fetchone()
    assert row is not None
    return int(row[0])


class Gate:
    """Opens and shuts a database for new sessions, ending those it has."""

    def __init__(self, url: str) -> None:
        self._url = with_database(url, MAINTENANCE)
        self._name = database_name(url)

    def shut(self) -> None:
        self._allow("false")
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s",
                [self._name],
            )

    def open(self) -> None:
        self._allow("true")

    def _allow(self, word: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("alter database {} allow_connections {}").format(
                    sql.Identifier(self._name), sql.SQL("true" if word == "true" else "false")
                )
            )


def test_while_the_store_is_away_nothing_is_acknowledged_and_then_it_recovers(
    database_url: str, writer: IntakeWriter
) -> None:
    webhooks = Webhooks(connections(), writer)
    gate = Gate(database_url)

    async def tell(body: bytes) -> tuple[int, str]:
        reply = await ask(webhooks, "/in/web", body, signed(body))
        return reply.status, reply.headers.get("retry-after", "")

    assert asyncio.run(tell(b"1")) == (200, "")
    gate.shut()
    assert asyncio.run(tell(b"2")) == (503, "5")
    assert asyncio.run(tell(b"3")) == (503, "5")
    gate.open()
    SystemClock().sleep(0.6)
    assert asyncio.run(tell(b"2")) == (200, "")
    with connect(database_url) as connection:
        bodies = connection.execute("select body from message order by id").fetchall()
    assert bodies == [(b"1",), (b"2",)]


def test_a_connection_that_died_while_idle_costs_no_delivery(
    database_url: str, writer: IntakeWriter, connection: Connection
) -> None:
    submit(writer, [arrival(1)])
    connection.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = current_database() and application_name = 'tillbridge intake'"
    )
    assert [type(one) for one in submit(writer, [arrival(2)])] == [Stored]


def test_a_row_the_store_refuses_does_not_take_the_others_with_it(
    writer: IntakeWriter, connection: Connection
) -> None:
    connection.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin"
        " if new.body = 'poison' then raise exception 'no' using errcode = '22000'; end if;"
        " return new; end $$"
    )
    connection.execute(
        "create trigger refuse before insert on message for each row execute function refuse()"
    )
    connection.commit()
    bodies = [b"a", b"poison", b"b", b"c"]
    answers = submit(writer, [arrival(n, body) for n, body in enumerate(bodies)])
    assert [type(one) for one in answers] == [Stored, Refused, Stored, Stored]
    assert count(connection, "message") == 3
    assert count(connection, "delivery") == 3
    assert count(connection, "record") == 3


def test_a_missing_partition_is_the_stores_trouble_not_the_deliverys(
    writer: IntakeWriter, connection: Connection
) -> None:
    connection.execute("drop table message_0")
    connection.commit()
    answers = submit(writer, [arrival(1), arrival(2)])
    assert [type(one) for one in answers] == [RetryLater, RetryLater]
    assert count(connection, "delivery") == 0


def test_beyond_the_queue_senders_are_told_to_come_back(database_url: str) -> None:
    idle = IntakeWriter(database_url, queue_most=2)  # not started: nothing leaves the queue

    async def three() -> None:
        first = [idle.submit(arrival(number)) for number in range(2)]
        with pytest.raises(RetryLater, match="full"):
            idle.submit(arrival(3))
        idle.start()
        assert [stored.outcome for stored in await asyncio.gather(*first)] == ["new", "new"]

    asyncio.run(three())
    idle.stop()


def test_a_queue_of_large_bodies_is_bounded_by_their_bytes(database_url: str) -> None:
    idle = IntakeWriter(database_url)

    async def fill() -> None:
        body = bytes(60 * 1024 * 1024)
        idle.submit(arrival(1, body)).cancel()
        idle.submit(arrival(2, body)).cancel()
        with pytest.raises(RetryLater, match="full"):
            idle.submit(arrival(3, body))

    asyncio.run(fill())


def test_stopping_writes_what_is_queued_and_takes_no_more(
    database_url: str, connection: Connection
) -> None:
    writer = IntakeWriter(database_url)

    async def stop() -> None:
        futures = [writer.submit(arrival(number)) for number in range(5)]
        writer.start()
        await asyncio.to_thread(writer.stop)
        with pytest.raises(RetryLater, match="stopping"):
            writer.submit(arrival(6))
        assert len(await asyncio.gather(*futures)) == 5

    asyncio.run(stop())
    assert count(connection, "record") == 5


def test_duplicates_and_conflicts_inside_one_group_are_told_apart(
    database_url: str, connection: Connection
) -> None:
    writer = IntakeWriter(database_url)

    async def one_group() -> list[str]:
        futures = [writer.submit(arrival(1, body)) for body in (b"a", b"a", b"b", b"a", b"b")]
        writer.start()
        return [stored.outcome for stored in await asyncio.gather(*futures)]

    outcomes = asyncio.run(one_group())
    writer.stop()
    assert outcomes == ["new", "duplicate", "conflict", "duplicate", "conflict"]
    assert writer.batches == 1
    assert count(connection, "message") == 2


def test_two_writers_on_the_same_ids_keep_each_once(
    database_url: str, connection: Connection
) -> None:
    writer = IntakeWriter(database_url, threads=2)
    writer.start()
    for _ in range(5):
        answers = submit(writer, [arrival(number % 50) for number in range(400)])
        assert {type(one) for one in answers} == {Stored}
    writer.stop()
    assert count(connection, "message") == 50
    assert count(connection, "record") == 50


def test_asking_for_ids_of_known_connections_takes_no_new_numbers(connection: Connection) -> None:
    first = connection_ids(connection, ["a", "b"])
    for _ in range(10):
        assert connection_ids(connection, ["a", "b"]) == first
    assert connection_ids(connection, ["c", "a"])["c"] <= 3
