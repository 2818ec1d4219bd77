"""The group writer with a work of its own: what is formed when, what is run again, who is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from psycopg import Connection, errors

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.durable.group_writer import GroupWriter, Work
from tillbridge.durable.session import connect


class Kept(Work[int, int]):
    """Keeps numbers in a table and answers each with its double."""

    rerun = (*Work.rerun, errors.UniqueViolation)

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.before: Callable[[], Any] = lambda: None
        self.gated: Callable[[], Any] = lambda: None

    def gate(self, connection: Connection) -> None:
        connection.execute("select 1")
        self.gated()

    def commit(self, connection: Connection, asks: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(asks))
        self.before()
        known = {n for (n,) in connection.execute("select n from kept")}
        fresh = sorted(set(asks) - known)
        connection.execute(
            "insert into kept select 100 / (7 - n) * 0 + n from unnest(%s::int[]) x (n)", (fresh,)
        )
        connection.commit()
        return [2 * ask for ask in asks]


@pytest.fixture
def kept(connection: Connection) -> Kept:
    connection.execute("create table kept (n int primary key)")
    connection.commit()
    return Kept()


def writer_of(url: str, work: Kept) -> GroupWriter[int, int]:
    return GroupWriter(lambda: connect(url), lambda: work, name="toy")


def told(writer: GroupWriter[int, int], asks: Sequence[int]) -> list[int | BaseException]:
    """All asked before the writer starts: one group."""

    async def together() -> list[int | BaseException]:
        futures = [writer.submit(ask) for ask in asks]
        writer.start()
        return await asyncio.gather(*futures, return_exceptions=True)

    try:
        return asyncio.run(together())
    finally:
        writer.stop()


def test_what_is_asked_together_goes_down_together(database_url: str, kept: Kept) -> None:
    assert told(writer_of(database_url, kept), [1, 2, 3]) == [2, 4, 6]
    assert kept.groups == [[1, 2, 3]]


def test_who_comes_while_the_gate_is_waited_for_is_in_the_group(
    database_url: str, kept: Kept
) -> None:
    writer = writer_of(database_url, kept)

    async def play() -> None:
        writer.start()
        await writer.submit(1)  # the first group has no connection to wait on yet
        waiting, opened = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def gated() -> None:
            loop.call_soon_threadsafe(waiting.set)
            opened.wait(10)

        kept.gated = gated
        second = writer.submit(2)
        await asyncio.wait_for(waiting.wait(), 10)
        third = writer.submit(3)
        opened.set()
        await asyncio.gather(second, third)

    asyncio.run(play())
    writer.stop()
    assert kept.groups == [[1], [2, 3]]


def test_an_error_the_work_calls_a_race_runs_the_whole_group_again(
    database_url: str, kept: Kept, connection: Connection
) -> None:
    def once() -> None:
        kept.before = lambda: None
        raise errors.UniqueViolation("another process was faster")

    kept.before = once
    assert told(writer_of(database_url, kept), [1, 2]) == [2, 4]
    assert kept.groups == [[1, 2], [1, 2]]


def test_a_request_the_store_cannot_hold_stands_alone(database_url: str, kept: Kept) -> None:
    answers = told(writer_of(database_url, kept), [6, 7, 8])
    assert answers[::2] == [12, 16]
    assert isinstance(answers[1], Refused)


def test_a_defect_ends_neither_the_writer_nor_the_words(database_url: str, kept: Kept) -> None:
    def broken() -> None:
        raise KeyError("secret")

    kept.before = broken
    (answer,) = told(writer_of(database_url, kept), [1])
    assert isinstance(answer, RetryLater)
    assert "secret" not in answer.words
    kept.before = lambda: None
    assert told(writer_of(database_url, kept), [1]) == [2]


def test_a_defect_of_one_request_is_not_that_of_its_group(database_url: str, kept: Kept) -> None:
    def broken() -> None:
        if 3 in kept.groups[-1]:
            raise KeyError("three")

    kept.before = broken
    answers = told(writer_of(database_url, kept), [2, 3, 4])
    assert answers[::2] == [4, 8]
    assert isinstance(answers[1], RetryLater)


def test_a_writer_that_is_full_or_stopping_says_its_name(database_url: str, kept: Kept) -> None:
    writer = GroupWriter[int, int](
        lambda: connect(database_url), lambda: kept, queue_most=0, name="desk"
    )

    async def ask() -> None:
        with pytest.raises(RetryLater, match="desk is full"):
            writer.submit(1)
        writer.stop()
        with pytest.raises(RetryLater, match="desk is stopping"):
            writer.submit(1)

    asyncio.run(ask())
