"""The files the embedded server keeps in a workspace, and the locks its processes meet at.

`<workspace>/postgres/` holds:

    supervisor.lock  held exclusively by the one supervisor process of the data folder
    leases.lock      held shared by every client that uses the server; the supervisor takes it
                     exclusively when nobody is left, and keeps it until the server is down
    server.json      what must survive: where the data lies, its port (`Record`)
    state.json       what the running supervisor says about itself (`State`)
    password         SCRAM password of the role, mode 0600
    server.log       the server's own words;  supervisor.log  what the supervisor could not say
    keep, stop       requests to a running supervisor: stay without clients; go down now
    data/            the cluster, mode 0700 (elsewhere when the server's account cannot reach it)

Every file is opened without following a symlink and closed to others; a file made by root in
another person's workspace is handed to that person.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from tillbridge.durable.postgres.errors import PostgresError

ROLE = "tillbridge"
"""Role and database made with the cluster."""

LOG_BYTES_KEPT = 16_000_000

Phase = Literal["starting", "recovering", "ready", "stopping", "failed"]


class Record(msgspec.Struct, kw_only=True):
    """What a workspace remembers about its server between two runs (`server.json`)."""

    data: str
    """The cluster's folder: absolute, or relative to `<workspace>/postgres`."""
    port: int
    """Loopback TCP port, chosen once; changed only when another program sits on it."""
    database: str = ROLE
    hook_due: bool = False
    """A restored cluster has not yet been told that it is one (`durable.restore`)."""
    incarnation: int = 0
    """Highest `hub.incarnation` this workspace has seen; a restore goes above it."""


class State(msgspec.Struct, kw_only=True):
    """What the running supervisor says (`state.json`); stale when `supervisor.lock` is free."""

    phase: Phase
    port: int = 0
    supervisor: int = 0
    postmaster: int = 0
    version: str = ""
    origin: str = ""
    message: str = ""


@dataclass(frozen=True)
class Folder:
    """Names of the files in `<workspace>/postgres`."""

    root: Path

    @classmethod
    def of(cls, workspace: Path | str) -> Folder:
        """The folder of a workspace, as an absolute path with symlinks resolved; not made yet."""
        return cls(Path(os.path.realpath(workspace)) / "postgres")

    def make(self) -> None:
        """Make the folder where absent: 0700, or 0711 as root so that the account can pass."""
        try:
            self.root.mkdir(parents=True)
        except FileExistsError:
            return
        except OSError as error:
            raise PostgresError(
                f"{self.root} cannot be made ({error.strerror}); choose a workspace you may write"
            ) from error
        self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor while it lives."""
        return self.root / "supervisor.lock"

    @property
    def lease_lock(self) -> Path:
        """Held shared by clients."""
        return self.root / "leases.lock"

    @property
    def keep(self) -> Path:
        """Present: the server stays although no client is left."""
        return self.root / "keep"

    @property
    def stop(self) -> Path:
        """Present: the supervisor goes down now."""
        return self.root / "stop"

    @property
    def server_log(self) -> Path:
        """The server's log."""
        return self.root / "server.log"

    @property
    def supervisor_log(self) -> Path:
        """The supervisor's standard error."""
        return self.root / "supervisor.log"

    def open(self, path: Path, flags: int) -> int:
        """A file descriptor of one of our files, 0600, never through a symlink.

        Raises PostgresError when the file belongs to somebody else.
        """
        try:
            number = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PostgresError(
                f"{path} cannot be opened ({error.strerror}); run as the user who made this "
                "workspace, or choose another workspace"
            ) from error
        if os.geteuid() == 0:
            home = self.root.stat()
            if home.st_uid != 0:
                os.fchown(number, home.st_uid, home.st_gid)
        return number

    def write(self, name: str, body: bytes) -> None:
        """Put a small file in place as a whole: a reader sees the old one or the new one."""
        draft = self.root / f".{name}.{secrets.token_hex(4)}"
        number = self.open(draft, os.O_WRONLY | os.O_EXCL)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.root / name)
        except OSError:
            draft.unlink(missing_ok=True)
            raise

    def touch(self, path: Path) -> None:
        """Make one of the request files."""
        os.close(self.open(path, os.O_WRONLY))

    def read_record(self) -> Record | None:
        """The record, or None in a workspace that never had a server."""
        try:
            return msgspec.json.decode((self.root / "server.json").read_bytes(), type=Record)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, PermissionError) as error:
            raise PostgresError(f"{self.root / 'server.json'} cannot be read: {error}") from error

    def write_record(self, record: Record) -> None:
        """Keep the record."""
        self.write("server.json", msgspec.json.format(msgspec.json.encode(record)))

    def read_state(self) -> State | None:
        """What the supervisor says now, or None when none ever ran or the words are torn."""
        try:
            return msgspec.json.decode((self.root / "state.json").read_bytes(), type=State)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None

    def write_state(self, state: State) -> None:
        """Say a new state."""
        self.write("state.json", msgspec.json.encode(state))

    def forget_state(self) -> None:
        """Drop the words of a supervisor that is gone."""
        (self.root / "state.json").unlink(missing_ok=True)

    def password(self) -> str:
        """The role's password, made on first use."""
        path = self.root / "password"
        with contextlib.suppress(FileNotFoundError):
            if found := path.read_text().strip():
                return found
        made = secrets.token_urlsafe(24)
        self.write("password", made.encode())
        return made

    def data(self, record: Record) -> Path:
        """The cluster's folder."""
        return self.root / record.data

    def url(self, port: int, database: str = ROLE) -> str:
        """The address of the running server, with the password in it."""
        return f"postgresql://{ROLE}:{self.password()}@127.0.0.1:{port}/{database}"


class Lock:
    """An advisory file lock that dies with the processes that hold its descriptor."""

    def __init__(self, number: int) -> None:
        """Wrap an open descriptor: a new one, or one inherited with its lock held."""
        os.set_inheritable(number, False)
        self._number = number

    @classmethod
    def at(cls, folder: Folder, path: Path) -> Lock:
        """The lock behind a file of the folder, not held yet."""
        return cls(folder.open(path, os.O_RDWR))

    def fileno(self) -> int:
        """The descriptor, to hand the held lock to a child process."""
        return self._number

    def _take(self, how: int) -> bool:
        try:
            fcntl.flock(self._number, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def try_shared(self) -> bool:
        """True when held shared now."""
        return self._take(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """True when held alone now."""
        return self._take(fcntl.LOCK_EX)

    def release(self) -> None:
        """Let go, for every process that shares the descriptor."""
        fcntl.flock(self._number, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the descriptor; the lock goes with its last holder."""
        if self._number >= 0:
            os.close(self._number)
            self._number = -1


def alive(pid: int) -> bool:
    """True when a process of that id exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def log_tail(path: Path, lines: int) -> str:
    """The last lines of a log."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 8192))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def rotate(path: Path) -> None:
    """Put a log that has grown large aside; one older log is kept."""
    with contextlib.suppress(OSError):
        if path.stat().st_size > LOG_BYTES_KEPT:
            path.replace(path.with_name(f"{path.name}.1"))
