"""Tryton's programs in an environment of their own, apart from the hub's.

Tryton is GPL and is only ever talked to over HTTP, so nothing of it enters the hub's environment.
The lock beside this file names every package with its hashes and no index address: pip takes them
from wherever this machine takes packages from. Cached under a key of lock, Python and machine.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tillbridge.app.erp.progress import ErpError, NotInstallable, Progress
from tillbridge.atoms.ids import SystemIds
from tillbridge.durable.postgres.cluster import dies_with_parent

LOCK = Path(__file__).with_name("requirements-tryton.txt")
CACHE_VARIABLE = "TILLBRIDGE_CACHE"
TAIL_LINES = 12


class Passwords(msgspec.Struct, frozen=True):
    """Of the ERP's administrator and of the hub's own user; the same in every cached database."""

    admin: str
    integration: str


class Installation(msgspec.Struct, frozen=True):
    """An environment with Tryton in it. folder also holds the cached databases."""

    folder: Path

    def program(self, name: str) -> Path:
        """Full path of one of its programs."""
        return self.folder / "venv" / "bin" / name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone in the cache folder: whoever comes second finds the work done."""
        with (self.folder / "lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def passwords(self) -> Passwords:
        """Made once per cache folder, readable by its owner only."""
        path = self.folder / "passwords.json"
        if not path.exists():
            ids = SystemIds()
            made = Passwords(ids.random_hex(16), ids.random_hex(16))
            write_private(path, msgspec.json.encode(made))
        return msgspec.json.decode(path.read_bytes(), type=Passwords)


def cache_folder() -> Path:
    """Where bought time is kept: $TILLBRIDGE_CACHE, else tillbridge in the user's cache folder."""
    told = os.environ.get(CACHE_VARIABLE)
    if told:
        return Path(told)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tillbridge"


def lock_key() -> str:
    """Short hash of the lock, the Python that runs it and the machine it was built for."""
    place = f"{sys.version_info[:2]} {sys.platform} {platform.machine()}"
    return hashlib.sha256(LOCK.read_bytes() + place.encode()).hexdigest()[:12]


def install(progress: Progress) -> Installation:
    """The installation of this lock, made when it is missing.

    Raises NotInstallable with pip's words when the packages cannot be had, else ErpError.
    """
    installation = place()
    whole = installation.folder / "installed"
    with installation.locked():
        if not whole.exists():
            try:
                _make(installation, progress)
            except ErpError as problem:
                raise NotInstallable(str(problem)) from None
            whole.touch()
    return installation


def place() -> Installation:
    """Where this lock's installation is or will be; only its folder is made. Raises ErpError."""
    folder = cache_folder() / f"tryton-{lock_key()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ErpError(
            f"{folder} cannot be made ({problem.strerror}); set {CACHE_VARIABLE}"
        ) from None
    if folder.stat().st_uid != os.geteuid():
        raise ErpError(
            f"{folder} belongs to somebody else; set {CACHE_VARIABLE} to a folder of yours"
        )
    return Installation(folder)


def _make(installation: Installation, progress: Progress) -> None:
    """A fresh environment with every package of the lock; leftovers of a broken try go first."""
    target = installation.folder / "venv"
    shutil.rmtree(target, ignore_errors=True)
    total = LOCK.read_text(encoding="utf-8").count("==")
    progress("installing Tryton", 0, total)
    run_told([sys.executable, "-m", "venv", str(target)], "a virtual environment")
    command = [
        str(target / "bin" / "python"), "-m", "pip", "install", "--no-input", "--no-compile",
        "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:", "--no-deps",
        "-r", str(LOCK),
    ]  # fmt: skip
    done = 0
    for line in lines_of(command, "the installation of Tryton", dict(os.environ)):
        if line.startswith(("Collecting ", "Processing ")):
            done += 1
            progress("installing Tryton", min(done, total), total)
    progress("installing Tryton", total, total)


def run_told(
    command: Sequence[str], what: str, environment: Mapping[str, str] | None = None
) -> None:
    """Run a program to its end; ErpError with its last words when it fails."""
    for _ in lines_of(command, what, environment):
        pass


def lines_of(
    command: Sequence[str], what: str, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """What a program says, line by line; ErpError with its last lines when it fails."""
    tail: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own programs, by full path and argument list
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(environment) if environment is not None else None,
        preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 - calls prctl only
    ) as process:
        for line in process.stdout or ():
            tail = [*tail, line.rstrip()][-TAIL_LINES:]
            yield line
    if process.returncode != 0:
        told = "\n".join(tail)
        raise ErpError(f"{what} failed with status {process.returncode}:\n{told}")


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
