"""Plays the demo: hub first, then the day of trade, then the ERP, then what became of it all."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from tillbridge.app.beside import SandboxBeside, service_up
from tillbridge.app.beside_tryton import TrytonBeside, tryton_address
from tillbridge.app.demo import look, outcome
from tillbridge.app.demo.bars import Bars
from tillbridge.app.demo.monthend import Closing, MonthEnd, trading_day
from tillbridge.app.demo.place import ERP, Occupied, fresh_database, make_place
from tillbridge.app.demo.trade import (
    Sent,
    drop_cards,
    drop_stock,
    drop_till_files,
    send_webhooks,
    waiting_files,
)
from tillbridge.app.erp.progress import ErpError
from tillbridge.app.http_process import HttpProcesses
from tillbridge.app.hub import Hub
from tillbridge.app.ledger_ties import tie_month
from tillbridge.app.logs import log_to
from tillbridge.app.settings import Workspace
from tillbridge.app.worker import Worker
from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.atoms.ids import SystemIds
from tillbridge.connectors.sandbox.assortment import xref_rows
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.durable.migrate import migrate
from tillbridge.durable.postgres import PostgresError, database
from tillbridge.durable.postgres.supervisor import choose_port
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect
from tillbridge.mapping.names import NameRow, set_names
from tillbridge.posting.money.report import trial_balance
from tillbridge.publishing.journals import summarise
from tillbridge.triage.cases import list_cases
from tillbridge.watch.status import status
from tillbridge.watch.story import page as story_page
from tillbridge.watch.story import tell as tell_story
from tillbridge.watch.verify import verify

LOG = Path(".tillbridge") / "hub.log"
LOOK_SECONDS = 0.2
STUCK_SECONDS = 120.0
_FILES = 4  # stock, gift cards of two entities, a log once more; a POSLog per store comes on top


class DemoFailed(Exception):
    """The demo cannot go on; words for the person."""


def run(folder: Path, *, erp: str, orders: int, wait: bool, seed: int, json: bool) -> int:
    """Play one day in a workspace at `folder`; gives the exit code.

    erp: `tryton` or `sandbox`. wait: the hub goes on afterwards until SIGINT or SIGTERM. json: one
    object on stdout instead of tables. 2: the folder cannot be used; 1: something is not right.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with ExitStack() as stack:
            day = day_of_trade(seed, orders, trading_day(SystemClock().now().date()))
            demo = _Demo(folder.resolve(), erp, day, stack)
            return demo.play(wait=wait, json=json)
    except Occupied as problem:
        return _failed(str(problem), 2)
    except (DemoFailed, Refused, RetryLater, ErpError, PostgresError) as problem:
        return _failed(str(problem), 1)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _failed(words: str, code: int) -> int:
    sys.stderr.write(f"tillbridge: {words}\n")
    return code


