"""Hand-written SQL lives in `.sql` files beside the module that runs it, one block per query.

    -- name: take_lanes
    select lane, pos from cursor ...;

    SQL = load("tillbridge.durable", "log.sql", "take_lanes", "move_cursors")
    connection.execute(SQL.take_lanes, ...)

The names given to `load` are the names the module uses: one that is missing in the file, or a
block nobody uses, fails at import, not in the night.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import LiteralString

_NAME = re.compile(r"^--\s*name:\s*(.*?)\s*$", re.MULTILINE)
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


class QueryFileError(Exception):
    """A `.sql` file and the module beside it do not agree; the words name the file."""


class Queries(Mapping[str, LiteralString]):
    """The queries of one file, by attribute or by key.

    The text is the program's own, never made from input, hence LiteralString.
    """

    def __init__(self, origin: str, queries: dict[str, str]) -> None:
        self._origin = origin
        self._queries: dict[str, LiteralString] = queries

    def __getitem__(self, name: str) -> LiteralString:
        return self._queries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)

    def __getattr__(self, name: str) -> LiteralString:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._queries[name]
        except KeyError:
            known = ", ".join(sorted(self._queries))
            raise AttributeError(f"{self._origin} has no query {name!r}; it has {known}") from None


def parse(text: str, origin: str) -> dict[str, str]:
    """Split a file's text into its named blocks; raises QueryFileError on a bad or double name."""
    pieces = _NAME.split(text)
    stray = re.sub(r"--[^\n]*", "", pieces[0]).strip()
    if stray:
        raise QueryFileError(f"{origin}: SQL before the first `-- name:` line: {stray[:60]!r}")
    queries: dict[str, str] = {}
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if not _IDENTIFIER.fullmatch(name):
            raise QueryFileError(f"{origin}: {name!r} is not a lower_case query name")
        if name in queries:
            raise QueryFileError(f"{origin}: the query {name} stands there twice")
        statement = body.strip().removesuffix(";")
        if not statement:
            raise QueryFileError(f"{origin}: the query {name} is empty")
        queries[name] = statement
    return queries


def load(package: str, file: str, *names: str) -> Queries:
    """The queries of `file` in `package`; when `names` are given the file must hold just those.

    Raises QueryFileError.
    """
    origin = f"{package.replace('.', '/')}/{file}"
    try:
        text = resources.files(package).joinpath(file).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise QueryFileError(f"{origin} does not exist") from None
    queries = parse(text, origin)
    if names:
        missing = sorted(set(names) - set(queries))
        unused = sorted(set(queries) - set(names))
        if missing or unused:
            raise QueryFileError(
                f"{origin}: missing {', '.join(missing) or 'nothing'}; "
                f"not used by its module {', '.join(unused) or 'nothing'}"
            )
    return Queries(origin, queries)
