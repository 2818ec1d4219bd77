"""The HTTP door of a bench: a workspace with a client, its HTTP process, and load against it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tillbridge.app.bench.children import (
    Child,
    cpu_seconds,
    ended,
    expect,
    line,
    module,
    peak_mb,
    say,
)
from tillbridge.app.bench.http_load import Load
from tillbridge.app.bench.reserve_load import KEY_VARIABLE, Shape
from tillbridge.app.bench.retail import CONNECTION as CHANNEL
from tillbridge.app.bench.retail import bench_hub
from tillbridge.app.http import listen
from tillbridge.app.http_process import URL_VARIABLE
from tillbridge.app.hub import Hub
from tillbridge.atoms.ids import SystemIds
from tillbridge.triage import operators
from tillbridge.triage.rights import CLIENT

RATE_MOST = 10_000
"""Requests built per second of the timed part; a faster hub would run out of them."""
REQUESTS_MOST = 150_000
KEY_RATE = 1_000_000
CLIENT_NAME = "load"
BESIDE_CONNECTIONS = 8


class Run(msgspec.Struct, frozen=True):
    """What the load saw, and what the server's processes used in the timed part."""

    load: Load
    cpu_seconds: float
    peak_mb: float
    beside: Load | None = None


class Door:
    """Starts a server for each run."""

    def __init__(
        self, workspace: Path, url: str, key: str, *, processes: int, connections: int
    ) -> None:
        self._workspace = workspace
        self._processes = processes
        self._connections = connections
        self._environment = {**os.environ, URL_VARIABLE: url, KEY_VARIABLE: key}
        self._runs = 0

    def play(
        self, shape: Shape, seconds: float, *, pool: int = 0, beside: Shape | None = None
    ) -> Run:
        """A server of its own, warmed up, then the timed part.

        pool: 0 = the product's HTTP process, else one transaction per request over so many
        connections. beside: other requests at the same time, from a generator of their own.
        """
        self._runs += 1
        with listen("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            number = listener.fileno()
            servers = [self._server(number, pool) for _ in range(self._processes)]
            loads = [self._load(port, shape, seconds, self._connections)]
            if beside is not None:
                loads.append(self._load(port, beside, seconds, BESIDE_CONNECTIONS))
            with ended([*servers, *loads]):
                return self._played([server.pid for server in servers], loads)

    def _played(self, pids: list[int], loads: list[Child]) -> Run:
        for load in loads:
            expect(load, "ready")
        for load in loads:
            say(load, "begin")
        for load in loads:
            expect(load, "go")
        before = sum(map(cpu_seconds, pids))
        told = [msgspec.json.decode(line(load), type=Load) for load in loads]
        used = sum(map(cpu_seconds, pids)) - before
        return Run(told[0], used, max(map(peak_mb, pids)), told[1] if len(told) > 1 else None)

    def _server(self, number: int, pool: int) -> Child:
        words = (str(self._workspace), str(number))
        name = "app.http_process" if not pool else "app.bench.one_by_one"
        more = (str(pool),) if pool else ()
        return module(name, *words, *more, environment=self._environment, passed=(number,))

    def _load(self, port: int, shape: Shape, seconds: float, connections: int) -> Child:
        most = min(int(seconds * RATE_MOST), REQUESTS_MOST)
        words = (str(port), str(connections), str(seconds), str(most), shape.key, str(self._runs))
        return module("app.bench.reserve_load", *words, environment=self._environment)


@contextmanager
def shop_door(url: str, *, processes: int, connections: int) -> Iterator[Door]:
    """A workspace over the database with a client whose key may ask as much as it likes."""
    with bench_hub(url) as hub:
        key = _client_key(hub)
        folder = hub.workspace.folder
        yield Door(folder, url, key, processes=processes, connections=connections)


def _client_key(hub: Hub) -> str:
    grant = operators.Grant(CLIENT_NAME, [CLIENT], channel=CHANNEL)
    scopes = ("availability:read", "reservations:write")
    now, ids = hub.clock.now(), SystemIds()
    with hub.connect() as connection:
        operators.of_account(connection, "bench", "bench")
        operators.put(connection, grant, "bench", "measured")
        terms = operators.KeyTerms(1, scopes, KEY_RATE)
        made = operators.make_key(connection, CLIENT_NAME, "bench", terms, now=now, ids=ids)
        connection.commit()
    return made
