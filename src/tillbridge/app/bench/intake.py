"""`bench intake`: signed orders over loopback HTTP, answered only after their commit, beside the
raw database doing the same writes in the same groups.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from tillbridge.app.bench import intake_raw
from tillbridge.app.bench.children import (
    Tell,
    cpu_seconds,
    ended,
    expect,
    line,
    module,
    peak_mb,
    say,
)
from tillbridge.app.bench.http_load import Load
from tillbridge.app.bench.intake_server import URL_VARIABLE
from tillbridge.app.bench.scratch import proven, settle
from tillbridge.app.http import listen
from tillbridge.atoms.clock import SystemClock
from tillbridge.durable.retention import make_partitions
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect

RATE_MOST = 12_000
"""Requests built per second of the timed part; a faster hub would run out of them."""
REQUESTS_MOST = 250_000
RAW_MOST = 20_000


def run(
    database_url: str,
    *,
    seconds: float = 10.0,
    connections: int = 64,
    processes: int = 1,
    progress: Tell = print,
) -> dict[str, Any]:
    """Measure on a migrated, empty database; raises AssertionError when what was acknowledged and
    what stands in the tables differ, or the database is not set to keep what it commits.

    rate: answers per second; ratio: against the faster raw way; cpu_us: of the servers per answer;
    peak_mb: the largest server's resident memory.
    """
    with connect(database_url) as connection:
        settings = proven(connection)
        make_partitions(connection)
        connection.commit()
        progress("letting the server settle")
        settle(connection, int(seconds))
        load, cpu, peak = _loaded(database_url, seconds, connections, processes, progress)
        _agree(connection, load)
        progress("reading what was written")
        groups = intake_raw.read_groups(connection, RAW_MOST)
        raw = _raw(connection, groups, progress)
    rate = load.answers / load.seconds
    count = sum(len(group.record) for group in groups)
    raw_rate = count / min(raw.values())
    return {
        "bench": "intake",
        "rate": round(rate, 1),
        "unit": "durable answers/s",
        "p50_ms": round(load.p50_ms, 2),
        "p99_ms": round(load.p99_ms, 2),
        "max_ms": round(load.max_ms, 2),
        "raw_rate": round(raw_rate, 1),
        "raw_way": min(raw, key=lambda way: raw[way]),
        "ratio": round(rate / raw_rate, 3),
        "cpu_us": round(cpu / load.answers * 1e6, 1),
        "peak_mb": round(peak, 1),
        "connections": connections,
        "processes": processes,
        "body_bytes": load.body_bytes,
        "seconds": round(load.seconds, 2),
        "count": load.answers,
        "group_mean": round(count / len(groups), 1),
        **settings,
    }


def _loaded(
    url: str, seconds: float, connections: int, processes: int, progress: Tell
) -> tuple[Load, float, float]:
    """The load's own result, CPU seconds of the servers in the timed part, their peak in MB."""
    with listen("127.0.0.1", 0) as listener:
        port, number = listener.getsockname()[1], listener.fileno()
        environment = {**os.environ, URL_VARIABLE: url}
        servers = [
            module(
                "app.bench.intake_server", str(number), environment=environment, passed=(number,)
            )
            for _ in range(processes)
        ]
        most = min(int(seconds * RATE_MOST), REQUESTS_MOST)
        progress(f"building {most} signed orders")
        generator = module(
            "app.bench.intake_load", str(port), str(connections), str(seconds), str(most)
        )
        with ended([*servers, generator]):
            expect(generator, "ready")
            progress(f"{connections} connections for {seconds:.0f} s")
            say(generator, "begin")
            expect(generator, "go")
            before = sum(cpu_seconds(server.pid) for server in servers)
            load = msgspec.json.decode(line(generator), type=Load)
            cpu = sum(cpu_seconds(server.pid) for server in servers) - before
            peak = max(peak_mb(server.pid) for server in servers)
    return load, cpu, peak


def _agree(connection: Connection, load: Load) -> None:
    """Every 200 stands in the tables, once, and nothing else does."""
    if load.others:
        raise AssertionError(f"{load.others} requests were not answered with 200")
    for table in ("message", "delivery", "record"):
        row = connection.execute(f"select count(*) from {table}").fetchone()  # noqa: S608 - ours
        if row is None or row[0] != load.acknowledged:
            raise AssertionError(f"{load.acknowledged} answers, but {table} has {row}")
    connection.rollback()


def _raw(
    connection: Connection, groups: list[intake_raw.Group], progress: Tell
) -> dict[str, float]:
    """Seconds of the raw writes by way, each from empty tables."""
    clock = SystemClock()
    found = {}
    for way, write in (
        ("copy", intake_raw.write_by_copy),
        ("unnest", intake_raw.write_by_unnest),
    ):
        progress(f"raw writes by {way}")
        intake_raw.clear(connection)
        found[way] = write(connection, groups, clock)
    return found
