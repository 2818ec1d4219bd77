"""docs/stories.md: every story is in it once, and the sales shown in full are told by the code."""

from __future__ import annotations

import re

from tests.stories.shown import SHOWN
from tests.tidy.tree import ROOT

PAGE = ROOT / "docs" / "stories.md"
_ROW = re.compile(
    r"^\| [^|]+ \| \[(test_\w+)\]\(\.\./tests/stories/(test_\w+)\.py\) \|$", re.MULTILINE
)


def test_every_story_is_on_the_page_once_and_exists() -> None:
    told = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert [name for name, file in told if name != file] == []
    there = sorted(path.stem for path in (ROOT / "tests" / "stories").glob("test_*.py"))
    assert sorted(name for name, _ in told) == there


def test_the_sales_shown_in_full_are_those_that_are_played() -> None:
    page = PAGE.read_text(encoding="utf-8").partition("## Three sales in full\n")[2]
    assert re.findall(r"^### (.+)$", page, re.MULTILINE) == [title for title, _ in SHOWN.values()]
    commands = re.findall(r"^\$ tillbridge story (\S+)$", page, re.MULTILINE)
    assert commands == [key.rpartition("/")[2] for key in SHOWN]
