"""ERPs beside the hub: one process runs them, others join, the hub never waits for them."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from tillbridge.app.beside import NOBODY, answers, service_up, services_beside
from tillbridge.app.beside_tryton import TrytonBeside, tryton_address, tryton_folder
from tillbridge.app.settings import Workspace, load_workspace
from tillbridge.app.workspace import init
from tillbridge.atoms.ids import SystemIds
from tillbridge.durable import accounts
from tillbridge.durable.rooms import Connection

_TRYTON = """
[connection.big]
connector = "tryton"
entity = "us"
secrets.password = { file = "secrets/erp-key" }
settings = { url = "auto", database = "big_erp" }
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "hub"
    init(folder, SystemIds())
    with (folder / "tillbridge.toml").open("a") as file:
        file.write(_TRYTON)
    return load_workspace(folder)


def quiet(words: str) -> None:
    """Nobody listens."""


def test_a_sandbox_is_run_once_and_joined_by_others(workspace: Workspace) -> None:
    with services_beside(workspace, "", run=False, tell=quiet) as nobody:
        assert nobody["erp"] == {"url": NOBODY}
    told: list[str] = []
    with services_beside(workspace, "", run=True, tell=told.append) as first:
        address = first["erp"]["url"]
        assert answers(address)
        with services_beside(workspace, "", run=False, tell=quiet) as second:
            assert second["erp"]["url"] == address
    assert not answers(address)


def test_a_tryton_has_one_address_whether_or_not_it_runs(workspace: Workspace) -> None:
    with services_beside(workspace, "", run=False, tell=quiet) as first:
        address = first["big"]["url"]
    assert address == tryton_address(workspace, "big")
    with services_beside(workspace, "", run=False, tell=quiet) as second:
        assert second["big"]["url"] == address
    assert not answers(address)


def test_a_tryton_that_cannot_come_up_is_told_and_holds_nobody_up(workspace: Workspace) -> None:
    tryton_address(workspace, "big")
    tryton = TrytonBeside(workspace, "big", "")
    told: list[str] = []
    with tryton.running(told.append):
        tryton._thread.join(10)
        assert "books.json" in tryton.problem
        assert not tryton.up.is_set()
    assert len(told) <= 1
    assert all("documents wait" in words for words in told)


def test_a_second_process_joins_the_tryton_of_the_first(workspace: Workspace) -> None:
    tryton_address(workspace, "big")
    with (tryton_folder(workspace.folder, "big") / "lock").open("a") as held:
        fcntl.flock(held.fileno(), fcntl.LOCK_EX)
        tryton = TrytonBeside(workspace, "big", "")
        tryton.start()
        assert tryton.up.wait(10)
        assert tryton.joined
        tryton.stop()


def test_an_erp_that_came_up_is_called_at_once(connection: Connection, database_url: str) -> None:
    number = accounts.make_dest(connection, "erp", accounts.Budget())
    connection.execute(
        "update dest set failures = 9, open_until = now() + interval '5 min' where dest = %b",
        (number,),
    )
    connection.commit()
    service_up(database_url, "erp")
    row = connection.execute("select failures, open_until from dest").fetchone()
    assert row == (0, None)
    service_up(database_url, "nobody")
