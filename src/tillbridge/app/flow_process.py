"""The flow in processes of their own: one core each, sharing the lanes.

    python -m tillbridge.app.flow_process WORKSPACE NUMBER COUNT MEMORY

The database's address comes in the environment, because it holds a password. A flow process
prefers its share of the lanes and takes others' only when it is idle, so one that hangs or dies
stops nobody's lanes for longer than the server's time-outs. It leaves with its parent.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import psycopg
import structlog

from tillbridge.app.hub import Hub
from tillbridge.app.logs import log_to
from tillbridge.app.runner import Pace
from tillbridge.app.settings import load_workspace
from tillbridge.app.suspects import Suspects
from tillbridge.durable import log
from tillbridge.durable.postgres.cluster import dies_with_parent

URL_VARIABLE = "TILLBRIDGE_FLOW_URL"
REST_SECONDS = 1.0
AWAY_SECONDS = 1.0
_log = structlog.get_logger("flow")


def share_of(number: int, count: int) -> tuple[int, ...]:
    """The lanes the `number`-th of `count` flow processes prefers."""
    return tuple(lane for lane in log.ALL_LANES if lane % count == number)


def carry(
    hub: Hub,
    share: tuple[int, ...],
    stopping: Callable[[], bool],
    suspects: Suspects | None = None,
) -> None:
    """Run the flow on one connection until told to stop; raises psycopg.Error when it is away.

    suspects: where a process of its own remembers what it carries.
    """
    with hub.connect(worker=True) as connection, hub.connect() as ears:
        ears.autocommit = True
        ears.execute("listen log")
        own = hub.runner(connection, Pace(lanes=share), suspects)
        others = hub.runner(connection, Pace(), suspects)
        while not stopping():
            if own.run_once().idle and others.run_once().idle:
                for _ in ears.notifies(timeout=REST_SECONDS, stop_after=1):
                    pass


class FlowProcesses:
    """The flow processes beside this one; a dead one is started again by `look`. Start and look in
    the main thread: they leave when the thread that made them ends.
    """

    def __init__(self, workspace: Path, url: str, count: int) -> None:
        """count: how many; they share the lanes evenly."""
        self._workspace = workspace
        self._environment = {**os.environ, URL_VARIABLE: url}
        self._count = count
        self._bind = dies_with_parent(signal.SIGTERM)
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._memories = [tempfile.TemporaryFile() for _ in range(count)]  # noqa: SIM115 - see stop

    @property
    def pids(self) -> list[int]:
        """Process ids."""
        return [process.pid for process in self._running.values()]

    def start(self) -> None:
        """Start all of them."""
        for number in range(self._count):
            self._start(number)

    def look(self) -> None:
        """Start again what has died."""
        for number, process in list(self._running.items()):
            if process.poll() is not None:
                _log.warning("flow_process_died", number=number, code=process.returncode)
                self._start(number)

    def stop(self) -> None:
        """Let each end after its transaction, and wait for them."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
        self._running.clear()
        for memory in self._memories:
            memory.close()

    def _start(self, number: int) -> None:
        module = "tillbridge.app.flow_process"
        memory = self._memories[number].fileno()
        numbers = [str(number), str(self._count), str(memory)]
        self._running[number] = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", module, str(self._workspace), *numbers],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            pass_fds=[memory],
            preexec_fn=self._bind,  # noqa: PLW1509 - one system call, made for this
        )


def main(arguments: list[str]) -> None:
    """Run until SIGTERM or until the parent is gone."""
    stopped = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log_to(sys.stderr)
    workspace, number, count, memory = arguments
    hub = Hub(load_workspace(Path(workspace)), os.environ[URL_VARIABLE])
    share = share_of(int(number), int(count))
    suspects = Suspects(int(memory))
    while not stopped:
        try:
            carry(hub, share, lambda: stopped, suspects)
        except psycopg.OperationalError as problem:
            _log.warning("store_away", why=str(problem).strip()[:200])
        except Exception:  # noqa: BLE001 - a defect is told, and the flow goes on
            _log.exception("flow_failed")
        if not stopped:
            hub.clock.sleep(AWAY_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
