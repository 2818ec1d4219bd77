"""Reads the fields of a mapping from rows; a wrong value is refused with its place and itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import jmespath
import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, to_minor
from tillbridge.atoms.quantity import QuantityError, to_thousandths
from tillbridge.connectors.feed.kinds import SCHEMA
from tillbridge.connectors.feed.mapping import Mapping, Part, Source, Step
from tillbridge.connectors.feed.meaning import Meaning
from tillbridge.connectors.feed.transforms import (
    Transform,
    WrongArgument,
    WrongValue,
    compiled,
    zone_of,
)

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,6})?")
_FLAGS = {
    "true": True,
    "yes": True,
    "y": True,
    "1": True,
    "false": False,
    "no": False,
    "n": False,
    "0": False,
    "": False,
}


class Cell(msgspec.Struct, frozen=True):
    """One field of one part as text, and how to say where it stood."""

    text: str
    where: str


class Reading(msgspec.Struct, frozen=True):
    """One part of a delivery: its fields as the file has them.

    place: `file:line` of its row. row: the values (a row, or a member of a list inside one).
    """

    mapping: Mapping
    part: Part
    row: dict[str, Any]
    place: str
    number: int
    currency: str = ""

    def has(self, field: str) -> bool:
        """Whether the mapping has the field and it is not empty here."""
        return field in self.part.fields and bool(self.cell(field).text)

    def cell(self, field: str) -> Cell:
        """The field's text after its transforms; empty when it is not mapped."""
        source = self.part.fields.get(field)
        if source is None:
            return Cell("", self.place)
        where = f"{self.place}:{self._column(source)}"
        try:
            text = self._raw(source, field)
            for step in _compiled(source.steps):
                text = step(text)
        except WrongValue as problem:
            raise unreadable(where, f"{field}: {problem}") from None
        text = text.strip()
        if not text and source.default is not None:
            text = source.default
        return Cell(text, where)

    def text(self, field: str) -> str:
        """A text; refused when it is required and empty."""
        cell = self.cell(field)
        if not cell.text and self._meaning(field).required:
            raise unreadable(cell.where, f"{field} is empty")
        return cell.text

    def decimal(self, field: str) -> Decimal | None:
        """A number, None when empty."""
        cell = self.cell(field)
        if not cell.text:
            self._refuse_nothing(field, cell)
            return None
        if not _NUMBER.fullmatch(cell.text):
            raise unreadable(cell.where, f"{field}: {cell.text!r} is no number")
        return Decimal(cell.text)

    def amount(self, field: str) -> int | None:
        """Minor units of the part's currency, None when empty."""
        found = self.decimal(field)
        if found is None:
            return None
        try:
            return to_minor(found, self.currency)
        except MoneyError as problem:
            raise unreadable(self.cell(field).where, f"{field}: {problem}") from None

    def quantity(self, field: str) -> int | None:
        """Thousandths, None when empty."""
        found = self.decimal(field)
        if found is None:
            return None
        try:
            return to_thousandths(found)
        except QuantityError as problem:
            raise unreadable(self.cell(field).where, f"{field}: {problem}") from None

    def day(self, field: str) -> date:
        """A day, required."""
        cell = self.cell(field)
        try:
            if not cell.text.isascii() or len(cell.text) != 10:
                raise ValueError
            return date.fromisoformat(cell.text)
        except ValueError:
            raise unreadable(cell.where, f"{field}: {cell.text!r} is no day") from None

    def instant(self, field: str, zone: str) -> datetime | None:
        """An instant in UTC; a time without offset is local in `zone`. None when empty."""
        cell = self.cell(field)
        if not cell.text:
            self._refuse_nothing(field, cell)
            return None
        try:
            if not cell.text.isascii() or len(cell.text) < 10:
                raise ValueError
            found = datetime.fromisoformat(cell.text)
            return (found if found.tzinfo else found.replace(tzinfo=zone_of(zone))).astimezone(UTC)
        except (ValueError, OverflowError) as problem:
            words = str(problem) if isinstance(problem, WrongArgument) else "no date and time"
            raise unreadable(cell.where, f"{field}: {cell.text!r} is {words}") from None

    def choice(self, field: str, otherwise: str = "") -> str:
        """One of a closed list; `otherwise` when empty."""
        cell = self.cell(field)
        text = cell.text or otherwise
        allowed = self._meaning(field).choices
        if text not in allowed:
            raise unreadable(cell.where, f"{field}: {text!r} is none of {', '.join(allowed)}")
        return text

    def flag(self, field: str, *, otherwise: bool = False) -> bool:
        """True or false; `otherwise` when not mapped."""
        if field not in self.part.fields:
            return otherwise
        cell = self.cell(field)
        if cell.text.lower() not in _FLAGS:
            raise unreadable(cell.where, f"{field}: {cell.text!r} is neither true nor false")
        return _FLAGS[cell.text.lower()]

    def where(self, field: str) -> str:
        """How to say where a field stood."""
        return self.cell(field).where

    def _refuse_nothing(self, field: str, cell: Cell) -> None:
        if self._meaning(field).required:
            raise unreadable(cell.where, f"{field} is empty")

    def _meaning(self, field: str) -> Meaning:
        return SCHEMA[self.mapping.kind][self.part.section][field]

    def _column(self, source: Source) -> str:
        """Number of the column in a row; where a fixed-width column starts; the path in JSON."""
        if not source.columns:
            return "1"
        name = source.columns[0]
        for span in self.mapping.layout.spans:
            if span.name == name:
                return str(span.start)
        return str(list(self.row).index(name) + 1) if name in self.row else name

    def _raw(self, source: Source, field: str) -> str:
        if source.constant is not None:
            return source.constant
        form = self.mapping.layout.format
        kind = self._meaning(field).kind
        numeric = source.numbers or kind in ("number", "amount", "quantity")
        texts = []
        for column in source.columns:
            if form == "jsonl":
                texts.append(_json_text(_path(column).search(self.row), column, numeric=numeric))
            elif column not in self.row:
                raise WrongValue(f"the row has no column {column!r}")
            else:
                texts.append(self.row[column])
        return texts[0] if len(texts) == 1 else source.join.join(texts)


