"""The verbs pause and resume: what is paused is shown with since when, by whom and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.app.test_command_line import Line
from tillbridge.durable.session import connect
from tillbridge.watch.metrics import collect


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Line:
    line = Line(tmp_path / "house", database_url, own_process=False)
    line.run("init", str(line.folder))
    return line


def test_a_pause_is_shown_and_one_older_than_a_day_in_so_many_words(
    shell: Line, database_url: str
) -> None:
    assert "erp/invoice is paused" in shell.here("pause", "erp/invoice", "--reason", "tax codes")
    assert "was paused already" in shell.here("pause", "erp/invoice")
    shell.here("pause", "web")
    told: Any = shell.json("status")
    assert [(one["connection"], one["kind"], one["reason"]) for one in told["pauses"]] == [
        ("erp", "invoice", "tax codes"),
        ("web", "", ""),
    ]
    assert "MORE THAN A DAY" not in shell.here("status")
    with connect(database_url) as connection:
        connection.execute("update pause set since = since - interval '25 hours'")
        connection.commit()
        text = collect(connection)
    assert 'tillbridge_paused_seconds{connection="erp",kind="invoice"} 9' in text
    shown = shell.here("status")
    assert "paused: erp/invoice" in shown
    assert "PAUSED FOR MORE THAN A DAY, since" in shown
    assert "tax codes" in shown
    assert "erp/invoice goes on" in shell.here("resume", "erp/invoice")
    shell.here("resume", "web")
    assert shell.json("status")["pauses"] == []
    acts = shell.here("audit", "list")
    assert "flow.pause" in acts
    assert "flow.resume" in acts
