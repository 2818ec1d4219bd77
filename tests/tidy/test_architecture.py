"""ARCHITECTURE.md tells every invariant, and its picture of the tree is the tree."""

from __future__ import annotations

import re

from tests.tidy.tree import ROOT

PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src" / "tillbridge"
# Sentences of watch/verify.py that are no single query.
WORKED_OUT = {"every record is in its lane", "nothing is pending"}


def sentences_told(page: str) -> set[str]:
    """The invariants a page lists, without the mark of those that hold at rest."""
    part = page.split("## What never happens", 1)[1].split("\n## ", 1)[0]
    lists = re.findall(r"^- \*\*\w+\*\*: (.*?)\.$", part, re.MULTILINE | re.DOTALL)
    return {" ".join(one.split()).rstrip("*") for text in lists for one in text.split(";")}


def test_every_invariant_is_told_and_no_other() -> None:
    sql = (SOURCE / "watch" / "invariants.sql").read_text(encoding="utf-8")
    names = {name.replace("_", " ") for name in re.findall(r"^-- name: (\w+)$", sql, re.MULTILINE)}
    assert sentences_told(PAGE) == names | WORKED_OUT


def test_every_room_has_its_sentence() -> None:
    told = set(re.findall(r"^      (\w+)/ +\S", PAGE, re.MULTILINE))
    assert told == {path.parent.name for path in SOURCE.glob("*/__init__.py")}


def test_a_sentence_that_is_left_out_is_seen() -> None:
    page = "## What never happens\n\n- **Log**: no hole; nothing\n  lost*.\n\n## More\n"
    assert sentences_told(page) == {"no hole", "nothing lost"}
