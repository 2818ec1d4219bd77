"""Tryton as a child process: loopback, a port of our range, gone when its parent is gone."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from tillbridge.app.erp.installation import TAIL_LINES, Installation, write_private
from tillbridge.app.erp.progress import ErpError
from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.tryton.client import Access, TrytonClient
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.durable.postgres.cluster import dies_with_parent
from tillbridge.durable.postgres.supervisor import choose_port

START_SECONDS = 120.0
STOP_SECONDS = 10.0
SESSION_SECONDS = 24 * 3600


class TrytonServer:
    """One server process for one database. Start it from a thread that lives as long as it should:
    the kernel ends it (SIGTERM) when the thread that started it ends, also on kill -9.
    """

    def __init__(
        self,
        installation: Installation,
        server_url: str,
        database: str,
        folder: Path,
        clock: Clock | None = None,
        port: int = 0,
    ) -> None:
        """folder: of this server alone, for its settings (0600), files and log. port: 0 = any."""
        self._installation = installation
        self._server_url = server_url
        self.database = database
        self._folder = folder
        self._clock = clock or SystemClock()
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def log(self) -> Path:
        """Its log file."""
        return self._folder / "trytond.log"

    def start(self) -> str:
        """Start and wait until it answers; gives its base URL. Raises ErpError with its log."""
        port = self._port or choose_port(str(self._folder))
        config = write_config(self._folder, self._server_url, port)
        command = [
            str(self._installation.program("python")),
            str(self._installation.program("trytond")),
            "-c", str(config), "-d", self.database,
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, by full path
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=clean_environment(self._folder),
                preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509 - calls prctl only
                start_new_session=True,
            )
        self.url = f"http://127.0.0.1:{port}"
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """End it; harmless when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def client(self, user: str, password: str) -> TrytonClient:
        """A client of this server."""
        return TrytonClient(
            Access(self.url, self.database, user, password), HttpTransport(LOOPBACK)
        )

    def _wait(self) -> None:
        """Until it answers, or has ended, or START_SECONDS are over."""
        client = self.client("", "")
        end = self._clock.monotonic() + START_SECONDS
        while self._clock.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                client.server_version()
            except (RetryLater, Refused):
                self._clock.sleep(0.1)
            else:
                return
        raise ErpError(f"Tryton did not start; the end of {self.log}:\n{log_tail(self.log)}")


def write_config(folder: Path, server_url: str, port: int = 0) -> Path:
    """Tryton's settings file (0600: it holds the password of the database server)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = folder / "files"
    files.mkdir(mode=0o700, exist_ok=True)
    text = (
        f"[database]\nuri = {database_uri(server_url)}\npath = {files}\n"
        f"[web]\nlisten = 127.0.0.1:{port}\n"
        f"[session]\ntimeout = {SESSION_SECONDS}\n"
    )
    path = folder / "trytond.conf"
    write_private(path, text.encode())
    return path


def database_uri(server_url: str) -> str:
    """The server as Tryton writes it: a URI without a database. Raises ErpError for sockets."""
    told = conninfo_to_dict(server_url)
    host = str(told.get("hostaddr") or told.get("host") or "")
    if not host or host.startswith("/"):
        raise ErpError("Tryton needs a database server that listens on TCP; its URL names no host")
    user = quote(str(told.get("user") or ""), safe="")
    password = quote(str(told.get("password") or ""), safe="")
    # The settings file is read with interpolation of percent signs.
    account = f"{user}:{password}@".replace("%", "%%") if user else ""
    return f"postgresql://{account}{host}:{told.get('port') or 5432}/"


def clean_environment(folder: Path) -> dict[str, str]:
    """Environment without the caller's TRYTOND_*, PYTHON* and PG* settings."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
    }


def log_tail(path: Path) -> str:
    """Last lines of a log."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-TAIL_LINES:])
