"""The HTTP role in processes of its own, on a socket that outlives them.

    python -m tillbridge.app.http_process WORKSPACE LISTENER

The listener stays open in the parent: while a dead HTTP process is started again, requests wait in
the kernel's queue instead of being turned away. The database's address comes in the environment,
because it holds a password. The process leaves with its parent.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import structlog

from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import PREFIX
from tillbridge.app.channel_policies import policies_of
from tillbridge.app.http import intake_connections, listen, serve_on
from tillbridge.app.live_secrets import LiveSecrets
from tillbridge.app.logs import log_to
from tillbridge.app.settings import load_workspace
from tillbridge.durable.postgres.cluster import dies_with_parent
from tillbridge.inbox.group_commit import IntakeWriter

URL_VARIABLE = "TILLBRIDGE_HTTP_URL"
STOP_SECONDS = 15.0
_log = structlog.get_logger("http")


class HttpProcesses:
    """The HTTP role beside this process; a dead one is started again by `look`. Start and look in
    the main thread: they leave when the thread that made them ends.
    """

    def __init__(
        self,
        workspace: Path,
        url: str,
        host: str,
        port: int,
        *,
        count: int = 1,
        log: TextIO | None = None,
    ) -> None:
        """Binds at once, so that a taken port is told before anything runs (OSError). count: how
        many share the port. log: where their lines go instead of standard error.
        """
        self._log = log
        self._workspace = workspace
        self._environment = {**os.environ, URL_VARIABLE: url}
        self._listener: socket.socket = listen(host, port)
        name = self._listener.getsockname()
        self.address = f"http://{name[0]}:{name[1]}"
        self._bind = dies_with_parent(signal.SIGTERM)
        self._count = count
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def pids(self) -> list[int]:
        """Process ids; none when they do not run."""
        return [process.pid for process in self._processes]

    def start(self) -> str:
        """Begin to answer; gives the address."""
        self._processes = [self._started() for _ in range(self._count)]
        return self.address

    def _started(self) -> subprocess.Popen[bytes]:
        number = self._listener.fileno()
        module = "tillbridge.app.http_process"
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", module, str(self._workspace), str(number)],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stderr=self._log,
            pass_fds=[number],
            preexec_fn=self._bind,  # noqa: PLW1509 - one system call, made for this
        )

    def look(self) -> None:
        """Start again what has died."""
        for place, process in enumerate(self._processes):
            if process.poll() is not None:
                _log.warning("http_process_died", code=process.returncode)
                self._processes[place] = self._started()

    def stop(self) -> None:
        """Answer what was taken in, then end."""
        self._listener.close()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes = []


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or until the parent is gone."""
    workspace, number = arguments
    serve_workspace(Path(workspace), int(number))


def serve_workspace(
    workspace: Path, number: int, exchange: Callable[[Resources], None] = lambda _: None
) -> None:
    """Serve a workspace on an inherited socket. exchange: what to use other parts for (a bench)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's: the parent stops us in order
    log_to(sys.stderr)
    live = LiveSecrets(workspace, intake_connections)
    loaded = load_workspace(workspace)
    connections = intake_connections(loaded)
    url = os.environ[URL_VARIABLE]
    writer = IntakeWriter(url)
    resources = Resources(url, loaded.settings, writer, policies=policies_of(loaded))
    exchange(resources)
    serve_on(
        socket.socket(fileno=number),
        url,
        connections,
        mounts={PREFIX: Api(resources)},
        look=live.look,
        writer=writer,
        parts=(resources,),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