def readings(
    mapping: Mapping,
    rows: list[dict[str, Any]],
    places: list[str],
    section: str,
    currency: str = "",
) -> Iterator[Reading]:
    """The parts of a section in the order of the rows."""
    for part in mapping.section(section):
        matching = [
            (number, row)
            for number, row in enumerate(rows)
            if _matches(mapping, part, row, places[number])
        ]
        count = 0
        for number, row in matching[:1] if part.once else matching:
            for member in _members(part, row, places[number]):
                count += 1
                reading = Reading(mapping, part, member, places[number], count, currency)
                if part.unless_empty and _is_nothing(reading.cell(part.unless_empty).text):
                    continue
                yield reading


def unreadable(where: str, words: str) -> NeedsDecision:
    """The case of a value that cannot be believed."""
    return NeedsDecision("body_unreadable", f"{where}: {words}", owner="integration")


def places_of(place: str, at: list[int], count: int) -> list[str]:
    """`file:line` of each row: from the delivery's place when it is known, else by number."""
    name, _, line = place.removesuffix(":1").rpartition(":")
    offsets = at or list(range(count))
    if name and line.isdecimal():
        return [f"{name}:{int(line) + offset}" for offset in offsets]
    return [f"row {number + 1}" for number in range(count)]


def path_value(mapping: Mapping, row: dict[str, Any], column: str) -> Any:
    """Value of a column, or of a path in a JSON row; None when there is none."""
    return _path(column).search(row) if mapping.layout.format == "jsonl" else row.get(column)


def identity_of(mapping: Mapping, row: dict[str, Any]) -> tuple[str, ...]:
    """Identity of the thing a row belongs to, in the file's own terms; raises WrongValue."""
    parts = []
    for column in mapping.identity:
        found = path_value(mapping, row, column)
        if isinstance(found, bool) or not isinstance(found, str | int):
            raise WrongValue(f"{column} is {found!r}, which identifies nothing")
        text = str(found).strip()
        if not text:
            raise WrongValue(f"{column} is empty, but it identifies the {mapping.kind}")
        parts.append(text)
    return tuple(parts)


def _matches(mapping: Mapping, part: Part, row: dict[str, Any], place: str) -> bool:
    if part.when is None:
        return True
    column = part.when.column
    found = path_value(mapping, row, column)
    if not isinstance(found, str):
        raise unreadable(place, f"{column} is {found!r}, a text is needed")
    return found.strip() in part.when.values


def _members(part: Part, row: dict[str, Any], place: str) -> list[dict[str, Any]]:
    if not part.each:
        return [row]
    found = _path(part.each).search(row)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(member, dict) for member in found):
        raise unreadable(place, f"{part.each} is no list of objects")
    return found


def _json_text(found: Any, path: str, *, numeric: bool) -> str:
    """Text of a JSON value: text as it is, numbers only where a number is meant."""
    if found is None:
        return ""
    if isinstance(found, str):
        return found
    if numeric and isinstance(found, int | float) and not isinstance(found, bool):
        text = repr(found)
        if _NUMBER.fullmatch(text):
            return text.removesuffix(".0")
    raise WrongValue(f"{path} is {found!r}, which is of the wrong type")


def _is_nothing(text: str) -> bool:
    return not text or (_NUMBER.fullmatch(text) is not None and not Decimal(text))


@lru_cache(maxsize=1024)
def _path(path: str) -> Any:
    return jmespath.compile(path)


@lru_cache(maxsize=1024)
def _cached(name: str, argument: str) -> Transform:
    return compiled(name, msgspec.json.decode(argument))


def _compiled(steps: tuple[Step, ...]) -> Iterator[Transform]:
    for step in steps:
        yield _cached(step.name, msgspec.json.encode(step.argument).decode())
