"""Rules that people write as tables of a TOML text: read, placed, and their values checked. Pure.

    document = read_document(text, "rules/stock.toml", "replenish", "rules")
    for table in document.tables:
        said, wrong = worded(table.words, {"min": quantity, "review_days": names}, "a rule")

The TOML reader gives no places, so tables are found by their headers. What cannot be meant is told
in words that begin with `file:line`; a value that cannot be read raises TypeError or ValueError.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tillbridge.atoms.quantity import QuantityError, to_thousandths

Reader = Callable[[Any], Any]
"""Gives what a value means; raises TypeError or ValueError with words."""


class NoTables(ValueError):
    """The text is no TOML, or its rules are not written as tables; one sentence, with the file."""


class Table(msgspec.Struct, frozen=True):
    """One table: its words as read, and where it stands (`file:line`)."""

    words: Mapping[str, Any]
    place: str


class Document(msgspec.Struct, frozen=True):
    """The tables of one name, in the order of the text, and the words beside them."""

    tables: tuple[Table, ...]
    others: Mapping[str, Any]


def table_lines(text: str, name: str) -> list[int]:
    """Line number of every `[[name]]` header, in order."""
    header = re.compile(rf"\s*\[\[\s*{re.escape(name)}\s*\]\]")
    return [n for n, line in enumerate(text.splitlines(), 1) if header.match(line)]


def parsed(text: str, file: str) -> dict[str, Any]:
    """A TOML text as it reads; raises NoTables."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise NoTables(f"{file}: {problem}") from None


def tables_of(
    document: Mapping[str, Any], text: str, file: str, name: str, what: str
) -> tuple[Table, ...]:
    """The tables `[[name]]` of a parsed text, with their places; raises NoTables.

    what: what the tables are called when they are not written so.
    """
    found = document.get(name, [])
    if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        raise NoTables(f"{file}: {what} are written as [[{name}]]")
    starts = table_lines(text, name)
    return tuple(
        Table(words, f"{file}:{starts[number] if number < len(starts) else 1}")
        for number, words in enumerate(found)
    )


def read_document(text: str, file: str, name: str, what: str) -> Document:
    """The tables `[[name]]` of a text and what stands beside them; raises NoTables."""
    document = parsed(text, file)
    tables = tables_of(document, text, file, name, what)
    return Document(tables, {word: value for word, value in document.items() if word != name})


def worded(
    words: Mapping[str, Any], readers: Mapping[str, Reader], what: str
) -> tuple[dict[str, Any], list[str]]:
    """What the words of a table mean, and a sentence for each that means nothing.

    what: the table as a sentence calls it, `a rule`.
    """
    said: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in words.items():
        if name not in readers:
            wrong.append(f"unknown word {name!r}; {what} has {', '.join(readers)}")
            continue
        try:
            said[name] = readers[name](value)
        except (TypeError, ValueError) as problem:
            wrong.append(f"{name}: {problem}")
    return said, wrong


def parted(said: Mapping[str, Any], whom: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a table says of whom it is for, and what it says for them."""
    return (
        {name: value for name, value in said.items() if name in whom},
        {name: value for name, value in said.items() if name not in whom},
    )


def names(value: Any) -> tuple[str, ...]:
    """A text or a list of texts, as a tuple."""
    found = tuple(value) if isinstance(value, list) else (value,)
    if not found or not all(isinstance(name, str) and name for name in found):
        raise ValueError("a text or a list of texts")
    return found


def one_of(words: Sequence[str]) -> Callable[[Any], str]:
    """One of these words."""

    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return str(value)

    return read


def whole(least: int, most: int, what: str = "a whole number") -> Callable[[Any], int]:
    """A whole number within bounds; `true` is none."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"{what} from {least} to {most}")
        return value

    return read


def quantity(value: Any) -> int:
    """Thousandths, not negative. A float is no exact quantity and is never taken for one."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError('a whole number, or a text such as "0.65"')
    try:
        found = to_thousandths(value)
    except QuantityError as problem:
        raise ValueError(str(problem)) from None
    if found < 0:
        raise ValueError("a quantity is not negative")
    return found


def truth(value: Any) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return value
