"""The table of cases in docs/operations.md is complete."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tidy.case_rules import every_reason_is_explained
from tests.tidy.tree import ROOT

_SOURCE = '''"""A room."""


class Odd(NeedsDecision):
    """A subclass."""

    def __init__(self, words: str) -> None:
        super().__init__("body_odd", words)


def look(kind: str) -> None:
    """Raise."""
    raise NeedsDecision("till_gone", "words", owner="stores" if kind else "finance")
'''


def _planted(folder: Path, source: str, rows: str) -> list[str]:
    (folder / "src").mkdir()
    (folder / "docs").mkdir()
    (folder / "src" / "room.py").write_text(source)
    (folder / "docs" / "operations.md").write_text(rows)
    return every_reason_is_explained(folder)


def test_every_reason_of_a_case_is_explained_with_its_owners() -> None:
    assert every_reason_is_explained(ROOT) == []


def test_every_metric_is_in_the_table() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name in ("watch/metrics.py", "app/http.py"):
        source = (ROOT / "src" / "tillbridge" / name).read_text(encoding="utf-8")
        names = re.findall(r'"(tillbridge_[a-z_]+)"', source)
        assert names
        assert [
            one for one in names if f"`{one}`" not in page and f"`{one}_total`" not in page
        ] == []


def test_a_reason_without_a_row_is_seen(tmp_path: Path) -> None:
    rows = "| `till_gone` | stores, finance | gone | look |\n"
    assert _planted(tmp_path, _SOURCE, rows) == ["docs/operations.md: no row for `body_odd`"]


def test_a_row_without_a_reason_and_a_missing_owner_are_seen(tmp_path: Path) -> None:
    told = {"till_gone": "stores", "body_odd": "integration", "old": "stores"}
    rows = "".join(f"| `{reason}` | {owner} | w | m |\n" for reason, owner in told.items())
    assert _planted(tmp_path, _SOURCE, rows) == [
        "docs/operations.md: nothing gives `old`",
        "docs/operations.md: `till_gone` is also owned by finance",
    ]


def test_a_reason_that_cannot_be_looked_up_is_seen(tmp_path: Path) -> None:
    problems = _planted(tmp_path, _SOURCE.replace('"till_gone"', "kind"), "")
    assert any("a reason is a plain text" in problem for problem in problems)
