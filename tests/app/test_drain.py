"""Draining ends when nothing is on its way any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import Connection

from tillbridge.app.hub import Hub
from tillbridge.app.settings import load_workspace
from tillbridge.app.worker import drain
from tillbridge.app.workspace import init
from tillbridge.atoms.ids import SystemIds


@pytest.mark.parametrize("erp", [True, False])
def test_entries_of_an_entity_without_an_erp_do_not_hold_the_drain_up(
    connection: Connection, database_url: str, tmp_path: Path, erp: bool
) -> None:
    init(tmp_path / "workspace", SystemIds())
    file = tmp_path / "workspace" / "tillbridge.toml"
    if not erp:
        file.write_text(file.read_text().replace('erp = "erp"\n', ""))
    hub = Hub(
        load_workspace(file.parent), database_url, overrides={"erp": {"url": "http://127.0.0.1:9"}}
    )
    for n, amount in enumerate((500, -500)):
        connection.execute(
            "insert into journal_pending (entry, n, entity, flow, place, day, currency, account,"
            " amount) values ('a', %s, 'us', 'stores', 'nyc', '2026-01-04', 'USD', %s, %s)",
            (n, f"account-{n}", amount),
        )
    connection.commit()
    left = drain(hub, 0.3)
    assert (left.moving, left.documents) == ((True, 1) if erp else (False, 0))
    waiting = connection.execute("select count(*) from journal_pending").fetchone()
    assert waiting == ((0,) if erp else (2,))
