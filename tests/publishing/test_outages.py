"""Half an hour without an ERP, in six ways, in virtual time: nothing is given up, nothing doubled.

The sandbox ERP's own program and books stand behind a wire that fails as it is told; the clock is
moved by whoever waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace
from psycopg import Connection

from tests.publishing.twin import Twin, document
from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import RetryLater
from tillbridge.atoms.ids import SeededIds
from tillbridge.canonical.orders import OrderLine
from tillbridge.connectors.sandbox.config import SandboxSettings
from tillbridge.connectors.sandbox.connector import SandboxConnector
from tillbridge.connectors.sandbox.erp_documents import Rules
from tillbridge.connectors.sandbox.erp_simulator import ErpSimulator
from tillbridge.connectors.sandbox.loopback import Call
from tillbridge.contract.promises import Connection as Far
from tillbridge.contract.transport import Request, Response
from tillbridge.durable import accounts, jobs
from tillbridge.mapping.names import NameTables
from tillbridge.publishing.dispatch import Dispatcher, Target
from tillbridge.publishing.room import owed_document

START = datetime(2099, 3, 2, 12, tzinfo=UTC)
RATE = 2.0
OUTAGE_SECONDS = 1800.0
WAYS = ("refuse", "hang", "error", "throttle", "slow", "lost")


class OneByOne(SandboxConnector):
    """One document per call, so that the pace is bound by the budget."""

    batch_max = 1


class Wire:
    """The way to the ERP. way: how it fails now, "" = it does not."""

    def __init__(self, erp: ErpSimulator, clock: FixedClock) -> None:
        self.erp = erp
        self.clock = clock
        self.way = ""
        self.requests: list[float] = []
        self.statuses: list[int] = []

    def send(self, request: Request) -> Response:
        self.requests.append((self.clock.now() - START).total_seconds())
        creating = request.method == "POST"
        if self.way == "refuse":
            raise RetryLater("the ERP cannot be reached")
        if self.way == "error":
            return Response(status=500, headers={}, body=b"")
        if self.way == "throttle":
            return Response(status=429, headers={"retry-after": "45"}, body=b"")
        if self.way == "hang" or (self.way == "slow" and not creating):
            self.clock.sleep(request.timeout_seconds)
            raise RetryLater("the ERP gave no answer", unknown=True)
        answer = self._ask(request)
        if creating and self.way in ("slow", "lost"):
            self.clock.sleep(request.timeout_seconds if self.way == "slow" else 0.05)
            raise RetryLater("the ERP gave no answer", unknown=True)
        self.clock.sleep(0.05)
        return answer

    def _ask(self, request: Request) -> Response:
        url = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = parse_qs(url.query)
        call = Call(
            method=request.method, path=url.path, query=query, headers=headers, body=request.body
        )
        answer = self.erp._answer(call)
        self.statuses.append(answer.status)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(status=answer.status, headers=headers, body=answer.body)


class Shift:
    """Two workers at one ERP, one at another destination, all on one clock."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self.connection = connection
        self.clock = FixedClock(START)
        rules = Rules(requests_per_second=RATE, burst=4.0)
        self.erp = ErpSimulator(folder / "erp.sqlite", "key", rules=rules, clock=self.clock)
        self.wire = Wire(self.erp, self.clock)
        self.other = Twin()
        self.dest = accounts.make_dest(
            connection, "erp", accounts.Budget(rate=RATE, burst=3.0, conc=2)
        )
        self.healthy = accounts.make_dest(connection, "other", accounts.Budget(1e3, 1e3, 9))
        connection.execute("update dest set at = %s", (START,))
        connection.commit()
        far = Far(
            name="erp",
            entity="us",
            channel="",
            currency="USD",
            settings=SandboxSettings(url="http://127.0.0.1:9", company="us"),
        )
        target = Target(self.dest, OneByOne(), far, {"api_key": "key"}, self.wire)
        beside = Target(
            self.healthy, self.other, Far(name="other", entity="us", channel="", currency=""), {},
            self.wire,
        )  # fmt: skip
        self.workers = [
            Dispatcher(connection, one, NameTables(), self.clock, SeededIds(number))
            for number, one in enumerate((target, target, beside))
        ]

    def owe(self, dest: int, *operations: str) -> None:
        now = self.clock.now()
        line = OrderLine(line="1", kind="goods", product="P1", quantity=1000, list=100)
        owed = [
            owed_document(replace(told, sales_order=replace(told.body, lines=(line,))), dest, now)
            for told in map(document, operations)
        ]
        jobs.enqueue(self.connection, owed, now)
        self.connection.commit()

    def step(self, most: float = 60.0) -> None:
        """Every worker looks once; when nobody found anything all rest until something is due."""
        if sum(worker.run_once().claimed for worker in self.workers[:2]):
            return
        row = self.connection.execute(jobs.QUERIES.next_due, (self.dest,)).fetchone()
        self.connection.rollback()
        due = (row[0] - self.clock.now()).total_seconds() if row and row[0] else most
        self.clock.sleep(min(max(due, 0.05), most))

    def left(self) -> int:
        row = self.connection.execute("select count(*) from job").fetchone()
        self.connection.rollback()
        assert row is not None
        return int(row[0])

    @property
    def elapsed(self) -> float:
        return (self.clock.now() - START).total_seconds()


