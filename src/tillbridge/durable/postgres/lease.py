"""Use a workspace's server: join the running one, or start one that leaves with its last user.

Every user holds a shared lock for as long as it needs the server, so commands at the same time
share one server and none takes it away from another; a killed process loses its lock by itself.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tillbridge.durable.postgres.errors import PostgresError
from tillbridge.durable.postgres.folder import Folder, Lock, State, alive, log_tail

URL_VARIABLE = "TILLBRIDGE_DATABASE_URL"
POLL_SECONDS = 0.02
QUIET_SECONDS = 2.0
"""A wait shorter than this is not told to the user; a longer one every so often."""
STARTS_MOST = 5

Report = Callable[[str], None]
"""Takes one line about a wait."""


def on_standard_error(line: str) -> None:
    """The default report."""
    sys.stderr.write(f"tillbridge: {line}\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class Status:
    """What can be told about a workspace's server."""

    running: bool
    mode: str
    """`external`, `kept` (until db stop), `leased` (until the last user leaves) or `stopped`."""
    phase: str
    version: str
    origin: str
    """Where the programs come from."""
    port: int
    supervisor: int
    postmaster: int
    data: Path | None
    log: Path | None
    message: str
    """The last failure's words when stopped."""


class _Wait:
    """Tells of a long wait in regular lines; never ends one."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._began = time.monotonic()
        self._next = QUIET_SECONDS

    def pause(self, words: Callable[[], str]) -> None:
        time.sleep(POLL_SECONDS)
        passed = time.monotonic() - self._began
        if passed >= self._next:
            self._next = passed + QUIET_SECONDS
            self._report(f"{words()} ({passed:.0f} s)")


def external_url() -> str | None:
    """The server named by TILLBRIDGE_DATABASE_URL, which always wins."""
    return os.environ.get(URL_VARIABLE) or None


@contextmanager
def database(workspace: Path | str, *, report: Report = on_standard_error) -> Iterator[str]:
    """The address of the workspace's database, up for as long as the block runs.

    Raises PostgresError with words to act on. Slow recovery is waited for without limit and told
    line by line to `report`. A forked child that outlives the block keeps the server up.
    """
    named = external_url()
    if named is not None:
        yield named
        return
    folder = Folder.of(workspace)
    with leased(folder, report=report) as url:
        finish_restore(folder, url)
        yield url


@contextmanager
def leased(
    folder: Folder, *, keep: bool = False, report: Report = on_standard_error
) -> Iterator[str]:
    """Hold a lease and yield the address; `keep` makes the server outlive it."""
    folder.make()
    lease = Lock.at(folder, folder.lease_lock)
    try:
        wait = _Wait(report)
        while not lease.try_shared():
            wait.pause(lambda: "waiting until the former server is down")
        state = ensure(folder, keep=keep, wait=wait)
        record = folder.read_record()
        yield folder.url(state.port, record.database if record else "tillbridge")
    finally:
        lease.close()
        _see_it_down(folder)


def ensure(folder: Folder, *, keep: bool, wait: _Wait) -> State:
    """Return once a server accepts connections; connect first, start one only when none is there.

    Call with a lease held, so that a supervisor cannot go down meanwhile.
    """
    starts = 0
    while True:
        lock = Lock.at(folder, folder.supervisor_lock)
        try:
            if lock.try_exclusive():
                state = folder.read_state()
                if starts and state is not None and state.phase == "failed":
                    raise PostgresError(state.message)
                if starts >= STARTS_MOST:
                    raise PostgresError(_silent(folder))
                folder.forget_state()
                _spawn(folder, lock, keep=keep)
                starts += 1
        finally:
            lock.close()
        state = folder.read_state()
        if state is not None and state.phase == "ready" and alive(state.supervisor):
            if keep:  # only now: a supervisor that begins drops what an earlier one left
                folder.touch(folder.keep)
            if _answers(state.port):
                return state
        wait.pause(lambda: _words(folder))


def _silent(folder: Folder) -> str:
    return (
        f"The server's supervisor ended without a word; see {folder.supervisor_log}:\n"
        f"{log_tail(folder.supervisor_log, 8)}"
    )


def _words(folder: Folder) -> str:
    state = folder.read_state()
    if state is None:
        return "PostgreSQL: starting"
    line = log_tail(folder.server_log, 1) if state.phase == "recovering" else ""
    return f"PostgreSQL: {state.message or 'connecting'}{'; ' if line else ''}{line}"


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _spawn(folder: Folder, lock: Lock, *, keep: bool) -> None:
    """Start the supervisor and hand it the held lock; it detaches into a session of its own."""
    source = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    log = folder.open(folder.supervisor_log, os.O_WRONLY | os.O_APPEND)
    try:
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tillbridge.durable.postgres.supervisor",
                str(folder.root),
                str(lock.fileno()),
                *(["--keep"] if keep else []),
            ],
            pass_fds=[lock.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
            env=os.environ | {"PYTHONPATH": path},
        )
    finally:
        os.close(log)
    child.wait()


def _see_it_down(folder: Folder, seconds: float = 10.0) -> None:
    """After the last lease is gone, wait until the server is down, so that the next command (or
    whoever removes the folder) finds quiet. Others' leases or `keep` end the wait at once.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end and folder.root.exists() and not folder.keep.exists():
        if not supervised(folder):
            return
        lease = Lock.at(folder, folder.lease_lock)
        try:
            if not lease.try_exclusive() and lease.try_shared():
                return  # another client still uses it
        finally:
            lease.close()
        time.sleep(POLL_SECONDS)


