"""Oversell 0 and undersell 0: 64 buyers in 4 processes on one SKU of 20."""

from __future__ import annotations

from psycopg import Connection

from tests.fire.oversell.proof import Proof
from tests.fire.oversell.rounds import SHAPES

ROUNDS, ROUNDS_WITH_KILLS, SEED = 50, 6, 4


def test_nothing_is_sold_twice_and_nothing_is_left(
    connection: Connection, database_url: str
) -> None:
    _play(connection, database_url, ROUNDS, kill_every=0)


def test_a_killed_process_sells_nothing_twice(connection: Connection, database_url: str) -> None:
    told = _play(connection, database_url, ROUNDS_WITH_KILLS, kill_every=1)
    assert told["killed"] == ROUNDS_WITH_KILLS


def _play(connection: Connection, url: str, rounds: int, *, kill_every: int) -> dict[str, int]:
    proof = Proof(url, connection, kill_every=kill_every)
    try:
        lies = [lie for number in range(rounds) for lie in proof.play(number, SEED)]
    finally:
        proof.end()
    assert lies == []
    assert all(proof.told[f"{shape}: {said}"] for shape in SHAPES for said in ("yes", "no"))
    return proof.told
