"""A workspace with the embedded server in it, looked at and used from other processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tillbridge.durable.postgres import lease
from tillbridge.durable.postgres.folder import Folder

SOURCE = str(Path(lease.__file__).resolve().parents[3])


class Bench:
    """A workspace with the embedded server in it, and commands that use it from outside."""

    def __init__(
        self,
        workspace: Path,
        *,
        path: Sequence[str] = (SOURCE,),
        python: str = sys.executable,
        user: int | None = None,
    ) -> None:
        self.workspace = workspace
        self._path = os.pathsep.join(path)
        self._python = python
        self._user = user
        self.folder = Folder.of(workspace)
        self._commands: list[subprocess.Popen[str]] = []

    def command(self, body: str) -> subprocess.Popen[str]:
        """Another process; `postgres` and `workspace` are there for its body to use."""
        program = (
            "import sys, time, os, psycopg\n"
            "from tillbridge.durable import postgres\n"
            f"workspace = {str(self.workspace)!r}\n"
            f"{body}\n"
        )
        child = subprocess.Popen(
            [self._python, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env=os.environ | {"PYTHONPATH": self._path, "PYTHONDONTWRITEBYTECODE": "1"},
            user=self._user,
        )
        self._commands.append(child)
        return child

    def holder(self) -> subprocess.Popen[str]:
        """A process that uses the server until its standard input is closed or it is killed."""
        child = self.command(
            "with postgres.database(workspace) as url:\n"
            "    print(url, flush=True)\n"
            "    sys.stdin.read()\n"
        )
        assert child.stdout is not None
        self.url = child.stdout.readline().strip()
        assert self.url, child.communicate()[1]
        return child

    def log(self) -> str:
        """The server's log."""
        return self.folder.server_log.read_text()

    def data(self) -> Path:
        """The cluster's folder."""
        record = self.folder.read_record()
        assert record is not None
        return self.folder.data(record)

    def processes(self) -> list[int]:
        """Server processes that live in the data folder."""
        here = self.data().stat()
        found = []
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    if os.path.samestat((process / "cwd").stat(), here):
                        found.append(int(process.name))
                except OSError:
                    continue
        return found

    def clean(self) -> None:
        """End what the test left."""
        for child in self._commands:
            if child.poll() is None:
                child.kill()
            child.communicate()
        if self.folder.root.exists():
            lease.stop(self.workspace)
            outside = self.data().parent
            if outside != self.folder.root:
                shutil.rmtree(outside, ignore_errors=True)


def wait_until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for something to become true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
