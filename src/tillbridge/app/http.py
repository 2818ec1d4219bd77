"""The one ASGI application: /in/* to intake, health, metrics, and mounts for what comes later.

/health/live    the process answers
/health/ready   the database answers and has the schema; 503 with the reason otherwise
/metrics        Prometheus text: this process's intake counters, gauges read from the tables
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import psycopg
import structlog
import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tillbridge.app import registry
from tillbridge.app.http_guard import GuardedProtocol
from tillbridge.app.live_secrets import LOOK_SECONDS
from tillbridge.app.settings import Workspace
from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.durable.postgres.cluster import dies_with_parent
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connection_arguments
from tillbridge.inbox.answers import (
    Answer,
    Application,
    Receive,
    Scope,
    Send,
    answer,
    problem,
)
from tillbridge.inbox.group_commit import IntakeWriter
from tillbridge.inbox.webhooks import PREFIX, IntakeConnection, Webhooks
from tillbridge.watch import metrics

WEBHOOK_SECRET = "webhook"  # noqa: S105 - the secret's name in the workspace, not its value
PROBE_SECONDS = 2
FIRST_PORT, LAST_PORT = 20_000, 32_000
"""Where a free port is looked for: below the ephemeral ones, so that no call out holds it."""
KEEP_ALIVE_SECONDS = 75
CONNECTIONS_MOST = 4_000
SWITCH_SECONDS = 0.001
"""The writer thread wakes up several times per group; with the interpreter's default of 5 ms the
event loop would let it wait that long each time, and every sender with it.
"""


class Part(Protocol):
    """Something that works beside the answers of one process."""

    def start(self) -> None:
        """Begin, before the first request."""

    def stop(self) -> None:
        """Finish what is under way and end."""


Look = Callable[[Mapping[str, IntakeConnection]], Mapping[str, IntakeConnection] | None]

_LIVE = answer(200, b'{"live":true}')
_READY = answer(200, b'{"ready":true}')
_NOWHERE = problem(404, "There is nothing at this address.")
_ONLY_GET = problem(405, "This address is only read.", ((b"allow", b"GET, HEAD"),))

_log = structlog.get_logger("http")


class Site:
    """The ASGI application. mounts: path prefix -> application, asked in the order given."""

    def __init__(
        self,
        url: str,
        connections: Mapping[str, IntakeConnection],
        *,
        writer: IntakeWriter | None = None,
        mounts: Mapping[str, Application] | None = None,
        business: Callable[[Connection], str] = metrics.collect,
        clock: Clock | None = None,
        look: Look | None = None,
        parts: Sequence[Part] = (),
    ) -> None:
        """look: what to ask now and then for connections with other secrets. parts: started and
        stopped with the process.
        """
        self._parts = parts
        self._look = look
        clock = clock or SystemClock()
        self.writer = writer or IntakeWriter(url, clock=clock)
        self.webhooks = Webhooks(connections, self.writer, clock=clock)
        self._mounts = tuple((mounts or {}).items())
        self._store = _Store(url, clock)
        self._business = business

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or the server's own start and stop."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        path: str = scope["path"]
        if path.startswith(PREFIX):
            await self.webhooks(scope, receive, send)
            return
        for prefix, application in self._mounts:
            if path == prefix or path.startswith(f"{prefix}/"):
                await application(scope, receive, send)
                return
        told = await self._told(path, scope["method"])
        await told.send(send)

    async def _told(self, path: str, method: str) -> Answer:
        if path not in ("/health/live", "/health/ready", "/metrics"):
            return _NOWHERE
        if method not in ("GET", "HEAD"):
            return _ONLY_GET
        if path == "/health/live":
            return _LIVE
        if path == "/metrics":
            text = await asyncio.to_thread(self._metrics)
            return answer(200, text.encode(), b"text/plain; version=0.0.4; charset=utf-8")
        reason = await asyncio.to_thread(self._store.trouble)
        return problem(503, reason, ((b"retry-after", b"5"),)) if reason else _READY

    async def _keep_looking(self) -> None:
        """Take over secrets that changed, until the end."""
        while self._look is not None:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                changed = await asyncio.to_thread(self._look, self.webhooks.connections)
            except Exception:  # noqa: BLE001 - what runs goes on with the secrets it has
                _log.exception("secrets_defect")
                continue
            if changed is not None:
                self.webhooks.connections = changed

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        looking: asyncio.Task[None] | None = None
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                for part in (self.writer, *self._parts):
                    part.start()
                looking = asyncio.create_task(self._keep_looking())
                await send({"type": "lifespan.startup.complete"})
            else:
                if looking is not None:
                    looking.cancel()
                for part in (*self._parts, self.writer):
                    await asyncio.to_thread(part.stop)
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _metrics(self) -> str:
        """Counters of this process, then the gauges of the tables when the store is there."""
        own = CollectorRegistry()
        try:
            gauges = self._store.read(self._business)
        except psycopg.Error:
            gauges = None
        own.register(_Counters(self, up=gauges is not None))
        return generate_latest(own).decode() + (gauges or "")


class _Counters:
    """What this process counted, as Prometheus families."""

    def __init__(self, site: Site, *, up: bool) -> None:
        self._site = site
        self._up = up

    def collect(self) -> list[Metric]:
        """The families."""
        intake = CounterMetricFamily(
            "tillbridge_intake_deliveries",
            "Webhook deliveries by connection and outcome.",
            labels=("connection", "outcome"),
        )
        for labels, count in sorted(self._site.webhooks.counts.values.items()):
            intake.add_metric(labels, count)
        groups = CounterMetricFamily("tillbridge_intake_groups", "Group commits.")
        groups.add_metric((), self._site.writer.batches)
        up = GaugeMetricFamily("tillbridge_store_up", "Whether the database answers.")
        up.add_metric((), float(self._up))
        return [intake, groups, up]


class _Store:
    """Looks at the database for health and metrics, a short-lived connection each."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._told: tuple[float, str] = (float("-inf"), "")

    def read(self, question: Callable[[Connection], str]) -> str:
        """An answer out of the database; raises psycopg.Error when it is away."""
        arguments = connection_arguments(
            self._url, name="tillbridge health", statement_timeout_ms=PROBE_SECONDS * 1000
        ) | {"connect_timeout": PROBE_SECONDS}
        with psycopg.connect(self._url, **arguments) as connection:  # type: ignore[arg-type]
            return question(connection)

    def trouble(self) -> str:
        """Why the store cannot be used, "" when it can; looked up at most once a second."""
        at, words = self._told
        if self._clock.monotonic() - at < 1.0:
            return words
        try:
            words = self.read(_schema_trouble)
        except psycopg.Error as away:
            words = f"The database is away ({type(away).__name__})."
        self._told = (self._clock.monotonic(), words)
        return words


