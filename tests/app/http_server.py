"""A real server process for tests: `python -m tests.app.http_server <database url> [port]`."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.inbox.signed_shop import connections
from tillbridge.app.http import listen, serve_on

ROOT = Path(__file__).resolve().parents[2]


def start(url: str, *, processes: int = 1) -> tuple[subprocess.Popen[bytes], int]:
    """A server in a process of its own, listening already; gives it and its port."""
    with listen("127.0.0.1", 0) as listener:
        number = listener.fileno()
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.app.http_server", url, str(number), str(processes)],
            cwd=ROOT,
            pass_fds=[number],
        )
        return child, int(listener.getsockname()[1])


if __name__ == "__main__":
    serve_on(
        socket.socket(fileno=int(sys.argv[2])),
        sys.argv[1],
        connections(),
        processes=int(sys.argv[3]),
    )
