"""docs/api.md shows the routes, scopes and problems there are."""

from __future__ import annotations

import re

from tests.tidy.tree import ROOT
from tillbridge.app.api.problems import PROBLEMS
from tillbridge.app.api.table import ROUTES
from tillbridge.triage.rights import SCOPES

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def _rows(columns: str) -> list[str]:
    """The rows below a table's head."""
    found = re.search(rf"^\| {re.escape(columns)} \|\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert found, columns
    return found[1].splitlines()


def test_the_page_shows_every_route_as_the_table_has_it() -> None:
    wanted = [
        f"| `{route.method} {route.path}` | {f'`{route.scope}`' * bool(route.scope)} |"
        f" {route.words} |"
        for route in ROUTES
    ]
    assert _rows("Route | Takes | What it does") == wanted


def test_the_page_shows_every_scope_and_problem() -> None:
    wanted = [f"| `{scope}` | {words} |" for scope, words in SCOPES.items()]
    assert _rows("Scope | What it is good for") == wanted
    wanted = [f"| `{n}` | {k.status} | {k.title}. {k.words} |" for n, k in PROBLEMS.items()]
    assert _rows("Type | Status | What it means") == wanted
