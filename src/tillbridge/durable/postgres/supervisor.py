"""The process that owns a workspace's server: it starts it, restarts it, and takes it down.

    python -m tillbridge.durable.postgres.supervisor <workspace>/postgres <lock descriptor> [--keep]

It is started by `lease` with the supervisor's lock already held. The server is its child and gets
SIGINT (fast, clean shutdown) from the kernel when this process dies in whatever way. It goes down
when the last client has let go of its lease (a client killed with SIGKILL lets go too), unless
the folder holds the file `keep`; and at once when it holds the file `stop`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import zlib
from pathlib import Path
from types import FrameType

from tillbridge.durable.postgres.account import (
    data_place,
    reachable_binaries,
    server_account,
)
from tillbridge.durable.postgres.binaries import find
from tillbridge.durable.postgres.cluster import Cluster
from tillbridge.durable.postgres.errors import PostgresError
from tillbridge.durable.postgres.folder import (
    Folder,
    Lock,
    Phase,
    Record,
    State,
    log_tail,
    rotate,
)

FIRST_PORT, LAST_PORT = 20000, 32000
"""Below the range from which kernels take the near end of outgoing connections."""
POLL_SECONDS = 0.1
START_POLL_SECONDS = 0.02
ORPHAN_PATIENCE_SECONDS = 5.0
RESTART_SECONDS_MOST = 10.0
FIRST_TRIES = 3
"""Starts before a server that was never ready is given up: a port may be lost to another."""


def port_is_free(port: int) -> bool:
    """True when a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_port(seed: str) -> int:
    """A free loopback port; the same workspace looks at the same ports in the same order."""
    span = LAST_PORT - FIRST_PORT
    start = zlib.crc32(seed.encode("utf-8", "surrogateescape"))
    for step in range(200):
        port = FIRST_PORT + (start + step * 37) % span
        if port_is_free(port):
            return port
    raise PostgresError(f"No free port on 127.0.0.1 between {FIRST_PORT} and {LAST_PORT}")


def open_cluster(folder: Folder, major: int | None = None) -> tuple[Cluster, Record]:
    """The workspace's cluster with programs and account that fit it, and its record.

    Chooses place and port on first use and keeps them; does not make the cluster. `major` asks
    for other programs than those the cluster was made with, to put another in its place.
    """
    record = folder.read_record()
    data = folder.data(record) if record else None
    if data is not None and not data.exists():
        data = None
    account = server_account(data)
    if record is None:
        place = data_place(folder.root, account)
        inside = place.is_relative_to(folder.root)
        record = Record(
            data=place.name if inside else str(place), port=choose_port(str(folder.root))
        )
        folder.write_record(record)
    data = folder.data(record)
    if not account.can_enter(data.parent):
        raise PostgresError(
            f"The account {account.name} can no longer enter {data.parent}, where this "
            "workspace's database lies; give that folder back its former place or mode"
        )
    told = data / "PG_VERSION"
    if major is None and told.exists():
        major = int(told.read_text())
    binaries = reachable_binaries(find(major), account)
    return Cluster(binaries, account, data), record


