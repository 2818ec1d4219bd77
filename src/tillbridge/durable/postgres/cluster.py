"""One cluster on disk: make it, look at its pid file, start a server that dies with its parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tillbridge.durable.postgres.account import Account
from tillbridge.durable.postgres.binaries import Binaries, clean_environment
from tillbridge.durable.postgres.errors import PostgresError
from tillbridge.durable.postgres.folder import ROLE, alive
from tillbridge.durable.postgres.settings import SAFETY, SIZES, as_arguments, as_lines

PR_SET_PDEATHSIG = 1
"""linux/prctl.h: the signal this process gets when its parent dies."""


def dies_with_parent(number: signal.Signals) -> Callable[[], None]:
    """What a child runs before exec so that the kernel sends it `number` when we die.

    Must be made in the parent. The child runs it after it has changed its user, because a change
    of user clears the wish; it then looks whether the parent had died already.
    """
    parent = os.getpid()
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc = ctypes.CDLL(None, use_errno=True)

    def bind() -> None:
        if libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(126)

    return bind


@dataclass(frozen=True)
class Cluster:
    """A data folder with the programs and the account that serve it."""

    binaries: Binaries
    account: Account
    data: Path

    def exists(self) -> bool:
        """True when a finished cluster lies there."""
        return (self.data / "PG_VERSION").exists()

    def draft(self) -> Cluster:
        """An empty folder beside the data folder, owned by the account. Rename it with `adopt`
        once it is whole.
        """
        self.clear_drafts()
        place = self.data.parent / f"draft-{secrets.token_hex(4)}"
        place.mkdir(mode=0o700)
        self.own(place)
        return Cluster(self.binaries, self.account, place)

    def clear_drafts(self) -> None:
        """Remove what a killed process left half made; only under the supervisor's lock."""
        for old in self.data.parent.glob("draft-*"):
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.unlink(missing_ok=True)

    def adopt(self, draft: Cluster) -> None:
        """Put a finished draft in the place of the data folder."""
        draft.data.rename(self.data)
        with contextlib.suppress(OSError):
            number = os.open(self.data.parent, os.O_RDONLY)
            os.fsync(number)
            os.close(number)

    def own(self, path: Path) -> None:
        """Give one path to the account."""
        if self.account.dropped:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def create(self, password: str) -> None:
        """Make the cluster, its role and its database; all there or nothing.

        Checksums on, UTF-8, byte order for every sort (the builtin C.UTF-8 where the version has
        it, so that no library update reorders an index), SCRAM for every way in.
        """
        draft = self.draft()
        secret = self.data.parent / f"draft-{secrets.token_hex(4)}.secret"
        number = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(number, password.encode())
            os.close(number)
            self.own(secret)
            builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            draft.run(
                [
                    "initdb",
                    f"--pgdata={draft.data}",
                    f"--username={ROLE}",
                    f"--pwfile={secret}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--data-checksums",
                    "--no-instructions",
                    *(builtin if self.binaries.major >= 17 else []),
                ]
            )
        finally:
            secret.unlink(missing_ok=True)
        with (draft.data / "postgresql.conf").open("a") as conf:
            conf.write(f"\n# Sizes for a small machine; change them here.\n{as_lines(SIZES)}")
        draft.single_user([f'create database "{ROLE}"'])
        self.adopt(draft)

    def run(self, command: Sequence[str], words: str = "") -> str:
        """Run one of the server's programs as the account and return what it said.

        Raises PostgresError with the program's last words when it fails.
        """
        done = subprocess.run(
            [self.binaries.program(command[0]), *command[1:]],
            input=words,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            cwd="/",
            env=clean_environment(),
            preexec_fn=dies_with_parent(signal.SIGTERM),
            **self.account.spawn_options(),
        )
        if done.returncode != 0:
            tail = "\n".join(done.stdout.strip().splitlines()[-8:])
            raise PostgresError(f"{command[0]} failed ({done.returncode}) for {self.data}:\n{tail}")
        return done.stdout

    def single_user(self, statements: Sequence[str]) -> None:
        """Run SQL without a server, recovering the cluster first where needed; each one line."""
        lines = "".join(f"{statement}\n" for statement in statements)
        said = self.run(
            [
                "postgres",
                "--single",
                "-D",
                str(self.data),
                *as_arguments({"fsync": "on", "exit_on_error": "on"}),
                "postgres",
            ],
            lines,
        )
        if "ERROR:" in said:
            raise PostgresError(f"The cluster {self.data} could not be set up:\n{said[-2000:]}")

    def launch(self, port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server; a fast, clean shutdown follows when this process dies."""
        settings = SAFETY | {"port": str(port)}
        return subprocess.Popen(
            [
                self.binaries.program("postgres"),
                "-D",
                self.data,
                *as_arguments(settings),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=clean_environment(),
            preexec_fn=dies_with_parent(signal.SIGINT),  # noqa: PLW1509 - one thread here
            **self.account.spawn_options(),
        )

    def pid_file(self) -> tuple[int, str]:
        """Process id and status word (`starting`, `ready`, ...) in postmaster.pid; (0, "")."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            return abs(int(lines[0])), lines[7].strip() if len(lines) > 7 else ""
        except (OSError, ValueError, IndexError):
            return 0, ""

    def servers(self) -> list[int]:
        """Live server processes that work in this data folder, told by their working folder.

        A pid file may name a dead process or, after a restart of the machine, any other program;
        the working folder of a server process is always its data folder.
        """
        if not Path("/proc/self/cwd").exists():
            return self._servers_by_ps()
        here = self.data.stat()
        found = []
        for process in Path("/proc").iterdir():
            if not process.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if not (process / "comm").read_text().startswith("postgres"):
                    continue
                if os.path.samestat((process / "cwd").stat(), here):
                    found.append(int(process.name))
        return found

    def _servers_by_ps(self) -> list[int]:
        """The same on a machine without /proc: trust the pid file when the command line fits."""
        pid, _ = self.pid_file()
        if pid == 0:
            return []
        said = subprocess.run(
            ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return [pid] if str(self.data) in said.stdout else []

    def clear_stale_pid_file(self) -> bool:
        """Remove a pid file whose process is alive but is another program; true when it was so.

        The server itself copes with a dead process, and then still looks for shared memory in
        use. Call only with the supervisor's lock held and `servers()` empty.
        """
        pid, _ = self.pid_file()
        if pid == 0 or not alive(pid):
            return False
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        return True
