"""Latency of the flow at a steady rate: from the message's commit to the queued job's commit."""

from __future__ import annotations

import threading
import time

from tillbridge.app.bench.retail import arrivals, order_ids, store
from tillbridge.app.hub import Hub
from tillbridge.connectors.sandbox.order_bodies import order_bodies

LINES = 4
PATIENCE_SECONDS = 10.0
# job ids do not come in the order of their commits: two processes draw them side by side
LATE_IDS = 2_000


def latency_at(hub: Hub, rate: int, seconds: float) -> tuple[float, float]:
    """p50 and p99 in ms over `seconds` of `rate` orders/s; the flow runs elsewhere."""
    count = int(rate * seconds)
    stop = threading.Event()
    done: dict[str, float] = {}
    watching = threading.Thread(target=_watch_jobs, args=(hub, stop, done))
    watching.start()
    time.sleep(0.5)
    stored = _offer(hub, rate, count)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(done.keys() & stored.keys()) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    watching.join()
    times = sorted((done[key] - at) * 1000 for key, at in stored.items() if key in done)
    if len(times) < count:
        raise AssertionError(f"{count - len(times)} of {count} orders never became a job")
    return round(times[len(times) // 2], 1), round(times[int(len(times) * 0.99)], 1)


def _offer(hub: Hub, rate: int, count: int) -> dict[str, float]:
    """Store orders at the rate; the instant of each one's commit by key."""
    stored: dict[str, float] = {}
    bodies = list(order_bodies(count, lines=LINES, seed=1000 + rate))
    rows = arrivals(bodies, order_ids(bodies), hub.clock.now())
    step = max(1, rate // 100)
    with hub.connect() as connection:
        began = time.monotonic()
        for start in range(0, count, step):
            wait = began + start / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            part = rows[start : start + step]
            store(connection, part)
            now = time.monotonic()
            stored.update((row.key, now) for row in part)
    return stored


def _watch_jobs(hub: Hub, stop: threading.Event, done: dict[str, float]) -> None:
    with hub.connect() as connection:
        connection.autocommit = True
        connection.execute("listen jobs")
        row = connection.execute("select coalesce(max(id), 0) from job").fetchone()
        last = int(row[0]) if row else 0
        while not stop.is_set():
            if not list(connection.notifies(timeout=0.2, stop_after=1)):
                continue
            now = time.monotonic()
            rows = connection.execute(
                "select id, key from job where id > %b", (last - LATE_IDS,)
            ).fetchall()
            for number, key in rows:
                done.setdefault(key, now)
                last = max(last, number)
