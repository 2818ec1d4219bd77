"""ARCHITECTURE.md tells every invariant, and its picture of the tree is the tree."""

from __future__ import annotations

import re

from tests.tidy.tree import ROOT
from tillbridge.watch.invariants import INVARIANTS

PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src" / "tillbridge"


def sentences_told(page: str) -> set[str]:
    """The invariants a page lists, without the marks of those at rest and of the deep ones."""
    part = page.split("## What never happens", 1)[1].split("\n## ", 1)[0]
    lists = re.findall(r"^- \*\*[\w ]+\*\*: (.*?)\.$", part, re.MULTILINE | re.DOTALL)
    return {" ".join(one.split()).rstrip("*+") for text in lists for one in text.split(";")}


def test_every_invariant_is_told_and_no_other() -> None:
    assert sentences_told(PAGE) == {one.sentence for one in INVARIANTS}


def test_every_room_has_its_sentence() -> None:
    told = set(re.findall(r"^      (\w+)/ +\S", PAGE, re.MULTILINE))
    assert told == {path.parent.name for path in SOURCE.glob("*/__init__.py")}


def test_a_sentence_that_is_left_out_is_seen() -> None:
    page = "## What never happens\n\n- **The log**: no hole; nothing\n  lost*; odd+.\n\n## More\n"
    assert sentences_told(page) == {"no hole", "nothing lost", "odd"}
