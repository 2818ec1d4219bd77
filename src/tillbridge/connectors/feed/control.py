"""Control totals: the first or last row says how many rows there are and what they sum up to."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

import msgspec

from tillbridge.connectors.feed.mapping import Control, Mapping, Span, Step
from tillbridge.connectors.feed.rows import Row
from tillbridge.connectors.feed.transforms import WrongValue, compiled


def is_control(row: Row, control: Control | None) -> bool:
    """Whether a row is the control record, by the text its line begins with."""
    return (
        control is not None
        and not row.skipped
        and row.text.lstrip("\"'").startswith(control.starts)
    )


class Compared(msgspec.Struct, frozen=True):
    """A control record beside the rows. line, words: where and how they differ, "" when they agree.
    stated, stated_sum: None where it says nothing that can be read.
    """

    line: int = 0
    words: str = ""
    counted: int = 0
    stated: int | None = None
    counted_sum: Decimal = Decimal(0)
    stated_sum: Decimal | None = None


def control_problem(found: Iterator[Row], mapping: Mapping) -> tuple[int, str]:
    """Line and words of what does not agree, or (0, ""). Reads all rows, keeps none."""
    one = compared(found, mapping)
    return one.line, one.words


def compared(found: Iterator[Row], mapping: Mapping) -> Compared:
    """The control record and the rows. Reads all rows but those after a wrong one, keeps none."""
    control = mapping.control
    if control is None:
        return Compared()
    tally = _Tally(mapping, control)
    stated: Row | None = None
    for row in found:
        if is_control(row, control):
            if stated is not None:
                return tally.told(row.line, "there are two control records")
            if control.place == "first" and tally.count:
                return tally.told(row.line, "the control record is not the first row")
            stated = row
            continue
        if stated is not None and control.place == "last":
            return tally.told(row.line, "there are rows after the control record")
        tally.add(row)
    if stated is None:
        words = f"there is no control record (a row that begins with {control.starts!r})"
        return tally.told(tally.line, words)
    return tally.told(stated.line, tally.disagreement(stated))


class _Tally:
    """Count and sum of the rows so far."""

    def __init__(self, mapping: Mapping, control: Control) -> None:
        self._mapping = mapping
        self._control = control
        self._columns: list[str] = list(mapping.layout.columns)
        self._headed = not mapping.layout.header
        self.count = 0
        self.line = 1
        self._sum = Decimal(0)
        self._stated: int | None = None
        self._stated_sum: Decimal | None = None
        self._unread = ""

    def told(self, line: int, words: str) -> Compared:
        """What was found so far."""
        return Compared(
            line if words else 0, words, self.count, self._stated, self._sum, self._stated_sum
        )

    def add(self, row: Row) -> None:
        """Take one row: the header, or one to count."""
        self.line = row.line
        if row.skipped:
            return
        if not self._headed:
            self._headed = True
            self._columns = [str(name).strip() for name in row.values or ()]
            return
        self.count += 1
        if not self._control.of:
            return
        try:
            self._sum += number_of(
                _cell(row, self._columns, self._control.of), self._control.of_steps
            )
        except (WrongValue, KeyError) as problem:
            self._unread = self._unread or f"line {row.line}: {problem}"

    def disagreement(self, stated: Row) -> str:
        """What the control record says otherwise, in words; empty when all agrees."""
        control, count = self._control, Decimal(self.count)
        try:
            if control.count is not None:
                count = number_of(_piece(stated, control.count), ())
                self._stated = int(count)
            if control.sum is not None:
                self._stated_sum = number_of(_piece(stated, control.sum), control.sum_steps)
        except (WrongValue, KeyError) as problem:
            return f"the control record cannot be read: {problem}"
        if count != self.count:
            return f"the control record says {count} rows, there are {self.count}"
        if self._stated_sum is not None and self._unread:
            return f"{control.of} cannot be summed: {self._unread}"
        if self._stated_sum is not None and self._stated_sum != self._sum:
            return (
                f"the control record says {self._stated_sum} for {control.of}, the rows sum up to "
                f"{self._sum} (difference {self._stated_sum - self._sum})"
            )
        return ""


def number_of(text: str, steps: tuple[Step, ...]) -> Decimal:
    """A number after its transforms; raises WrongValue."""
    for step in steps:
        text = compiled(step.name, step.argument)(text)
    bare = text.strip()
    if not bare.isascii() or "_" in bare:
        raise WrongValue(f"{text!r} is no number")
    try:
        found = Decimal(bare)
    except InvalidOperation:
        raise WrongValue(f"{text!r} is no number") from None
    if not found.is_finite() or abs(found.adjusted()) > 18:
        raise WrongValue(f"{text!r} is no number")
    return found


def _cell(row: Row, columns: list[str], name: str) -> str:
    if isinstance(row.values, dict):
        return str(row.values[name])
    if row.values is None or len(row.values) != len(columns) or name not in columns:
        raise WrongValue("the row cannot be read")
    return row.values[columns.index(name)]


def _piece(row: Row, where: int | Span) -> str:
    """A field of the control record; it may have other columns than the rows."""
    text = row.text.rstrip("\r\n")
    if isinstance(where, Span):
        return text[where.start - 1 : where.start - 1 + where.width].strip()
    if not isinstance(row.values, list) or len(row.values) < where:
        raise WrongValue(f"it has no field {where}")
    return row.values[where - 1]
