"""Records, processes and plans for tests of the durable floor."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.sales import TillNoted
from tillbridge.durable import log
from tillbridge.durable.rooms import Record

AT = datetime(2026, 1, 15, 10, tzinfo=UTC)
SOURCE = str(Path(log.__file__).resolve().parents[2])
ROOT = str(Path(__file__).resolve().parents[2])


def url_of(connection: Connection) -> str:
    """The address of a connection's database, password included."""
    return f"{connection.info.dsn} password={connection.info.password}"


def note(key: str, number: int | str, kind: str = "open") -> Record:
    """A small record."""
    body = TillNoted(
        key=key,
        id=f"{key}#{number}",
        source="test",
        mapping="test/1",
        occurred_at=AT,
        business_date=date(2026, 1, 15),
        entities=Entities(selling="DE"),
        location="9",
        till="1",
        sequence=str(number),
        kind=kind,
    )
    return Record(key=key, type="TillNoted", body=body, lane=lane_of(key))


def notes(keys: int, each: int = 1, prefix: str = "k") -> list[Record]:
    """Small records of many keys, the keys taking turns."""
    return [note(f"{prefix}{key}", number) for number in range(each) for key in range(keys)]


class OtherProcess:
    """A process with a connection of its own, told line by line what to do.

    `connection`, `log`, `jobs`, `note`, `notes` are there; `say(x)` answers;
    `attempt(call)` answers `done` or `failed: Error`.
    """

    def __init__(self, url: str, options: str = "") -> None:
        program = (
            "import sys, time\n"
            "from tests.durable.floor import note, notes\n"
            "from tillbridge.durable import log, jobs\n"
            "from tillbridge.durable.session import connect\n"
            "from psycopg.conninfo import make_conninfo\n"
            f"url = make_conninfo({url!r}, options={options!r})\n"
            "connection = connect(url, worker=True)\n"
            "def say(x): print(x, flush=True)\n"
            "def attempt(act):\n"
            "    try: act(); say('done')\n"
            "    except Exception as problem: say('failed: ' + type(problem).__name__)\n"
            "say('up')\n"
            "for line in sys.stdin: exec(line)\n"
        )
        self._child = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": f"{SOURCE}{os.pathsep}{ROOT}"},
        )
        self.hear()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def tell(self, line: str) -> None:
        """Let it do something; does not wait."""
        assert self._child.stdin is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()

    def hear(self, seconds: float = 20.0) -> str:
        """Its next answer."""
        assert self._child.stdout is not None
        heard, _, _ = select.select([self._child.stdout], [], [], seconds)
        assert heard, "no answer"
        line = self._child.stdout.readline()
        if not line:
            raise AssertionError(self._child.communicate()[1])
        return line.strip()

    def ask(self, line: str) -> str:
        """Do something and answer."""
        self.tell(line)
        return self.hear()

    def stop(self) -> None:
        """Freeze it where it is (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def end(self) -> None:
        """Kill it in whatever state it is."""
        self._child.kill()
        self._child.communicate()


def wait_for(connection: Connection, query: str, seconds: float = 20.0) -> None:
    """Wait until a query gives true."""
    end = time.monotonic() + seconds
    while connection.execute(query.encode()).fetchone() != (True,):
        connection.rollback()
        assert time.monotonic() < end, f"waited in vain for {query}"
        time.sleep(0.0005)
    connection.rollback()


def plan(
    connection: Connection, query: str, values: Sequence[Any] | dict[str, Any], *, generic: bool
) -> str:
    """EXPLAIN ANALYZE of a prepared query as the server runs it, generic or for these values."""
    if isinstance(values, dict):
        names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", query)))
        for number, name in enumerate(names, 1):
            query = query.replace(f"%({name})s", f"${number}")
        values = [values[name] for name in names]
    else:
        for number in range(1, len(values) + 1):
            query = query.replace("%b", f"${number}", 1)
    mode = "force_generic_plan" if generic else "force_custom_plan"
    connection.execute("select set_config('plan_cache_mode', %s, true)", (mode,))
    connection.execute(f"prepare tested as {query}".encode())
    given = sql.SQL(", ").join(sql.Literal(value) for value in values)
    rows = connection.execute(
        sql.SQL("explain (analyze, costs off, timing off, summary off, buffers off) ")
        + sql.SQL("execute tested({})").format(given)
    ).fetchall()
    connection.execute("deallocate tested")
    return "\n".join(row[0] for row in rows)
