"""Where things stand in a TOML file: its parser gives values, a person needs line and column."""

from __future__ import annotations

import re

_TABLE = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\"' -]+?)\s*\]\]?")
_KEY = re.compile(r"^\s*(\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+)(?:\.[A-Za-z0-9_-]+)*\s*=")
_AT = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")


class Positions:
    """Lines and columns (from 1) of tables, keys and words of one TOML text."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines() or [""]
        self._tables: dict[tuple[str, int], int] = {("", 0): 1}
        self._keys: dict[tuple[str, int, str], tuple[int, int]] = {}
        self._scan()

    def of(self, table: str = "", index: int = 0, key: str = "", word: str = "") -> tuple[int, int]:
        """Place of a word in a key's value, else of the key, of the table, of the file."""
        line = self._tables.get((table, index), 1)
        column = 1
        found = self._keys.get((table, index, key)) if key else None
        if found is not None:
            line, column = found
        return (self._word(line, column, word) if word else None) or (line, column)

    def _scan(self) -> None:
        table, index = "", 0
        counts: dict[str, int] = {}
        for number, line in enumerate(self._lines, 1):
            head = _TABLE.match(line)
            if head is not None:
                table = head.group(2).strip("\"' ")
                index = counts.get(table, 0)
                counts[table] = index + 1
                self._tables[(table, index)] = number
                continue
            key = _KEY.match(line)
            if key is not None:
                name = key.group(1).strip("\"'")
                self._keys.setdefault((table, index, name), (number, key.start(1) + 1))

    def _word(self, line: int, column: int, word: str) -> tuple[int, int] | None:
        """First place of the word from a key on, up to the next key or table."""
        wanted = re.compile(rf"""["']{re.escape(word)}["']|\b{re.escape(word)}\s*=""")
        for number in range(line, len(self._lines) + 1):
            text = self._lines[number - 1]
            if number > line and (_TABLE.match(text) or _KEY.match(text)):
                return None
            start = text.find("=", column - 1) + 1 if number == line else 0
            found = wanted.search(text, start)
            if found is not None:
                return number, found.start() + 1
        return None


def position_of_syntax(words: str, text: str) -> tuple[int, int, str]:
    """Line, column and bare words of what the TOML parser complains about."""
    found = _AT.search(words)
    bare = _AT.sub("", words).strip()
    if found is None or found.group(1) is None:
        lines = text.splitlines() or [""]
        return len(lines), len(lines[-1]) + 1, bare
    return int(found.group(1)), int(found.group(2)), bare
