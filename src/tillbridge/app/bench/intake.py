"""`bench intake`: signed orders over loopback HTTP, answered only after their commit, beside the
raw database doing the same writes in the same groups.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tillbridge.app.bench import intake_raw
from tillbridge.app.bench.intake_load import Load
from tillbridge.app.bench.intake_server import URL_VARIABLE
from tillbridge.app.http import listen
from tillbridge.atoms.clock import SystemClock
from tillbridge.durable.retention import make_partitions
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect

RATE_MOST = 12_000
"""Requests built per second of the timed part; a faster hub would run out of them."""
REQUESTS_MOST = 250_000
RAW_MOST = 20_000
WAL_MB_PER_SECOND, WAL_MB_MOST = 60, 900
PROVEN = ("fsync", "synchronous_commit", "full_page_writes")
Tell = Callable[[str], None]
Child = subprocess.Popen[str]


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
        settings = _proven(connection)
        make_partitions(connection)
        connection.commit()
        progress("letting the server settle")
        _settle(connection, int(seconds))
        load, cpu_seconds, peak_mb = _loaded(
            database_url, seconds, connections, processes, progress
        )
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
        "cpu_us": round(cpu_seconds / load.answers * 1e6, 1),
        "peak_mb": round(peak_mb, 1),
        "connections": connections,
        "processes": processes,
        "body_bytes": load.body_bytes,
        "seconds": round(load.seconds, 2),
        "count": load.answers,
        "group_mean": round(count / len(groups), 1),
        **settings,
    }


def _proven(connection: Connection) -> dict[str, Any]:
    found = {}
    for name in PROVEN:
        row = connection.execute("select current_setting(%b)", (name,)).fetchone()
        found[name] = row[0] if row else ""
        if found[name] != "on":
            raise AssertionError(f"{name} is {found[name]}: these answers would not be durable")
    connection.rollback()
    return found


def _settle(connection: Connection, seconds: int) -> None:
    """Write and recycle as much write-ahead log as the timed part will need.

    A server that has just been made must first create each 16 MB of its log, 50 ms a time; one
    that has run for an hour takes old ones. The raw side comes after and finds them as well.
    """
    megabytes = min(WAL_MB_PER_SECOND * seconds, WAL_MB_MOST)
    connection.autocommit = True
    for _ in range(megabytes):
        connection.execute("select pg_logical_emit_message(false, 'bench', repeat('x', 1048576))")
    connection.execute("checkpoint")
    connection.autocommit = False


def _loaded(
    url: str, seconds: float, connections: int, processes: int, progress: Tell
) -> tuple[Load, float, float]:
    """The load's own result, CPU seconds of the servers in the timed part, their peak in MB."""
    with listen("127.0.0.1", 0) as listener:
        port, number = listener.getsockname()[1], listener.fileno()
        environment = {**os.environ, URL_VARIABLE: url}
        servers = [
            _module("intake_server", str(number), environment=environment, passed=(number,))
            for _ in range(processes)
        ]
        most = min(int(seconds * RATE_MOST), REQUESTS_MOST)
        progress(f"building {most} signed orders")
        generator = _module("intake_load", str(port), str(connections), str(seconds), str(most))
        with _ended([*servers, generator]):
            _expect(generator, "ready")
            progress(f"{connections} connections for {seconds:.0f} s")
            _say(generator, "begin")
            _expect(generator, "go")
            before = sum(_cpu_seconds(server.pid) for server in servers)
            load = msgspec.json.decode(_line(generator), type=Load)
            cpu = sum(_cpu_seconds(server.pid) for server in servers) - before
            peak = max(_peak_mb(server.pid) for server in servers)
    return load, cpu, peak


def _module(
    name: str,
    *arguments: str,
    environment: dict[str, str] | None = None,
    passed: tuple[int, ...] = (),
) -> Child:
    return subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
        [sys.executable, "-m", f"tillbridge.app.bench.{name}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        pass_fds=passed,
    )


@contextmanager
def _ended(children: list[Child]) -> Iterator[None]:
    try:
        yield
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.communicate(timeout=30)


def _say(child: Child, word: str) -> None:
    if child.stdin is not None:
        child.stdin.write(f"{word}\n")
        child.stdin.flush()


def _line(child: Child) -> str:
    line = child.stdout.readline() if child.stdout is not None else ""
    if not line:
        raise AssertionError("the load generator ended before its time; its words stand above")
    return line.strip()


def _expect(child: Child, word: str) -> None:
    found = _line(child)
    if found != word:
        raise AssertionError(f"the load generator said {found!r} instead of {word!r}")


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


def _cpu_seconds(pid: int) -> float:
    """User and system seconds of a process so far (proc(5)); 0 where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    """Largest resident size of a process so far; 0 where there is no /proc."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = (line.split() for line in text.splitlines() if line.startswith("VmHWM:"))
    return next((int(words[1]) / 1024 for words in lines), 0.0)
