"""ERPs of a workspace's own, beside the hub: joined where one runs, else started and ended with us.

A connection whose settings say `url = "auto"` has one: connector `sandbox` a simulator with its
books in the workspace, connector `tryton` a real Tryton on the workspace's PostgreSQL server. The
hub never waits for them: until they answer, deliveries wait as they would in an outage.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from tillbridge.app.beside_tryton import TrytonBeside, tryton_address
from tillbridge.app.settings import Workspace
from tillbridge.atoms.errors import Refused
from tillbridge.connectors.sandbox.erp_simulator import ErpSimulator
from tillbridge.durable import accounts, jobs
from tillbridge.durable.session import connect

AUTO = "auto"
NOBODY = "http://127.0.0.1:9"
Overrides = dict[str, dict[str, Any]]


class Running(msgspec.Struct):
    """A sandbox that some process of this workspace runs."""

    pid: int
    address: str


@contextmanager
def services_beside(
    workspace: Workspace, url: str, *, run: bool, tell: Callable[[str], None]
) -> Iterator[Overrides]:
    """Addresses of the automatic ERPs, as settings to lay over the file's.

    run: start those that nobody runs and stop them at the end; else an address is given that may
    not answer, and deliveries wait. url: the hub's database. tell: takes a line for a person.
    """
    with ExitStack() as stack:
        found: Overrides = {}
        for name, connection in workspace.settings.connection.items():
            if connection.settings.get("url") != AUTO:
                continue
            if connection.connector == "sandbox":
                found[name] = {"url": _sandbox(workspace, name, stack, run=run)}
            elif connection.connector == "tryton":
                found[name] = {"url": tryton_address(workspace, name)}
                if run:
                    tryton = TrytonBeside(workspace, name, url, on_up=_awaited(url, name, tell))
                    stack.enter_context(tryton.running(tell))
        yield found


def service_up(url: str, name: str) -> None:
    """Let a destination that has just come up be called at once, not when its breaker says so."""
    with connect(url) as connection:
        number = jobs.dests(connection).get(name)
        if number is not None:
            accounts.breaker_close(connection, number)
            connection.execute(jobs.QUERIES.notify)
        connection.commit()


def _awaited(url: str, name: str, tell: Callable[[str], None]) -> Callable[[], None]:
    def up() -> None:
        try:
            service_up(url, name)
        except psycopg.Error:
            return  # the store is away or has no schema yet; the breaker's own probe comes
        tell(f"connection {name}: the ERP is up")

    return up


def _sandbox(workspace: Workspace, name: str, stack: ExitStack, *, run: bool) -> str:
    known = _read(_note(workspace, name))
    if known is not None and answers(known.address):
        return known.address
    if not run:
        return NOBODY
    sandbox = SandboxBeside(workspace, name)
    address = sandbox.start()
    stack.callback(sandbox.stop)
    return address


class SandboxBeside:
    """The simulator of one connection, its books in the workspace; other commands find it."""

    def __init__(self, workspace: Workspace, name: str, port: int = 0) -> None:
        """port: 0 = a free one. Raises Refused when the connection has no key."""
        self._note = _note(workspace, name)
        self._note.parent.mkdir(parents=True, exist_ok=True)
        keys = workspace.secrets(name).get("api_key")
        if not keys:
            raise Refused(f"connection {name} needs the secret api_key")
        self._simulator = ErpSimulator(self._note.with_name("erp.sqlite"), keys[0], port=port)

    @property
    def address(self) -> str:
        """Where it will answer."""
        return self._simulator.address

    def start(self) -> str:
        """Begin to answer; gives the address."""
        address = self._simulator.start()
        self._note.write_bytes(msgspec.json.encode(Running(os.getpid(), address)))
        return address

    def balances(self) -> dict[tuple[str, str], int]:
        """Its ledger: (company, account) -> minor units, debit positive."""
        return self._simulator.store.balances()

    def stop(self) -> None:
        """End it."""
        self._note.unlink(missing_ok=True)
        self._simulator.close()


def _note(workspace: Workspace, name: str) -> Path:
    return workspace.folder / ".tillbridge" / "sandbox" / name / "running.json"


def _read(note: Path) -> Running | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None


def answers(address: str) -> bool:
    """Whether somebody listens at `http://host:port`."""
    host, _, port = address.removeprefix("http://").partition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=0.5):
            return True
    except (OSError, ValueError):
        return False
