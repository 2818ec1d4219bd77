"""A record that kills its flow process twice is taken aside, and all the others go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime

import pytest
from psycopg import Connection

from tests.app.toy_flow import (
    FLOW,
    ToyRoom,
    ToySession,
    append,
    noted,
    parked,
    records,
    rooms,
    runner,
    seen,
)
from tests.tidy.tree import ROOT
from tillbridge.app.flow import ORCHESTRATION
from tillbridge.app.runner import FlowRunner
from tillbridge.app.suspects import Suspects
from tillbridge.atoms.clock import SystemClock
from tillbridge.durable.rooms import Outcome, Record, RoomSession
from tillbridge.durable.session import connect

CHILD = (
    "import sys; from tests.app.test_suspects import carry; carry(sys.argv[1], int(sys.argv[2]))"
)
WORKS = 0


class DeadlySession(ToySession):
    """A room in which some records end the process, as a crashing library would."""

    def handle(self, record: Record) -> Outcome:
        if "deadly" in record.body.id:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().handle(record)


class DeadlyRoom(ToyRoom):
    """Opens such sessions."""

    def open(self, connection: Connection, now: datetime) -> RoomSession:
        return DeadlySession(self, connection)


def carry(url: str, memory: int) -> None:
    """A flow process over toy rooms, until nothing is left."""
    toys = {**rooms(), ORCHESTRATION: DeadlyRoom(ORCHESTRATION)}
    with connect(url) as connection:
        FlowRunner(connection, toys, SystemClock(), flow=FLOW, suspects=Suspects(memory)).drain()


@pytest.fixture
def memory() -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        yield file.fileno()


def lives(url: str, memory: int) -> list[int]:
    """Exit codes of one process after the other, until one has done its work."""
    codes: list[int] = []
    while WORKS not in codes:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, url, str(memory)],
            cwd=ROOT,
            pass_fds=[memory],
            check=False,
        )
        codes.append(done.returncode)
        assert len(codes) < 12, codes
    return codes


def test_a_record_that_kills_twice_is_a_case_and_the_others_go_on(
    connection: Connection, database_url: str, memory: int
) -> None:
    runner(connection)
    append(connection, *(noted(f"k{n}", f"k{n}") for n in range(8)))
    append(connection, noted("bad", "deadly"), noted("bad", "after it"))
    append(connection, *(noted(f"m{n}", f"m{n}") for n in range(8)))
    codes = lives(database_url, memory)
    assert codes == [-signal.SIGKILL] * 3 + [WORKS], "in company, alone, alone again"
    assert sorted(seen(connection)) == sorted(f"{a}{n}" for a in "km" for n in range(8))
    assert parked(connection) == [(ORCHESTRATION, "bad", False, 2)]
    reason = connection.execute("select reason, key from exception_case").fetchall()
    assert reason == [("kills_worker", "bad")]


def test_two_that_kill_are_both_taken_aside(
    connection: Connection, database_url: str, memory: int
) -> None:
    runner(connection)
    append(connection, noted("a", "a"), noted("bad", "deadly"), noted("worse", "deadly too"))
    append(connection, noted("z", "z"))
    lives(database_url, memory)
    assert sorted(seen(connection)) == ["a", "z"]
    assert {key for _, key, _, _ in parked(connection)} == {"bad", "worse"}


def test_a_death_by_chance_takes_nothing_aside(memory: int) -> None:
    one, other = (
        Record(key=record.key, type=record.type, body=record.body, lane=record.lane, id=number)
        for number, record in enumerate(records(noted("a", "1"), noted("b", "2")))
    )
    Suspects(memory).carry([one, other])
    after = Suspects(memory)
    assert after.single
    after.carry([one])
    after.passed()
    after.carry([other])  # and dies alone, by chance
    again = Suspects(memory)
    assert again.single
    assert not again.killer(other)
    again.carry([other])
    again.passed()
    assert [again.single, Suspects(memory).single] == [False, False]


def test_a_torn_memory_is_no_memory(memory: int) -> None:
    os.pwrite(memory, b'{"carrying": ["a', 0)
    assert not Suspects(memory).single
