"""The real Tryton of a workspace: brought up in a thread of its own while the hub works already.

`<workspace>/.tillbridge/erp/<connection>/` holds `books.json` (what its database is filled with the
first time), its port, settings and log. One process of a workspace runs it, others join; the kernel
ends it when that process is gone.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psycopg

from tillbridge.app.erp.beside import DATABASE, erp_beside
from tillbridge.app.erp.books import Books
from tillbridge.app.erp.progress import ErpError, Progress, Step, silent
from tillbridge.app.settings import Workspace
from tillbridge.atoms.errors import Refused
from tillbridge.durable.postgres.errors import PostgresError
from tillbridge.durable.postgres.supervisor import choose_port, port_is_free

BOOKS = "books.json"
STOP_SECONDS = 30.0
_PORT_SECONDS = 10


def tryton_folder(workspace: Path, name: str) -> Path:
    """Where a connection's Tryton keeps its files."""
    return workspace / ".tillbridge" / "erp" / name


def tryton_address(workspace: Workspace, name: str) -> str:
    """Where it answers, now or later: the port is chosen once per workspace."""
    folder = tryton_folder(workspace.folder, name)
    note = folder / "port"
    try:
        return f"http://127.0.0.1:{int(note.read_text())}"
    except (OSError, ValueError):
        return _new_address(folder)


def _new_address(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    port = choose_port(str(folder))
    (folder / "port").write_text(f"{port}\n")
    return f"http://127.0.0.1:{port}"


class TrytonBeside:
    """Brings one connection's Tryton up and holds it until `stop`; both return at once."""

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        server_url: str,
        *,
        progress: Progress = silent,
        on_up: Callable[[], None] = lambda: None,
    ) -> None:
        """progress: told the long steps, in the thread. on_up: called once when it answers."""
        self._folder = tryton_folder(workspace.folder, name)
        self._port = int(tryton_address(workspace, name).rpartition(":")[2])
        settings = workspace.settings.connection[name].settings
        self._database = str(settings.get("database", DATABASE))
        self._server_url = server_url
        self._progress = progress
        self._on_up = on_up
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tryton {name}", daemon=True)
        self.up = threading.Event()
        self.joined = False
        self.problem = ""
        self.steps: tuple[Step, ...] = ()

    @property
    def folder(self) -> Path:
        """Its files; the log is `trytond.log`."""
        return self._folder

    def start(self) -> None:
        """Begin in a thread: the server lives as long as the thread that started it."""
        self._thread.start()

    def stop(self) -> None:
        """Let it go down; waits for that, but not for an installation under way."""
        self._leave.set()
        if self.up.is_set() and self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    @contextmanager
    def running(self, tell: Callable[[str], None]) -> Iterator[None]:
        """Started for the time of the block; trouble is told when it comes."""
        watch = threading.Thread(target=self._watch, args=(tell,), daemon=True)
        self.start()
        watch.start()
        try:
            yield
        finally:
            self.stop()

    def _watch(self, tell: Callable[[str], None]) -> None:
        self._thread.join()
        if self.problem and not self._leave.is_set():
            tell(f"the ERP beside the hub is not there; documents wait: {self.problem}")

    def _run(self) -> None:
        try:
            with (self._folder / "lock").open("a") as handle:
                if not _held(handle.fileno()):
                    self.joined = True
                    self.up.set()
                    return
                self._serve()
        except (ErpError, PostgresError, OSError, Refused, psycopg.Error) as problem:
            self.problem = str(problem)

    def _serve(self) -> None:
        _until_free(self._port, self._leave)
        with erp_beside(
            self._server_url, self._folder, _books(self._folder),
            database=self._database, port=self._port, progress=self._progress,
        ) as erp:  # fmt: skip
            self.steps = erp.steps
            self.up.set()
            self._on_up()
            self._leave.wait()


def _held(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _until_free(port: int, leave: threading.Event) -> None:
    """A predecessor that was killed may take a moment to leave its port."""
    for _ in range(_PORT_SECONDS * 10):
        if port_is_free(port) or leave.wait(0.1):
            return


def _books(folder: Path) -> Books:
    try:
        return msgspec.json.decode((folder / BOOKS).read_bytes(), type=Books)
    except (OSError, msgspec.MsgspecError) as problem:
        raise Refused(f"{folder / BOOKS} is needed to fill the ERP: {problem}") from None
