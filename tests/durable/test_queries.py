"""Named SQL: what the module asks for and what the file holds must agree at import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tillbridge.durable.queries import QueryFileError, load, parse

TEXT = """-- The log's own queries.
-- name: take_lanes
select lane from cursor  -- only lanes with work
where consumer = %b;

-- name: move
update cursor set pos = %b;
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An importable package with one file of queries."""
    folder = tmp_path / "querypackage"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "log.sql").write_text(TEXT)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("querypackage", None)
    return "querypackage"


def test_a_query_is_found_by_attribute_and_by_key(package: str) -> None:
    queries = load(package, "log.sql")
    assert queries.move == queries["move"] == "update cursor set pos = %b"
    assert queries.take_lanes.startswith("select lane from cursor  -- only")
    assert sorted(queries) == ["move", "take_lanes"]
    assert len(queries) == 2


def test_an_unknown_query_is_told_with_the_known_ones(package: str) -> None:
    with pytest.raises(AttributeError, match=r"no query 'mvoe'; it has move, take_lanes"):
        _ = load(package, "log.sql").mvoe


def test_a_missing_or_unused_query_fails_at_import(package: str) -> None:
    assert load(package, "log.sql", "move", "take_lanes").move
    with pytest.raises(QueryFileError, match="missing park; not used by its module nothing"):
        load(package, "log.sql", "move", "take_lanes", "park")
    with pytest.raises(QueryFileError, match="missing nothing; not used by its module take_lanes"):
        load(package, "log.sql", "move")


def test_a_file_that_is_not_there_is_named(package: str) -> None:
    with pytest.raises(QueryFileError, match=r"querypackage/logg\.sql does not exist"):
        load(package, "logg.sql")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("select 1;\n-- name: a\nselect 2;", "before the first"),
        ("-- name: a\nselect 1;\n-- name: a\nselect 2;", "twice"),
        ("-- name: take lanes\nselect 1;", "lower_case"),
        ("-- name: a\n\n-- name: b\nselect 1;", "empty"),
    ],
)
def test_a_malformed_file_is_refused(text: str, words: str) -> None:
    with pytest.raises(QueryFileError, match=words):
        parse(text, "x.sql")
