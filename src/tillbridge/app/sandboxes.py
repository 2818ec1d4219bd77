"""Sandbox ERPs of a workspace: joined where one runs, started for the command's own life else.

A connection of connector `sandbox` whose settings say `url = "auto"` gets a simulator of its own,
with its books in the workspace, so that a fresh workspace delivers documents at once.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tillbridge.app.settings import Workspace
from tillbridge.atoms.errors import Refused
from tillbridge.connectors.sandbox.erp_simulator import ErpSimulator

AUTO = "auto"
Overrides = dict[str, dict[str, Any]]


class Running(msgspec.Struct):
    """A sandbox that some process of this workspace runs."""

    pid: int
    address: str


@contextmanager
def sandbox_addresses(workspace: Workspace, *, run: bool) -> Iterator[Overrides]:
    """Addresses of the automatic sandboxes, as settings to lay over the file's.

    run: start those that nobody runs, and stop them at the end; else an address nobody answers at
    is given, and deliveries wait as they would in an outage.
    """
    with ExitStack() as stack:
        found: Overrides = {}
        for name, connection in workspace.settings.connection.items():
            if connection.connector == "sandbox" and connection.settings.get("url") == AUTO:
                address = _address(workspace, name, stack, run=run)
                found[name] = {"url": address}
        yield found


def _address(workspace: Workspace, name: str, stack: ExitStack, *, run: bool) -> str:
    folder = workspace.folder / ".tillbridge" / "sandbox" / name
    note = folder / "running.json"
    known = _read(note)
    if known is not None and _answers(known.address):
        return known.address
    if not run:
        return "http://127.0.0.1:9"
    folder.mkdir(parents=True, exist_ok=True)
    keys = workspace.secrets(name).get("api_key")
    if not keys:
        raise Refused(f"connection {name} needs the secret api_key")
    simulator = ErpSimulator(folder / "erp.sqlite", keys[0])
    address = simulator.start()
    stack.callback(simulator.close)
    note.write_bytes(msgspec.json.encode(Running(os.getpid(), address)))
    stack.callback(lambda: note.unlink(missing_ok=True))
    return address


def _read(note: Path) -> Running | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Running)
    except (OSError, msgspec.MsgspecError):
        return None


def _answers(address: str) -> bool:
    host, _, port = address.removeprefix("http://").partition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=0.5):
            return True
    except (OSError, ValueError):
        return False
