"""The HTTP role in a process of its own, on a socket that outlives it.

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
from pathlib import Path
from typing import TextIO

import structlog

from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import PREFIX
from tillbridge.app.http import intake_connections, listen, serve_on
from tillbridge.app.live_secrets import LiveSecrets
from tillbridge.app.logs import log_to
from tillbridge.app.settings import load_workspace
from tillbridge.durable.postgres.cluster import dies_with_parent
from tillbridge.inbox.group_commit import IntakeWriter

URL_VARIABLE = "TILLBRIDGE_HTTP_URL"
STOP_SECONDS = 15.0
_log = structlog.get_logger("http")


class HttpProcess:
    """The HTTP role beside this process; a dead one is started again by `look`. Start and look in
    the main thread: it leaves when the thread that made it ends.
    """

    def __init__(
        self, workspace: Path, url: str, host: str, port: int, *, log: TextIO | None = None
    ) -> None:
        """Binds at once, so that a taken port is told before anything runs (OSError). log: where
        its lines go instead of standard error.
        """
        self._log = log
        self._workspace = workspace
        self._environment = {**os.environ, URL_VARIABLE: url}
        self._listener: socket.socket = listen(host, port)
        name = self._listener.getsockname()
        self.address = f"http://{name[0]}:{name[1]}"
        self._bind = dies_with_parent(signal.SIGTERM)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id; 0 when it does not run."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> str:
        """Begin to answer; gives the address."""
        number = self._listener.fileno()
        module = "tillbridge.app.http_process"
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", module, str(self._workspace), str(number)],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stderr=self._log,
            pass_fds=[number],
            preexec_fn=self._bind,  # noqa: PLW1509 - one system call, made for this
        )
        return self.address

    def look(self) -> None:
        """Start it again when it has died."""
        if self._process is not None and self._process.poll() is not None:
            _log.warning("http_process_died", code=self._process.returncode)
            self.start()

    def stop(self) -> None:
        """Answer what was taken in, then end."""
        self._listener.close()
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's: the parent stops us in order
    log_to(sys.stderr)
    workspace, number = arguments
    live = LiveSecrets(Path(workspace), intake_connections)
    loaded = load_workspace(Path(workspace))
    connections = intake_connections(loaded)
    url = os.environ[URL_VARIABLE]
    writer = IntakeWriter(url)
    resources = Resources(url, loaded.settings, writer)
    serve_on(
        socket.socket(fileno=int(number)),
        url,
        connections,
        mounts={PREFIX: Api(resources)},
        look=live.look,
        writer=writer,
        parts=(resources,),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