def _schema_trouble(connection: Connection) -> str:
    row = connection.execute("select to_regclass('public.record') is not null").fetchone()
    return "" if row and row[0] else "The database has no schema yet."


def intake_connections(workspace: Workspace) -> dict[str, IntakeConnection]:
    """Every connection of a workspace as intake sees it; webhooks are signed with `webhook`."""
    return {
        name: IntakeConnection(
            name=name,
            connector=registry.connector(settings.connector),
            secrets=workspace.secrets(name).get(WEBHOOK_SECRET, ()),
            body_max=settings.body_max,
        )
        for name, settings in workspace.settings.connection.items()
    }


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one of ours. Raises OSError when taken."""
    if port:
        return _bound(host, port)
    span = LAST_PORT - FIRST_PORT
    begin = os.getpid() * 13 % span
    for step in range(span):
        try:
            return _bound(host, FIRST_PORT + (begin + step) % span)
        except OSError:
            continue
    raise OSError(f"no free port between {FIRST_PORT} and {LAST_PORT}")


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def serve(
    url: str,
    connections: Mapping[str, IntakeConnection],
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    processes: int = 1,
    mounts: Mapping[str, Application] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; what was taken in is answered before the end."""
    serve_on(listen(host, port), url, connections, processes=processes, mounts=mounts)


def serve_on(
    listener: socket.socket,
    url: str,
    connections: Mapping[str, IntakeConnection],
    *,
    processes: int = 1,
    mounts: Mapping[str, Application] | None = None,
    look: Look | None = None,
    writer: IntakeWriter | None = None,
    parts: Sequence[Part] = (),
) -> None:
    """As `serve`, on a socket that listens already. Further processes leave with this one."""

    def run() -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.freeze()  # what was imported stays; else the collector walks it under every crowd
        site = Site(url, connections, writer=writer, mounts=mounts, look=look, parts=parts)
        _run(site, listener)

    forked = multiprocessing.get_context("fork")
    bind = dies_with_parent(signal.SIGTERM)

    def run_beside() -> None:
        bind()
        run()

    for _ in range(processes - 1):
        forked.Process(target=run_beside, daemon=True).start()
    run()


def _run(site: Site, listener: socket.socket) -> None:
    config = uvicorn.Config(
        site,
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
        limit_concurrency=CONNECTIONS_MOST,
    )
    uvicorn.Server(config).run(sockets=[listener])
