"""A hub under fire: `tillbridge up` and a further worker, kept alive as a machine keeps its
services, between a shop, an ERP and a database that each stand behind weather.

The shop's generator, the ERP and the PostgreSQL server are processes outside of the hub; the hub's
address for each is a proxy. Everything lies in one folder (in memory of a fixed size where root
may mount one, so that its disk can be filled), the witnesses in another.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.fire.chaos.generator import STOP, WITNESS
from tests.fire.chaos.processes import Kept, descendants
from tests.fire.chaos.proxy import Proxy
from tillbridge.app.http import listen
from tillbridge.app.settings import FILE, load_workspace
from tillbridge.app.workspace import init
from tillbridge.atoms.ids import SystemIds
from tillbridge.connectors.sandbox.assortment import (
    LOCATIONS,
    PRODUCTS,
    XrefRow,
    late_row,
    xref_rows,
)
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.durable.migrate import migrate
from tillbridge.durable.postgres import database, status
from tillbridge.durable.session import connect
from tillbridge.mapping.names import NameRow, set_names

DISK_BYTES = 3 << 30
READY_SECONDS = 60.0
ERP_RATE = 40.0
"""Documents per second the hub may send to the ERP."""
_MAIN = "from tillbridge.app.cli.main import main; main()"


def faketime() -> str:
    """The library that gives a process another clock, "" where it is not installed."""
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), "")  # noqa: PTH207


def skewed(by: str) -> dict[str, str]:
    """The environment of a process whose clock is off; its monotonic clock stays true."""
    return {"LD_PRELOAD": faketime(), "FAKETIME": by, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class Scene:
    """Everything of one run. Use as a context manager."""

    def __init__(
        self,
        seed: int,
        *,
        crash: Mapping[str, str] | None = None,
        skew: str = "",
        erp_rate: float = ERP_RATE,
        straight: bool = False,
    ) -> None:
        """crash: what is armed in the hub's first start (see durable.crash_points). skew: how far
        the further worker's clock is off, as `faketime` writes it (`+5m`). erp_rate: calls per
        second that the ERP's account allows, and its burst. straight: no proxies between and the
        machine's own disk, and no further worker, for runs that measure.
        """
        self.seed = seed
        self._straight = straight
        self._erp_rate = erp_rate
        self._skew = {} if not skew else skewed(skew)
        self._stack = ExitStack()
        self._crash = dict(crash or {})
        self.outside = Path(tempfile.mkdtemp(prefix="chaos-witness-"))
        self.place = Path(tempfile.mkdtemp(prefix="chaos-hub-"))
        self.workspace = self.place / "hub"
        self.limited = False
        self.generator: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._stack.callback(shutil.rmtree, self.outside, ignore_errors=True)
        self._stack.callback(shutil.rmtree, self.place, ignore_errors=True)
        try:
            self._build()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        if problem is not None:
            self.keep()
        self._stack.close()

    def keep(self) -> None:
        """Keep logs, witnesses and a dump of the database for whoever looks into it."""
        kept = Path(tempfile.mkdtemp(prefix="chaos-failed-"))
        with contextlib.suppress(OSError):
            for log in (*self.outside.glob("*"), self.place / "server/postgres/server.log"):
                shutil.copy2(log, kept)
        with contextlib.suppress(OSError, psycopg.Error), self.store() as connection:
            for table in ("document", "outkey", "job", "exception_case", "delivery"):
                with (kept / f"{table}.csv").open("wb") as file:
                    words = f"copy {table} to stdout with (format csv, header)"
                    with connection.cursor().copy(words.encode()) as rows:
                        file.writelines(rows)
        sys.stderr.write(f"logs, witnesses and tables are kept in {kept}\n")

    # -- bringing up ----------------------------------------------------------------------------

    def _build(self) -> None:
        if not self._straight:
            self._mount()
        self.place.chmod(0o711)
        init(self.workspace, SystemIds())
        server = self.place / "server"
        server.mkdir()
        server.chmod(0o711)
        self.server = server
        self.url = self._stack.enter_context(database(server, report=lambda _: None))
        server_port = int(str(conninfo_to_dict(self.url)["port"]))
        ports = self._ports(5)
        if self._straight:
            ports[1], ports[3], ports[4] = ports[0], ports[2], server_port
        self._write_settings(ports)
        self._fill()
        if not self._straight:
            self.hub_wire = self._proxy(ports[1], ports[0], 1)
            self.erp_wire = self._proxy(ports[3], ports[2], 2)
            self.store_wire = self._proxy(ports[4], server_port, 3)
        self.environment = {
            **os.environ,
            "TILLBRIDGE_DATABASE_URL": make_conninfo(self.url, port=ports[4]),
            "PYTHONUNBUFFERED": "1",
        }
        self.erp = self._kept("erp", self._erp_command(ports[2]), dict(os.environ))
        armed = {**self.environment, **self._crash}
        self.up = self._kept("up", self._tillbridge("up", "--port", str(ports[0])), armed)
        self.worker = self.up
        if not self._straight:
            self.worker = self._kept("worker", self._tillbridge("worker"), {**armed, **self._skew})
        self.await_ready(READY_SECONDS)

    def _mount(self) -> None:
        """A disk of a fixed size for the hub where root may have one."""
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "chaos", str(self.place)]
        done = subprocess.run(command, check=False, capture_output=True)
        self.limited = done.returncode == 0
        if self.limited:
            self._stack.callback(
                subprocess.run, ["umount", "-l", str(self.place)], check=False, capture_output=True
            )

    @staticmethod
    def _ports(count: int) -> list[int]:
        """Free ports below the ephemeral ones."""
        with ExitStack() as held:
            return [
                int(held.enter_context(listen("127.0.0.1", 0)).getsockname()[1])
                for _ in range(count)
            ]

    def _write_settings(self, ports: list[int]) -> None:
        path = self.workspace / FILE
        text = path.read_text()
        far = f'url = "http://127.0.0.1:{ports[3]}", timeout_seconds = 4.0'
        for old, new in (
            ('settings = { url = "auto" }', f"settings = {{ {far} }}"),
            ("rate = 20.0, burst = 20.0", f"rate = {self._erp_rate}, burst = {self._erp_rate}"),
            ("port = 8765", f"port = {ports[0]}"),
        ):
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text)
        self._ports_used = ports

    def _fill(self) -> None:
        """The schema, every name known, and shelves that do not run empty."""
        with self.store() as connection:
            row = connection.execute("show data_directory").fetchone()
            assert row is not None
            assert str(row[0]).startswith(str(self.server)), f"not our server: {row[0]}"
            migrate(connection)
            rows = self._names()
            set_names(connection, [NameRow(r.connection, r.table, r.theirs, r.ours) for r in rows])
        (self.workspace / "drop" / "feed" / "opening.csv").write_text(self._opening())

    def _names(self) -> list[XrefRow]:
        """The cross-references."""
        return [*xref_rows(), late_row()]

    def _opening(self) -> str:
        """The first file of the stock feed."""
        lines = ["product,location,quantity,counted"]
        full = "900000,2026-01-01T00:00:00Z"
        lines += [f"{p.item},{at.feed_id},{full}" for at in LOCATIONS for p in PRODUCTS]
        return "\n".join(lines) + "\n"

    def _proxy(self, port: int, target: int, number: int) -> Proxy:
        found = Proxy(port, target, self.seed * 10 + number)
        self._stack.callback(found.close)
        return found

    def _kept(self, name: str, command: list[str], environment: Mapping[str, str]) -> Kept:
        found = Kept(name, command, environment, self.outside / f"{name}.log")
        self._stack.callback(found.stop)
        return found

    def _erp_command(self, port: int) -> list[str]:
        key = load_workspace(self.workspace).secrets("erp")["api_key"][0]
        rules = self.outside / "rules.json"
        rules.write_bytes(msgspec.json.encode({"requests_per_second": 200, "burst": 200}))
        module = "tillbridge.connectors.sandbox.erp_simulator"
        options = ["--port", str(port), "--store", str(self.books), "--key", key, "--with-parent"]
        self._erp_key = key
        return [sys.executable, "-m", module, *options, "--rules", str(rules)]

    def _tillbridge(self, *words: str) -> list[str]:
        return [sys.executable, "-c", _MAIN, "--workspace", str(self.workspace), *words]

    def arm(self, crash: Mapping[str, str]) -> None:
        """Kill both services; they come back with another crash point armed."""
        self.up.restart({**self.environment, **crash})
        self.worker.restart({**self.environment, **crash, **self._skew})

    # -- what is asked of it ----------------------------------------------------------------------

    @property
    def books(self) -> Path:
        """The ERP's own store."""
        return self.outside / "erp.sqlite"

    @property
    def witness(self) -> Path:
        """The generator's own journal."""
        return self.outside / WITNESS

    def trade(self, rate: float, poison: float = 0.0, seed: int = 0) -> None:
        """Begin to send; one generator at a time."""
        (self.outside / STOP).unlink(missing_ok=True)
        secret = load_workspace(self.workspace).secrets("web")["webhook"][0]
        address = f"http://127.0.0.1:{self.hub_wire.port}/in/web"
        words = (address, secret, str(self.outside), str(self.seed + seed), str(rate), str(poison))
        command = [sys.executable, "-m", "tests.fire.chaos.generator", *words]
        with (self.outside / "generator.log").open("ab") as log:
            self.generator = subprocess.Popen(
                [*command, str(self.workspace / "drop" / "stores")], stdout=log, stderr=log
            )
        self._stack.callback(self.close_shop)

    def close_shop(self) -> None:
        """End the trade; what is under way is answered or given up first."""
        if self.generator is None:
            return
        (self.outside / STOP).touch()
        try:
            self.generator.wait(timeout=90)
        except subprocess.TimeoutExpired:
            self.generator.kill()
            self.generator.wait()
        self.generator = None

    def pids(self, role: str) -> list[int]:
        """Processes of a role: up, worker, http, flow, postgres."""
        if role in ("up", "worker"):
            kept = self.up if role == "up" else self.worker
            return [kept.pid] if kept.alive else []
        if role == "postgres":
            found = status(self.server).postmaster
            return [found] if found else []
        module = {"http": "app.http_process", "flow": "app.flow_process"}[role]
        below = {**descendants(self.up.pid), **descendants(self.worker.pid)}
        return [pid for pid, words in below.items() if module in words]

    def erp_fault(self, *faults: Fault) -> None:
        """What goes wrong at the ERP from now on; none: all is well."""
        address = f"http://127.0.0.1:{self._ports_used[2]}/control/faults"
        key = {"Authorization": f"Bearer {self._erp_key}"}
        for method, body in (("DELETE", None), ("POST", msgspec.json.encode(list(faults)))):
            request = urllib.request.Request(address, body, key, method=method)
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5):  # noqa: S310
                pass

    def await_ready(self, seconds: float) -> float:
        """Wait until the hub says it is ready; gives the seconds. AssertionError when it is not."""
        began = time.monotonic()
        address = f"http://127.0.0.1:{self._ports_used[0]}/health/ready"
        while time.monotonic() - began < seconds:
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=3) as told:
                if told.status == 200:
                    return time.monotonic() - began
            time.sleep(0.1)
        raise AssertionError(f"the hub was not ready after {seconds:.0f} s")

    @contextmanager
    def store(self) -> Iterator[Connection]:
        """The database itself, without weather."""
        with connect(self.url, autocommit=True) as connection:
            yield connection

    def command(self, *words: str, seconds: float = 300.0) -> tuple[int, str]:
        """A verb of the command line against the same database: exit code and output."""
        environment = {**os.environ, "TILLBRIDGE_DATABASE_URL": self.url}
        done = subprocess.run(
            self._tillbridge(*words),
            env=environment,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        return done.returncode, done.stdout.decode()

    def store_answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            with psycopg.connect(self.url, connect_timeout=2):
                return True
        except psycopg.Error:
            return False

    def strike_store(self, number: signal.Signals) -> bool:
        """A signal to the server's first process; False when it is down already."""
        found = self.pids("postgres")
        if not found:
            return False
        os.kill(found[0], number)
        return True
