"""Processes kept alive as an init system keeps them, and found again by what they are."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tillbridge.durable.postgres.cluster import dies_with_parent

LOOK_SECONDS = 0.2
RESTART_SECONDS = 0.5


class Kept:
    """One command, started again whenever it ends until `stop`. Its output goes to a file."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.environment = dict(environment)
        self.starts = 0
        self._command = list(command)
        self._log = log
        self._wanted = True
        self._lock = threading.Lock()
        self._process = self._started()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    @property
    def pid(self) -> int:
        """The process id; of a dead process until it is started again."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        return self._process.poll() is None

    def stop(self, seconds: float = 40.0) -> int:
        """Ask it to end, wait, and start it no more; its exit code."""
        with self._lock:
            self._wanted = False
        wake(self.pid)
        self._process.terminate()
        try:
            return self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def restart(self, environment: Mapping[str, str]) -> None:
        """Kill it; it comes back with another environment."""
        self.environment = dict(environment)
        strike(self.pid, signal.SIGKILL)

    def _started(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one system call
            )

    def _keep(self) -> None:
        while self._wanted:
            time.sleep(LOOK_SECONDS)
            if self._process.poll() is not None:
                time.sleep(RESTART_SECONDS)
                with self._lock:
                    if self._wanted:
                        self._process = self._started()


def descendants(pid: int) -> dict[int, str]:
    """All processes below one, with their command lines."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
            parents.setdefault(parent, []).append(int(path.parent.name))
    found: dict[int, str] = {}
    todo = [pid]
    while todo:
        for child in parents.get(todo.pop(), []):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
                found[child] = words.decode(errors="replace")
                todo.append(child)
    return found


def strike(pid: int, number: signal.Signals) -> bool:
    """Send a signal; False when the process is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def wake(pid: int) -> None:
    """Let a stopped process and all below it go on."""
    for one in (pid, *descendants(pid)):
        strike(one, signal.SIGCONT)
