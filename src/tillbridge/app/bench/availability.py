"""`bench availability`: point reads per second over HTTP while reservations are written.

Every read asks for one of 10,000 products at one location; beside the readers a generator of its
own reserves 3 lines of the same products over 8 connections as fast as it can. The rows are
checked afterwards, as in `bench reserve`.
"""

from __future__ import annotations

from typing import Any

from tillbridge.app.bench.children import Tell
from tillbridge.app.bench.reserve import check, clear, fill
from tillbridge.app.bench.reserve_load import READS, WIDE
from tillbridge.app.bench.scratch import proven, settle
from tillbridge.app.bench.shop_door import shop_door
from tillbridge.durable.retention import make_partitions
from tillbridge.durable.session import connect


def run(
    url: str, *, seconds: float, connections: int, processes: int, progress: Tell = print
) -> dict[str, Any]:
    """Measure on a migrated, empty database; the keys are described in docs/operations.md.

    Raises AssertionError when a read failed, or rows and answers of the writers differ.
    """
    with connect(url, statement_timeout_ms=0) as connection:
        settings = proven(connection)
        make_partitions(connection)
        fill(connection, (WIDE,))
        progress("letting the server settle")
        settle(connection, int(seconds))
        clear(connection)
        with shop_door(url, processes=processes, connections=connections) as door:
            progress(f"{connections} readers beside writers for {seconds:.0f} s")
            told = door.play(READS, seconds, beside=WIDE)
        reads, writes = told.load, told.beside
        if writes is None or reads.others:
            raise AssertionError(f"{reads.others} reads were not answered with 200")
        check(connection, WIDE, writes)
    return {
        "bench": "availability",
        "rate": round(reads.answers / reads.seconds, 1),
        "p50_ms": round(reads.p50_ms, 2),
        "p99_ms": round(reads.p99_ms, 2),
        "max_ms": round(reads.max_ms, 2),
        "writes": round(writes.answers / writes.seconds, 1),
        "write_p99_ms": round(writes.p99_ms, 2),
        "cpu_us": round(told.cpu_seconds / (reads.answers + writes.answers) * 1e6, 1),
        "peak_mb": round(told.peak_mb, 1),
        "count": reads.answers,
        "connections": connections,
        "processes": processes,
        **settings,
    }
