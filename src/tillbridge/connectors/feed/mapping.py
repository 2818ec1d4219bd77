"""A mapping: what a retailer's own file looks like and which of its columns mean what.

Written as TOML (see README.md), loaded and checked by `loading.py`. Everything here is plain data.
"""

from __future__ import annotations

from collections.abc import Mapping as Table

import msgspec

FORMATS = ("csv", "tsv", "jsonl", "fixed")
# Encodings in which a broken byte can be told from a good one and put back unharmed.
ENCODINGS = (
    "ascii", "utf-8", "latin-1", "iso8859-2", "iso8859-9", "iso8859-15", "cp1250", "cp1251",
    "cp1252", "cp1253", "cp1254", "cp1257", "cp437", "cp850", "cp852", "cp037", "cp500", "cp1140",
)  # fmt: skip
EBCDIC = ("cp037", "cp500", "cp1140")


class Step(msgspec.Struct, frozen=True):
    """One named transform with its argument (None for those without)."""

    name: str
    argument: object = None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a field's text comes from: columns (or JMESPath paths), or a constant.

    join: text between several columns. default: what an empty value means (None = nothing).
    numbers: a JSON number is fine where a text is meant (ids that some systems write as numbers).
    """

    columns: tuple[str, ...] = ()
    constant: str | None = None
    join: str = ""
    steps: tuple[Step, ...] = ()
    default: str | None = None
    numbers: bool = False


class Condition(msgspec.Struct, frozen=True):
    """A row counts when its column holds one of the values."""

    column: str
    values: tuple[str, ...]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A section of the mapping: which rows it reads and where each field comes from.

    once: only the first row of a group. each: path to a list inside a JSON row, one part for each
    of its members. unless_empty: the field that makes the part vanish when it is empty or zero.
    """

    section: str
    fields: Table[str, Source]
    when: Condition | None = None
    once: bool = False
    each: str = ""
    unless_empty: str = ""


class Span(msgspec.Struct, frozen=True):
    """A column of a fixed-width row: name, first character (from 1), number of characters."""

    name: str
    start: int
    width: int


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """A control record: the row that says how many rows there are and what they sum up to.

    place: `first` or `last`. starts: the text its line begins with. count, sum: field number (from
    1), or a Span of a fixed-width row. of: the column summed, with its own steps.
    """

    place: str
    starts: str
    count: int | Span | None = None
    sum: int | Span | None = None
    sum_steps: tuple[Step, ...] = ()
    of: str = ""
    of_steps: tuple[Step, ...] = ()


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How the file is written."""

    format: str
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    skip: int = 0
    columns: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A whole mapping. version: stands in every fact as `feed/<version>`."""

    name: str
    kind: str
    layout: Layout
    parts: tuple[Part, ...]
    identity: tuple[str, ...] = ()
    version: int = 1
    control: Control | None = None

    def section(self, name: str) -> tuple[Part, ...]:
        """The parts of one section."""
        return tuple(part for part in self.parts if part.section == name)

    def columns_used(self) -> tuple[str, ...]:
        """Every column (or path of a row) that the mapping reads, in order, once."""
        used = dict.fromkeys(self.identity)
        for part in self.parts:
            if part.when is not None:
                used[part.when.column] = None
            for source in part.fields.values():
                if not part.each:
                    used.update(dict.fromkeys(source.columns))
        if self.control is not None and self.control.of:
            used[self.control.of] = None
        return tuple(used)