@pytest.fixture
def shift(connection: Connection, tmp_path: Path) -> Iterator[Shift]:
    found = Shift(connection, tmp_path)
    yield found
    found.erp.close()


@pytest.mark.parametrize("way", WAYS)
def test_an_erp_that_is_away_for_half_an_hour_gets_everything_once_and_in_order(
    shift: Shift, way: str
) -> None:
    shift.wire.way = way
    written = 0
    waits: list[float] = []
    while shift.elapsed < OUTAGE_SECONDS:
        if shift.elapsed >= written * 18:  # a document every 18 seconds, three to an order
            shift.owe(shift.dest, f"k{written // 3}/{written % 3}")
            shift.owe(shift.healthy, f"h{written}/1")
            written += 1
            asked = shift.clock.now()
            shift.workers[2].run_once()
            waits.append((shift.clock.now() - asked).total_seconds())
        shift.step(max(written * 18 - shift.elapsed, 0.05))
    assert waits == [0.0] * written, "the other destination is served at once all the time"
    assert len(shift.other.there) == written
    _few_probes(shift, way)
    shift.wire.way = ""
    first = len(shift.wire.requests)
    while shift.left():
        assert shift.elapsed < OUTAGE_SECONDS + 3600, shift.left()
        shift.step()
    sent = shift.wire.requests[first + 5 :]  # behind the burst
    if len(sent) > 20:
        assert len(sent) / (sent[-1] - sent[0]) >= 0.8 * RATE
    _all_there_once(shift, written)


def _few_probes(shift: Shift, way: str) -> None:
    """At most two calls per interval of the breaker, whoever looks."""
    row = shift.connection.execute("select failures from dest where name = 'erp'").fetchone()
    shift.connection.rollback()
    assert row is not None
    if way == "lost":  # the ERP answers look-ups, so it is not away: each document is tried alone
        return
    assert row[0] >= 5, "it was tried again and again"
    assert len(shift.wire.requests) <= 2 * row[0]
    assert len(shift.wire.requests) <= (OUTAGE_SECONDS / 45 + 2 if way == "throttle" else 30)


def _all_there_once(shift: Shift, written: int) -> None:
    there = [one.external_id for one in shift.erp.store.page(0, 500)]
    assert len(there) == len(set(there)) == written
    assert shift.erp.store.duplicates() == {}
    for key in {op.split("/")[0] for op in there}:
        own = [op for op in there if op.startswith(f"{key}/")]
        assert own == sorted(own), "order per key"
    states = shift.connection.execute("select distinct state from document").fetchall()
    assert states == [("accepted",)]
    cases = shift.connection.execute("select count(*) from exception_case").fetchone()
    assert cases == (0,), "an outage is nobody's decision"
    assert 429 not in shift.wire.statuses
    assert timedelta(seconds=shift.elapsed) < timedelta(hours=2)
