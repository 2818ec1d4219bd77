"""The verbs for secrets: a value goes in by standard input and never comes out again."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.app.test_command_line import Line
from tests.stories.test_cards_told import rows_of
from tillbridge.app.settings import load_workspace
from tillbridge.durable.session import connect

CANARY = "canary-typed-by-a-person-77"


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Line:
    line = Line(tmp_path / "house", database_url, own_process=False)
    line.run("init", str(line.folder))
    return line


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_secret_is_set_listed_and_sealed_anew_and_stands_nowhere(
    shell: Line, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    told = []
    typed(monkeypatch, CANARY + "\n")
    told.append(shell.here("secrets", "set", "web-webhook"))
    assert "version 2" in told[0]
    listed: Any = shell.json("secrets", "list")
    assert [(s["name"], s["version"], s["sealed"]) for s in listed["secrets"]] == [
        ("erp-key", 1, True),
        ("web-webhook", 2, True),
    ]
    told += [str(listed), shell.here("secrets", "list"), shell.here("secrets", "rotate-key")]
    assert load_workspace(shell.folder).secrets("web")["webhook"] == (CANARY,)
    told.append(shell.here("audit", "list"))
    assert "secrets.set" in told[-1]
    assert "secrets.rotate_key" in told[-1]
    assert [text for text in told if CANARY in text] == []
    inside = [path for path in shell.folder.rglob("*") if path.is_file()]
    assert [path for path in inside if CANARY.encode() in path.read_bytes()] == []
    with connect(database_url) as connection:
        assert [table for table, row in rows_of(connection) if CANARY.encode() in row] == []


def test_plain_files_are_sealed_where_they_stand(shell: Line) -> None:
    (shell.folder / "secrets" / "erp-key").write_text(CANARY)
    assert "plain" in shell.here("secrets", "list")
    assert shell.json("secrets", "import") == {"sealed": ["erp-key"]}
    assert shell.json("secrets", "import") == {"sealed": []}
    assert load_workspace(shell.folder).secrets("erp")["api_key"] == (CANARY,)


def test_nothing_typed_is_refused(shell: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "\n")
    shell.here("secrets", "set", "web-webhook", code=1)
    assert load_workspace(shell.folder).secrets("web")["webhook"] != ("",)
