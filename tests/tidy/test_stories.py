"""docs/stories.md: every story is in it once."""

from __future__ import annotations

import re

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