class Supervisor:
    """One server of one workspace, from the first start to the last client's leave."""

    def __init__(self, folder: Folder, lock: Lock) -> None:
        self._folder = folder
        self._lock = lock  # held as long as this process lives
        self._leases = Lock.at(folder, folder.lease_lock)
        self._state = State(phase="starting", supervisor=os.getpid())
        self._asked_to_stop = False
        self._alone = False
        self._was_ready = False
        self._untold = False
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Serve until asked to stop; a failure becomes the last state, for the clients to tell."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            self._say("starting", "looking for the programs")
            cluster, record = open_cluster(self._folder)
            self._state.version = cluster.binaries.version
            self._state.origin = cluster.binaries.origin
            if not cluster.exists():
                self._say("starting", "making a new database, once per workspace")
                cluster.create(self._folder.password())
            cluster.clear_drafts()
            self._await_orphans(cluster)
            self._serve(cluster, record)
        except (PostgresError, OSError) as error:
            self._say("failed", str(error))
        else:
            self._folder.forget_state()
        finally:
            self._stop_child()
            self._folder.keep.unlink(missing_ok=True)
            self._folder.stop.unlink(missing_ok=True)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop = True

    def _say(self, phase: Phase, message: str = "") -> None:
        """Tell the clients. Once the server was ready, words that cannot be written (the disk is
        full) are no reason to give it up; they are told as soon as they can be.
        """
        self._state.phase = phase
        self._state.message = message
        try:
            self._folder.write_state(self._state)
            self._untold = False
        except OSError:
            if not self._was_ready:
                raise
            self._untold = True

    def _wanted(self) -> bool:
        """False when the server has to go down. Once false it stays false, and no client can take
        a lease any more: the exclusive lock is kept until this process ends.
        """
        if self._asked_to_stop or self._folder.stop.exists():
            return False
        if self._alone:
            return False
        if self._folder.keep.exists() or not self._leases.try_exclusive():
            return True
        # `start` writes `keep` while it holds a lease, so it is seen here or was never asked for.
        if self._folder.keep.exists():
            self._leases.release()
            return True
        self._alone = True
        return False

    def _await_orphans(self, cluster: Cluster) -> None:
        """Wait until a server left by a killed supervisor is down; it was told so by the kernel."""
        began = time.monotonic()
        told = False
        while (found := cluster.servers()) and self._wanted():
            self._say("starting", "waiting until the former server is down")
            if not told and time.monotonic() - began > ORPHAN_PATIENCE_SECONDS:
                pid, _ = cluster.pid_file()
                if pid in found:
                    os.kill(pid, signal.SIGINT)
                told = True
            time.sleep(POLL_SECONDS)
        if not found:
            cluster.clear_stale_pid_file()

    def _serve(self, cluster: Cluster, record: Record) -> None:
        """Keep a server up while it is wanted. One that was ready and fell is started again, ever
        more slowly (a full disk may be given room); one that never comes up is an error.
        """
        pause = 0.2
        tries = 0
        while self._wanted():
            started = self._tried(cluster, record)
            if not self._wanted():
                return
            tries += 1
            if not self._was_ready and tries == FIRST_TRIES:
                raise PostgresError(
                    f"PostgreSQL did not start; its last words ({self._folder.server_log}):\n"
                    f"{log_tail(self._folder.server_log, 8)}"
                )
            pause = 0.2 if started else min(pause * 2, RESTART_SECONDS_MOST)
            self._say("starting", "the server fell; starting it again")
            self._sleep(pause)
            self._await_orphans(cluster)

    def _tried(self, cluster: Cluster, record: Record) -> bool:
        """Run a server to its end; false when it was never ready, or there was no room even for
        what is written before it starts.
        """
        try:
            if not port_is_free(record.port):
                record.port = choose_port(f"{self._folder.root}{os.getpid()}")
                self._folder.write_record(record)
            return self._run_once(cluster, record)
        except OSError:
            if not self._was_ready:
                raise
            return False

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._wanted():
            time.sleep(POLL_SECONDS)

    def _run_once(self, cluster: Cluster, record: Record) -> bool:
        """Run one server to its end, or until it is not wanted; true when it was ready."""
        rotate(self._folder.server_log)
        number = self._folder.open(self._folder.server_log, os.O_WRONLY | os.O_APPEND)
        with os.fdopen(number, "ab") as log:
            child = cluster.launch(record.port, log)
        self._child = child
        self._state.port = record.port
        self._state.postmaster = child.pid
        self._say("starting", "starting")
        began = time.monotonic()
        ready = False
        while child.poll() is None:
            if not self._wanted():
                self._stop_child()
                break
            if not ready and cluster.pid_file() == (child.pid, "ready"):
                ready = self._was_ready = True
                self._say("ready")
            elif not ready and self._state.phase == "starting" and time.monotonic() - began > 1.0:
                self._say("recovering", "recovering after an unclean end")
            elif self._untold:
                self._say(self._state.phase, self._state.message)
            time.sleep(POLL_SECONDS if ready else START_POLL_SECONDS)
        self._child = None
        return ready

    def _stop_child(self) -> None:
        """Fast shutdown: sessions are ended, a checkpoint is written; waits as long as it takes."""
        child = self._child
        if child is None or child.poll() is not None:
            return
        with contextlib.suppress(OSError):
            self._say("stopping")
        child.send_signal(signal.SIGINT)
        child.wait()


def main(arguments: list[str]) -> None:
    """Detach from the starting process and supervise."""
    folder = Folder(Path(arguments[0]))
    lock = Lock(int(arguments[1]))
    os.umask(0o077)
    if os.fork() != 0:
        os._exit(0)  # the starter reaps us; the supervisor belongs to nobody
    folder.stop.unlink(missing_ok=True)
    if "--keep" in arguments[2:]:
        folder.touch(folder.keep)
    else:
        folder.keep.unlink(missing_ok=True)
    Supervisor(folder, lock).run()


if __name__ == "__main__":
    main(sys.argv[1:])
