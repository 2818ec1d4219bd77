"""`bench flow`: paid 4-line orders from stored message to reserved stock, posted entries and a
queued ERP document, beside the raw database writing the same rows in the same batches.
"""

from __future__ import annotations

import cProfile
import io
import os
import pstats
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tillbridge.app.bench import raw
from tillbridge.app.bench.flow_latency import latency_at
from tillbridge.app.bench.retail import arrivals, bench_hub, order_ids, store
from tillbridge.app.flow_process import FlowProcesses
from tillbridge.app.hub import Hub
from tillbridge.atoms.clock import SystemClock
from tillbridge.connectors.sandbox.order_bodies import order_bodies
from tillbridge.durable.rooms import Connection

LINES = 4
READY_SECONDS = 2.5
Tell = Callable[[str], None]


def run(
    url: str, *, orders: int, profile: bool, progress: Tell, processes: int = 2
) -> dict[str, Any]:
    """Measure; the result's keys are described in docs/operations.md.

    profile: carry the flow in this process and print the profile's top rows instead.
    """
    with bench_hub(url) as hub, hub.connect() as connection, ExitStack() as stack:
        settings = _durability(connection)
        progress(f"storing {orders} orders")
        _store(connection, orders, seed=1)
        _tidy(connection)
        above = _one(connection, "select coalesce(max(id), 0) from record")
        connection.rollback()
        if profile:
            _profiled(hub, progress)
            processes = 0
        flows = FlowProcesses(hub.workspace.folder, url, processes)
        stack.callback(flows.stop)
        side = _carried(hub, connection, flows, orders)
        latency = {}
        for rate in (10, 500):
            progress(f"latency at {rate}/s")
            latency[rate] = latency_at(hub, rate, seconds=8.0) if processes else (0.0, 0.0)
        side["peak_mb"] = round(sum(_peak_mb(pid) for pid in flows.pids), 1)
        flows.stop()
        raw_rates = _raw(hub, connection, orders, progress, above)
    rate = orders / side["seconds"]
    raw_rate = max(raw_rates.values())
    return {
        "bench": "flow",
        "rate": round(rate, 1),
        "unit": "orders/s",
        "p50_ms": latency[500][0],
        "p99_ms": latency[500][1],
        "p50_ms_at_10": latency[10][0],
        "p99_ms_at_10": latency[10][1],
        "raw_rate": round(raw_rate, 1),
        "raw_way": max(raw_rates, key=lambda way: raw_rates[way]),
        "raw_connections": 1,
        "ratio": round(rate / raw_rate, 3),
        "cpu_us": round(side["cpu"] / orders * 1e6, 1),
        "peak_mb": side["peak_mb"],
        "wal_bytes_per_order": round(side["wal"] / orders),
        "processes": processes,
        "orders": orders,
        "lines": LINES,
        "entries": orders,
        "documents": orders,
        **settings,
    }


def _durability(connection: Connection) -> dict[str, Any]:
    found = {}
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        row = connection.execute("select current_setting(%b)", (name,)).fetchone()
        found[name] = row[0] if row else ""
    connection.rollback()
    return found


def _store(connection: Connection, orders: int, seed: int) -> None:
    bodies = list(order_bodies(orders, lines=LINES, seed=seed))
    store(connection, arrivals(bodies, order_ids(bodies), SystemClock().now()))


def _tidy(connection: Connection) -> None:
    connection.autocommit = True
    connection.execute("vacuum analyze")
    connection.execute("checkpoint")
    connection.autocommit = False


def _profiled(hub: Hub, progress: Tell) -> None:
    """Carry everything here, under the profiler."""
    profiler = cProfile.Profile()
    with hub.connect(worker=True) as working:
        runner = hub.runner(working)
        profiler.enable()
        runner.drain()
        profiler.disable()
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).sort_stats("tottime").print_stats(30)
    progress(text.getvalue())


def _carried(hub: Hub, connection: Connection, flows: FlowProcesses, orders: int) -> dict[str, Any]:
    """Let the flow processes carry everything stored; seconds, their CPU seconds, WAL bytes.

    The cursors are held until the processes stand ready, so that their start is not timed.
    """
    with hub.connect() as gate:
        gate.execute("select 1 from cursor for update")
        flows.start()
        time.sleep(READY_SECONDS)
        wal = _one(connection, "select pg_current_wal_lsn() - '0/0'::pg_lsn")
        connection.rollback()
        cpu = sum(_cpu_seconds(pid) for pid in flows.pids)
        began = time.monotonic()
        gate.execute("notify log")
        gate.commit()
        deadline = began + 600
        while _one(connection, "select count(*) from job") < orders:
            connection.rollback()
            if time.monotonic() > deadline:
                raise AssertionError("the flow did not carry all orders within ten minutes")
            time.sleep(0.02)
        seconds = time.monotonic() - began
    connection.rollback()
    cpu = sum(_cpu_seconds(pid) for pid in flows.pids) - cpu
    written = _one(connection, "select pg_current_wal_lsn() - '0/0'::pg_lsn") - wal
    entries = _one(connection, "select count(*) from entry")
    held = _one(connection, "select count(distinct key) from reservation")
    connection.rollback()
    if not entries == held == orders:
        raise AssertionError(f"{orders} orders gave {entries} entries and {held} reservations")
    return {"seconds": seconds, "cpu": cpu, "wal": written}


def _cpu_seconds(pid: int) -> float:
    """CPU seconds of a process so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    """Highest resident size of a process."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _raw(
    hub: Hub, connection: Connection, orders: int, progress: Tell, above: int
) -> dict[str, float]:
    """Orders per second of the raw writes, by way."""
    batches = raw.read_batches(connection, above)
    batches = _only_first(batches, orders)
    rates = {}
    for way in ("copy", "unnest"):
        progress(f"raw writes by {way}")
        raw.clear(connection, above)
        seconds = raw.write(connection, batches, copy=way == "copy", clock=hub.clock)
        rates[way] = orders / seconds
    return rates


def _only_first(batches: list[raw.Batch], orders: int) -> list[raw.Batch]:
    """The batches of the drain, without those of the latency part: the largest, up to the count."""
    found: list[raw.Batch] = []
    seen = 0
    for batch in sorted(batches, key=lambda one: -len(one.rows.get("order_state", ()))):
        size = len(batch.rows.get("order_state", ()))
        if seen + size > orders:
            continue
        seen += size
        found.append(batch)
    if seen != orders:
        raise AssertionError(f"the raw side found {seen} of {orders} orders")
    return found


def _one(connection: Connection, query: Any) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
