"""`tillbridge up`: all roles in one process tree.

The HTTP role is a process of its own, forked before any thread is made, and leaves with this one
even when this one is killed, and so do the flow's processes; delivery, files, polls and schedules
are threads here.
"""

from __future__ import annotations

import multiprocessing
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import FrameType

from tillbridge.app.beside import services_beside
from tillbridge.app.flow_process import FlowProcesses
from tillbridge.app.http import intake_connections, listen, serve_on
from tillbridge.app.hub import Hub
from tillbridge.app.worker import Worker
from tillbridge.durable.postgres.cluster import dies_with_parent


class HttpProcess:
    """The HTTP role beside this process. Start it before threads."""

    def __init__(self, hub: Hub, host: str, port: int) -> None:
        """Binds at once, so that a taken port is told before anything runs (OSError)."""
        self._url = hub.url
        self._connections = intake_connections(hub.workspace)
        self._listener: socket.socket = listen(host, port)
        name = self._listener.getsockname()
        self.address = f"http://{name[0]}:{name[1]}"
        bind = dies_with_parent(signal.SIGTERM)

        def serve() -> None:
            bind()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the server puts its own in place
            serve_on(self._listener, self._url, self._connections)

        self._process = multiprocessing.get_context("fork").Process(target=serve, daemon=True)

    def start(self) -> str:
        """Begin to answer; gives the address."""
        self._process.start()
        self._listener.close()
        return self.address

    def stop(self) -> None:
        """Answer what was taken in, then end."""
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(timeout=15)


def run(
    hub: Hub,
    *,
    roles: Sequence[str],
    port: int | None,
    tell: Callable[[str], None],
    beside: bool = False,
) -> None:
    """Run roles until SIGINT or SIGTERM; every thread ends after its transaction.

    beside: also run the workspace's own ERPs, after the HTTP role has been forked.
    """
    settings = hub.workspace.settings.hub
    site = None
    if "api" in roles:
        site = HttpProcess(hub, settings.host, settings.port if port is None else port)
        tell(f"listening on {site.start()} (webhooks at /in/CONNECTION)")
    with ExitStack() as stack:
        if beside:
            services = services_beside(hub.workspace, hub.url, run=True, tell=tell)
            hub = hub.reaching(stack.enter_context(services))
        flows = FlowProcesses(hub.workspace.folder, hub.url, max(1, settings.flow_processes))
        worker = Worker(hub, flow=False)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            worker.ask_to_stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        if "worker" in roles:
            flows.start()
            worker.start()
            tell("flow, delivery, drop folders, polls and schedules are running")
        worker.wait(flows.look)
        tell("stopping")
        flows.stop()
        if site is not None:
            site.stop()
        worker.stop()
