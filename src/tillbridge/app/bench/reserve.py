"""`bench reserve`: reservations per second over HTTP, beside one transaction per request.

The hub's side is its real HTTP process. The other side is the same HTTP stack, whose writer is a
pool of 1, 8 and 64 connections with one transaction per request, as shops do it; the best counts.
Both write the same rows. After every run the rows are summed: an oversell or an answer without its
rows voids the bench. Stock is there for every request, so that all are accepted.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tillbridge.app.bench.children import Tell
from tillbridge.app.bench.http_load import Load
from tillbridge.app.bench.reserve_load import FORTY, HOT, LOCATION, WIDE, Shape
from tillbridge.app.bench.retail import PLENTY
from tillbridge.app.bench.scratch import proven, settle
from tillbridge.app.bench.shop_door import Door, Run, shop_door
from tillbridge.durable.queries import load
from tillbridge.durable.retention import make_partitions
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect

QUERIES = load(
    "tillbridge.app.bench",
    "reserve.sql",
    "fill",
    "empty",
    "forget",
    "give_back",
    "counts",
    "lies",
)
SHAPES = (HOT, FORTY, WIDE)
POOLS = (1, 8, 64)
PIECE = 1000


class Side(msgspec.Struct, frozen=True):
    """A run and what it cost. pool: connections of the one-by-one writer, 0 = the hub."""

    pool: int
    run: Run

    @property
    def rate(self) -> float:
        """Accepted reservations per second."""
        return self.run.load.answers / self.run.load.seconds


def run(
    url: str,
    *,
    seconds: float,
    connections: int,
    processes: int,
    shapes: tuple[Shape, ...] = SHAPES,
    pools: tuple[int, ...] = POOLS,
    progress: Tell = print,
) -> dict[str, Any]:
    """Measure on a migrated, empty database; the keys are described in docs/operations.md.

    Raises AssertionError when rows and answers differ, or more was promised than was there.
    """
    with connect(url, statement_timeout_ms=0) as connection:
        settings = proven(connection)
        make_partitions(connection)
        fill(connection, shapes)
        progress("letting the server settle")
        settle(connection, int(seconds) * 4)
        with shop_door(url, processes=processes, connections=connections) as door:
            sides = {
                shape.name: [
                    _measured(connection, door, shape, pool, seconds, progress)
                    for pool in (0, *pools)
                ]
                for shape in shapes
            }
    found: dict[str, Any] = {"bench": "reserve"}
    for name, measured in sides.items():
        prefix = "" if name == HOT.name else f"{name}_"
        found |= {prefix + key: value for key, value in _figures(measured).items()}
    return {**found, "connections": connections, "processes": processes, **settings}


def fill(connection: Connection, shapes: tuple[Shape, ...]) -> None:
    """Stock of every product, enough for any run."""
    codes = [code for shape in shapes for code in shape.codes]
    connection.execute(QUERIES.fill, (LOCATION, PLENTY, codes))
    connection.commit()


def clear(connection: Connection) -> None:
    """Take all reservations out again, so that every run writes into the same tables."""
    connection.execute("set session_replication_role = replica")
    for query in (QUERIES.empty, QUERIES.forget, QUERIES.give_back):
        connection.execute(query)
    connection.execute("set session_replication_role = default")
    connection.commit()
    connection.autocommit = True
    connection.execute("vacuum analyze")
    connection.execute("checkpoint")
    connection.autocommit = False


def check(connection: Connection, shape: Shape, load: Load) -> None:
    """Every 201 has its rows once, and nothing was promised twice; raises AssertionError."""
    if load.others:
        raise AssertionError(f"{load.others} requests were not answered with 201")
    row = connection.execute(QUERIES.counts).fetchone() or ()
    lines = load.acknowledged * shape.lines
    wanted = (*[load.acknowledged] * 3, lines, lines * PIECE, lines * PIECE)
    if tuple(int(count) for count in row) != wanted:
        raise AssertionError(f"{shape.name}: rows are {row} instead of {wanted}")
    if lies := oversold(connection):
        raise AssertionError(f"{shape.name}: oversold or miscounted: {lies}")


def oversold(connection: Connection) -> list[tuple[Any, ...]]:
    """Places whose reservations do not add up to what the stock row says, or exceed what is there:
    location, product, on hand, reserved by the row, sum of the reservations.
    """
    found = connection.execute(QUERIES.lies).fetchall()
    connection.rollback()
    return found


def _measured(
    connection: Connection, door: Door, shape: Shape, pool: int, seconds: float, progress: Tell
) -> Side:
    clear(connection)
    who = f"one by one, pool of {pool}" if pool else "the hub"
    progress(f"{shape.name}, {shape.lines} of {shape.products} products: {who}")
    told = Side(pool, door.play(shape, seconds, pool=pool))
    check(connection, shape, told.run.load)
    progress(f"  {told.rate:.0f}/s, p99 {told.run.load.p99_ms:.1f} ms")
    return told


def _figures(sides: list[Side]) -> dict[str, Any]:
    hub, others = sides[0], sides[1:]
    best = max(others, key=lambda side: side.rate)
    load = hub.run.load
    return {
        "rate": round(hub.rate, 1),
        "p50_ms": round(load.p50_ms, 2),
        "p99_ms": round(load.p99_ms, 2),
        "max_ms": round(load.max_ms, 2),
        "ratio": round(hub.rate / best.rate, 2),
        "one_by_one_rate": round(best.rate, 1),
        "one_by_one_p99_ms": round(best.run.load.p99_ms, 2),
        "one_by_one_pool": best.pool,
        "one_by_one": {str(side.pool): round(side.rate, 1) for side in others},
        "cpu_us": round(hub.run.cpu_seconds / load.answers * 1e6, 1),
        "peak_mb": round(hub.run.peak_mb, 1),
        "count": load.answers,
    }