class _Demo:
    """One run. `stack` ends what it started, last first."""

    def __init__(self, folder: Path, erp: str, day: DayOfTrade, stack: ExitStack) -> None:
        self._folder = folder
        self._erp = erp
        self._day = day
        self._stack = stack
        self._clock: Clock = SystemClock()
        self._began = self._clock.monotonic()
        self._hub_began = self._began
        self._timings: dict[str, float] = {}
        self._bars = Bars(self._clock)

    def play(self, *, wait: bool, json: bool) -> int:
        """Everything in its order; see `run`."""
        workspace = make_place(self._folder, self._erp, self._day, SystemIds(), self._clock)
        hub, address = self._hub(workspace)
        self._stack.enter_context(self._bars)
        beside = self._beside(hub)
        connection = self._stack.enter_context(hub.connect())
        self._morning(hub, connection)
        sent = self._trade(hub, connection, address)
        seen = self._first_view(hub, connection, json=json)
        self._erp_up(hub, beside)
        self._drained(connection)
        self._lap("drained", self._hub_began)
        began = self._clock.monotonic()
        month = Closing(
            hub, connection, self._day, self._until, lambda: self._drained(connection)
        ).play()
        self._lap("month_end", began)
        self._lap("total", self._began)
        found = self._outcome(hub, connection, address, seen, sent, month)
        self._bars.__exit__(None, None, None)
        if json:
            sys.stdout.write(outcome.encoded(found))
        else:
            glance = look.glance(connection)
            files = _FILES + len(self._day.poslogs) + len(found.month.files)
            table = outcome.sending_table(sent, glance, status(connection).duplicates, files)
            connection.rollback()
            sys.stdout.write(f"\n{outcome.page(found, table)}\n")
        sys.stdout.flush()
        if wait:
            self._wait(address)
        return 0 if found.ok else 1

    def _lap(self, name: str, since: float) -> None:
        self._timings[name] = round(self._clock.monotonic() - since, 1)

    # -- bringing up ------------------------------------------------------------------------------

    def _hub(self, workspace: Workspace) -> tuple[Hub, str]:
        """PostgreSQL, schema, and the hub's HTTP role."""
        sys.stderr.write(f"making a demo workspace in {self._folder}; starting PostgreSQL\n")
        sys.stderr.flush()
        url = self._stack.enter_context(database(workspace.folder))
        fresh_database(workspace, url)
        with connect(url) as connection:
            migrate(connection)
        self._lap("postgres", self._began)
        log = self._stack.enter_context((workspace.folder / LOG).open("a", encoding="utf-8"))
        log_to(log)
        settings = workspace.settings.hub
        self._hub_began = self._clock.monotonic()
        site = HttpProcesses(workspace.folder, url, settings.host, settings.port, log=log)
        address = site.start()
        self._stack.callback(site.stop)
        overrides = {ERP: {"url": self._erp_address(workspace)}}
        hub = self._stack.enter_context(Hub(workspace, url, overrides=overrides))
        self._bars.line(f"the hub listens on {address}; the day begins")
        return hub, address

    def _erp_address(self, workspace: Workspace) -> str:
        if self._erp == "tryton":
            return tryton_address(workspace, ERP)
        self._sandbox = SandboxBeside(workspace, ERP, choose_port(f"{self._folder} erp"))
        return self._sandbox.address

    def _beside(self, hub: Hub) -> TrytonBeside | None:
        """Tryton begins at once, in a thread; the sandbox comes when the day is over."""
        if self._erp != "tryton":
            return None
        tryton = TrytonBeside(
            hub.workspace,
            ERP,
            hub.url,
            progress=self._erp_step,
            on_up=lambda: self._up(hub),
        )
        self._stack.callback(tryton.stop)
        tryton.start()
        return tryton

    def _up(self, hub: Hub) -> None:
        service_up(hub.url, ERP)
        self._lap("erp_up", self._hub_began)

    def _erp_step(self, step: str, done: int, total: int) -> None:
        name, _, words = step.partition(": ")
        self._bars.tell(name, done, total, words)

    # -- the day ----------------------------------------------------------------------------------

    def _morning(self, hub: Hub, connection: Connection) -> None:
        """Names, then the stock of the morning; the hub's worker starts."""
        rows = [NameRow(row.connection, row.table, row.theirs, row.ours) for row in xref_rows()]
        set_names(connection, rows)
        connection.commit()
        worker = Worker(hub)
        worker.start()
        self._stack.callback(worker.stop)
        drop_stock(hub.workspace.folder, self._day)
        drop_cards(hub.workspace.folder, self._day)
        expected = self._day.opening_stock.count(b"\n") - 1

        def taken() -> tuple[int, int]:
            return look.glance(connection).stock_rows, expected

        self._until("stock of the morning", taken)

    def _trade(self, hub: Hub, connection: Connection, address: str) -> Sent:
        """Files dropped, webhooks sent, and everything carried through the flow."""
        folder = hub.workspace.folder
        files = drop_till_files(folder, self._day)
        transport = HttpTransport(LOOPBACK)
        secret = hub.workspace.secrets("web")["webhook"][0]

        def told(done: int, total: int) -> None:
            self._bars.tell("webhooks acknowledged", done, total)

        sent = send_webhooks(folder, self._day, address, secret, transport, told)
        transport.close()

        def stored() -> tuple[int, int]:
            return files - waiting_files(folder), files

        def carried() -> tuple[int, int]:
            found = look.glance(connection)
            return found.records - found.pending, found.records

        self._until("store files taken in", stored)
        self._until("records carried by the flow", carried)
        return sent

    def _first_view(self, hub: Hub, connection: Connection, *, json: bool) -> dict[str, int]:
        """What stands in the hub while the ERP is not there."""
        summarise(connection, hub.destinations_known(connection), self._clock.now())
        connection.commit()
        found = look.glance(connection)
        self._lap("first_view", self._hub_began)
        words = outcome.first_view(found, self._timings["first_view"], self._erp)
        if json:
            self._bars.line(words)
        else:
            sys.stdout.write(f"{words}\n")
            sys.stdout.flush()
        return outcome.viewed(found)

    # -- the ERP ----------------------------------------------------------------------------------

    def _erp_up(self, hub: Hub, tryton: TrytonBeside | None) -> None:
        if tryton is None:
            self._sandbox.start()
            self._stack.callback(self._sandbox.stop)
            self._up(hub)
        else:
            while not tryton.up.wait(LOOK_SECONDS):
                if tryton.problem:
                    raise DemoFailed(
                        f"the ERP did not come up: {tryton.problem}\nthe day waits in the hub"
                        f" ({_program(self._folder)} drain tries again); or play with --erp sandbox"
                    )
            for step in tryton.steps:
                self._timings[f"erp_{step.name}"] = step.seconds

    def _drained(self, connection: Connection) -> None:
        """The backlog goes to the ERP; every answer comes back into the log."""

        def answered() -> tuple[int, int]:
            found = look.glance(connection)
            return found.documents - found.waiting, found.documents

        def carried() -> tuple[int, int]:
            found = look.glance(connection)
            return found.records - found.pending, found.records

        self._until("records carried by the flow", carried)
        self._until("documents answered by the ERP", answered)
        self._until("records carried by the flow", carried)

    def _until(self, name: str, counted: Callable[[], tuple[int, int]]) -> None:
        """Show a count until it is whole; DemoFailed when it stands still for two minutes."""
        before = -1
        moved = self._clock.monotonic()
        while True:
            done, total = counted()
            self._bars.tell(name, done, total)
            if done >= total:
                return
            if done != before:
                before, moved = done, self._clock.monotonic()
            if self._clock.monotonic() - moved > STUCK_SECONDS:
                log = self._folder / LOG
                raise DemoFailed(f"{name}: it stands still at {done} of {total}; see {log}")
            self._clock.sleep(LOOK_SECONDS)

    # -- what became of it ------------------------------------------------------------------------

    def _outcome(
        self,
        hub: Hub,
        connection: Connection,
        address: str,
        seen: dict[str, int],
        sent: Sent,
        month: MonthEnd,
    ) -> outcome.Outcome:
        late = self._day.late
        program = _program(self._folder)
        cases = list_cases(connection)
        counts = status(connection)
        balances = trial_balance(connection)
        connection.rollback()
        glance = look.glance(connection)
        verdict = verify(connection, quiesced=True, deep=True, chart=hub.book.chart)
        mends = [outcome.mend(case, program, {late.theirs: late.ours}) for case in cases]
        ties = [
            tie_month(hub, connection, code, month.period)
            for code in hub.workspace.settings.entities()
        ]
        connection.rollback()
        problems = outcome.problems(sent, glance, verdict, month, ties)
        return outcome.Outcome(
            ok=not problems,
            day=self._day.day,
            program=program,
            address=address,
            workspace=str(self._folder),
            erp=self._erp,
            seed=self._day.seed,
            orders=len(self._day.orders),
            timings=self._timings,
            first_view=seen,
            counts=outcome.counted(sent, glance, counts.duplicates),
            facts=look.fact_counts(connection),
            documents=look.documents(connection),
            balances=balances,
            month=month,
            ties=ties,
            cases=mends,
            verify=verdict,
            story=self._story(connection),
            problems=problems,
        )

    def _story(self, connection: Connection) -> str:
        """The order that was partly given back, whole."""
        told = next((o for o in self._day.orders if o.part == "returned"), self._day.orders[0])
        key = look.order_key(connection, told.number)
        if not key:
            return ""
        text = story_page(tell_story(connection, key))
        connection.rollback()
        return text

    def _wait(self, address: str) -> None:
        sys.stderr.write(
            f"\nthe hub keeps running at {address} (Ctrl-C stops it); in another terminal:\n"
            f"  {_program(self._folder)} status\n"
        )
        sys.stderr.flush()
        try:
            signal.pause()
        except KeyboardInterrupt:
            sys.stderr.write("stopping\n")


def _program(folder: Path) -> str:
    """How tillbridge is called for this workspace from where the person stands."""
    here = Path(sys.executable).with_name("tillbridge")
    name = "tillbridge" if shutil.which("tillbridge") else os.path.relpath(here)
    return f"{name} --workspace {os.path.relpath(folder)}"
