"""`bench flow`: paid 4-line orders from stored message to reserved stock, posted entries and a
queued ERP document, beside the raw database writing the same rows in the same batches.
"""

from __future__ import annotations

import cProfile
import io
import pstats
import resource
import threading
import time
from collections.abc import Callable
from typing import Any

from tillbridge.app.bench import raw
from tillbridge.app.bench.retail import arrivals, make_hub, store
from tillbridge.app.hub import Hub
from tillbridge.atoms.clock import SystemClock
from tillbridge.connectors.sandbox.order_bodies import order_bodies
from tillbridge.durable.rooms import Connection

LINES = 4
WARM = 500
Tell = Callable[[str], None]


def run(url: str, *, orders: int, profile: bool, progress: Tell) -> dict[str, Any]:
    """Measure; the result's keys are described in docs/operations.md."""
    hub = make_hub(url)
    with hub.connect() as connection:
        settings = _durability(connection)
        progress(f"storing {orders} orders")
        _store(connection, orders, seed=1)
        hub_side = _drain(hub, connection, orders, progress, profile=profile)
        latency = {}
        for rate in (10, 500):
            progress(f"latency at {rate}/s")
            latency[rate] = _latency(hub, rate, seconds=8.0)
        raw_seconds = _raw(hub, connection, orders, progress, hub_side.pop("above"))
    rate = orders / hub_side["seconds"]
    raw_rate = orders / min(raw_seconds.values())
    return {
        "bench": "flow",
        "rate": round(rate, 1),
        "unit": "orders/s",
        "p50_ms": latency[500][0],
        "p99_ms": latency[500][1],
        "p50_ms_at_10": latency[10][0],
        "p99_ms_at_10": latency[10][1],
        "raw_rate": round(raw_rate, 1),
        "raw_way": min(raw_seconds, key=lambda way: raw_seconds[way]),
        "ratio": round(rate / raw_rate, 3),
        "cpu_us": round(hub_side["cpu"] / orders * 1e6, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "wal_bytes_per_order": round(hub_side["wal"] / orders),
        "orders": orders,
        "lines": LINES,
        "entries": hub_side["entries"],
        "documents": hub_side["documents"],
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
    ids = [f"bench-{seed}-{number}" for number in range(orders)]
    store(connection, arrivals(bodies, _order_ids(bodies, ids), SystemClock().now()))


def _order_ids(bodies: list[bytes], fallback: list[str]) -> list[str]:
    """The shop's order ids, as the key hint of intake finds them."""
    found = []
    for body, other in zip(bodies, fallback, strict=True):
        start = body.find(b'"id":')
        digits = body[start + 5 : start + 40].split(b",")[0].strip() if start >= 0 else b""
        found.append(digits.decode() if digits.isdigit() else other)
    return found


def _drain(
    hub: Hub, connection: Connection, orders: int, progress: Tell, *, profile: bool
) -> dict[str, Any]:
    """Carry everything stored; seconds and CPU seconds of this process."""
    connection.autocommit = True
    connection.execute("vacuum analyze")
    connection.execute("checkpoint")
    connection.autocommit = False
    above = _one(connection, "select coalesce(max(id), 0) from record")
    wal = _one(connection, "select pg_current_wal_lsn() - '0/0'::pg_lsn")
    connection.rollback()
    with hub.connect(worker=True) as working:
        runner = hub.runner(working)
        profiler = cProfile.Profile() if profile else None
        began, cpu = time.monotonic(), time.process_time()
        if profiler:
            profiler.enable()
        runner.drain()
        if profiler:
            profiler.disable()
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    if profiler:
        text = io.StringIO()
        pstats.Stats(profiler, stream=text).sort_stats("tottime").print_stats(25)
        progress(text.getvalue())
    entries = _one(connection, "select count(*) from entry")
    documents = _one(connection, "select count(*) from job")
    held = _one(connection, "select count(*) from reservation")
    written = _one(connection, "select pg_current_wal_lsn() - '0/0'::pg_lsn") - wal
    connection.rollback()
    if not entries == documents == orders or held < orders:
        raise AssertionError(f"{orders} orders gave {entries} entries and {documents} documents")
    return {
        "seconds": seconds,
        "cpu": cpu,
        "wal": int(written),
        "above": above,
        "entries": entries,
        "documents": documents,
    }


def _latency(hub: Hub, rate: int, seconds: float) -> tuple[float, float]:
    """p50 and p99 in ms from the message's commit to the queued job's commit, at a steady rate."""
    count = int(rate * seconds)
    stop = threading.Event()
    done: dict[str, float] = {}
    stored: dict[str, float] = {}
    threads = [
        threading.Thread(target=_carry, args=(hub, stop)),
        threading.Thread(target=_watch_jobs, args=(hub, stop, done)),
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    with hub.connect() as connection:
        bodies = list(order_bodies(count, lines=LINES, seed=1000 + rate))
        ids = _order_ids(bodies, [f"latency-{rate}-{n}" for n in range(count)])
        rows = arrivals(bodies, ids, hub.clock.now())
        step = max(1, rate // 100)
        began = time.monotonic()
        for start in range(0, count, step):
            wait = began + start / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            part = rows[start : start + step]
            store(connection, part)
            now = time.monotonic()
            stored.update((row.key, now) for row in part)
    deadline = time.monotonic() + 10
    while len(done.keys() & stored.keys()) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    times = sorted((done[key] - stored[key]) * 1000 for key in stored if key in done)
    if len(times) < count:
        raise AssertionError(f"{count - len(times)} of {count} orders never became a job")
    return round(times[len(times) // 2], 1), round(times[int(len(times) * 0.99)], 1)


def _carry(hub: Hub, stop: threading.Event) -> None:
    with hub.connect(worker=True) as connection, hub.connect() as ears:
        ears.autocommit = True
        ears.execute("listen log")
        runner = hub.runner(connection)
        while not stop.is_set():
            report = runner.run_once()
            if not report.taken:
                for _ in ears.notifies(timeout=0.2, stop_after=1):
                    pass


def _watch_jobs(hub: Hub, stop: threading.Event, done: dict[str, float]) -> None:
    with hub.connect() as connection:
        connection.autocommit = True
        connection.execute("listen jobs")
        last = _one(connection, "select coalesce(max(id), 0) from job")
        while not stop.is_set():
            if not list(connection.notifies(timeout=0.2, stop_after=1)):
                continue
            now = time.monotonic()
            rows = connection.execute(
                "select id, key from job where id > %b order by id", (last,)
            ).fetchall()
            for number, key in rows:
                done[key] = now
                last = number


def _raw(
    hub: Hub, connection: Connection, orders: int, progress: Tell, above: int
) -> dict[str, float]:
    """Seconds of the raw writes by way."""
    batches = raw.read_batches(connection, above)
    batches = _only_first(batches, orders)
    seconds = {}
    for way in ("copy", "unnest"):
        progress(f"raw writes by {way}")
        raw.clear(connection, above)
        seconds[way] = raw.write(connection, batches, copy=way == "copy", clock=hub.clock)
    return seconds


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