def supervised(folder: Folder) -> bool:
    """True when a supervisor lives."""
    lock = Lock.at(folder, folder.supervisor_lock)
    try:
        return not lock.try_exclusive()
    finally:
        lock.close()


def start(workspace: Path | str, *, report: Report = on_standard_error) -> Status:
    """Leave a server running until `stop`; the same when one runs already."""
    if external_url() is not None:
        return status(workspace)
    folder = Folder.of(workspace)
    with leased(folder, keep=True, report=report) as url:
        finish_restore(folder, url)
    return status(workspace)


def stop(workspace: Path | str, *, report: Report = on_standard_error) -> bool:
    """Take the server down, its users' sessions too, and return when it is down.

    False when none ran. A server named by TILLBRIDGE_DATABASE_URL is not ours to stop.
    """
    if external_url() is not None:
        raise PostgresError(
            f"{URL_VARIABLE} names a server that tillbridge does not run; stop it "
            "with its own tools"
        )
    folder = Folder.of(workspace)
    if not folder.root.exists() or not supervised(folder):
        return False
    wait = _Wait(report)
    asked = 0
    while supervised(folder):
        state = folder.read_state()
        if asked and (not alive(asked) or (state is not None and state.supervisor != asked)):
            break  # it is down; a waiting command may have started another already
        if state is not None:
            asked = state.supervisor
        if not folder.stop.exists():  # a supervisor that begins drops what an earlier one left
            folder.touch(folder.stop)
        wait.pause(lambda: "waiting until the server is down")
    with contextlib.suppress(FileNotFoundError):
        folder.stop.unlink()
    return True


def status(workspace: Path | str) -> Status:
    """What is known about the workspace's server; starts nothing and makes no file."""
    if external_url() is not None:
        return Status(
            running=True,
            mode="external",
            phase="ready",
            version="",
            origin=URL_VARIABLE,
            port=0,
            supervisor=0,
            postmaster=0,
            data=None,
            log=None,
            message="",
        )
    folder = Folder.of(workspace)
    record = folder.read_record()
    state = folder.read_state() or State(phase="starting")
    running = folder.supervisor_lock.exists() and supervised(folder)
    mode = "stopped" if not running else "kept" if folder.keep.exists() else "leased"
    return Status(
        running=running and state.phase == "ready",
        mode=mode,
        phase=state.phase if running else "stopped",
        version=state.version,
        origin=state.origin,
        port=state.port if running else (record.port if record else 0),
        supervisor=state.supervisor if running else 0,
        postmaster=state.postmaster if running else 0,
        data=folder.data(record) if record else None,
        log=folder.server_log if folder.server_log.exists() else None,
        message=state.message,
    )


def finish_restore(folder: Folder, url: str) -> None:
    """Tell a restored cluster that it is one, before anybody works on it; else do nothing."""
    record = folder.read_record()
    if record is None or not record.hook_due:
        return
    from tillbridge.durable.postgres.retell import tell_restored  # noqa: PLC0415 - rare, heavy

    tell_restored(folder, url)
