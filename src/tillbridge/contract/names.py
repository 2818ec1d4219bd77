"""Cross-references: their names to ours and back, as pure look-ups a translator is handed.

Tables: product, location, channel, tender, tax, department. A translator asks for each name it
meets; what is missing is collected, so that one case lists everything that has to be mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

TABLES = ("product", "location", "channel", "tender", "tax", "department")


class MissingName(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value without a cross-reference: table, their value, where it stood, what it is about."""

    table: str
    theirs: str
    where: str
    hint: str = ""


class Names(Protocol):
    """What a translator may ask. Every call returns a name of ours, "" for a missing one."""

    def ours(self, table: str, theirs: str, *, where: str, hint: str = "") -> str:
        """Our name for theirs. `where` places it for a person ("line 3"); `hint` describes it."""


class CrossReferences:
    """Look-ups of one connection; collects what is missing."""

    def __init__(self, tables: Mapping[tuple[str, str], str]) -> None:
        """tables: (table, theirs) -> ours."""
        self._tables = tables
        self.missing: list[MissingName] = []

    def ours(self, table: str, theirs: str, *, where: str, hint: str = "") -> str:
        """Our name, or "" with the gap noted in `missing`."""
        found = self._tables.get((table, theirs))
        if found is None:
            self.missing.append(MissingName(table, theirs, where, hint))
            return ""
        return found


class Proposals:
    """Stands in for cross-references to draw tables from source files: proposes a name for all."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self.rows: dict[tuple[str, str], tuple[str, str]] = {}

    def ours(self, table: str, theirs: str, *, where: str, hint: str = "") -> str:
        """Notes (table, theirs) with a proposed name of ours and returns it."""
        proposed = theirs if table == "product" else f"{theirs}".strip().lower().replace(" ", "-")
        kept = self.rows.setdefault((table, theirs), (proposed, hint))
        return kept[0]
