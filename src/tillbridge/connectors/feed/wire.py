"""The body of one delivery of a feed: the rows of one sale, order, count, ... as they stood.

Columns of a text file are texts; a JSON lines file has JSON objects. `at` are the lines of the rows
relative to the first, left out when they follow each other. No file name and no line number is in
it, so that the same rows in a re-sent file are the same bytes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tillbridge.contract.wire import parse


class TextRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rows of a csv, tsv or fixed-width file: column -> text as it stood."""

    rows: list[dict[str, str]]
    at: list[int] = []


class JsonRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rows of a JSON lines file."""

    rows: list[dict[str, Any]]
    at: list[int] = []


def body_of(rows: list[dict[str, Any]], at: list[int]) -> bytes:
    """Canonical bytes of a delivery."""
    kept = [] if at == list(range(len(rows))) else at
    return msgspec.json.encode(JsonRows(rows=rows, at=kept))


def rows_of(body: bytes, form: str) -> TextRows | JsonRows:
    """Rows of a delivery; raises WireError."""
    return parse(JsonRows, body) if form == "jsonl" else parse(TextRows, body)
