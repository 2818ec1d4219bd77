"""`tillbridge up`: all roles in one process tree.

The HTTP role and the flow are processes of their own: they are started again when they die, and
leave with this one even when this one is killed; delivery, files, polls and schedules are threads
here.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import FrameType

from tillbridge.app.beside import services_beside
from tillbridge.app.flow_process import FlowProcesses
from tillbridge.app.http_process import HttpProcesses
from tillbridge.app.hub import Hub
from tillbridge.app.worker import Worker


def run(
    hub: Hub,
    *,
    roles: Sequence[str],
    port: int | None,
    tell: Callable[[str], None],
    beside: bool = False,
) -> None:
    """Run roles until SIGINT or SIGTERM; every thread ends after its transaction.

    beside: also run the workspace's own ERPs.
    """
    settings = hub.workspace.settings.hub
    site = None
    if "api" in roles:
        site = HttpProcesses(
            hub.workspace.folder,
            hub.url,
            settings.host,
            settings.port if port is None else port,
            count=settings.http_processes,
        )
        tell(f"listening on {site.start()} (webhooks at /in/CONNECTION)")
    for name in hub.workspace.plain_secrets():
        tell(f"secret {name} stands in a plain file (tillbridge secrets import seals it)")
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

        def look() -> None:
            flows.look()
            if site is not None:
                site.look()

        worker.wait(look)
        tell("stopping")
        flows.stop()
        if site is not None:
            site.stop()
        worker.stop()
