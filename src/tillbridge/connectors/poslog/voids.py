"""Line voids: which lines of a receipt still count.

Tills tell a void in several ways: a flag on the voided line itself; a second, negative line that
takes the first one back (flagged, or naming the line it voids); a second line with the same
positive amount that names the first. Each flagged line is looked at in its own right, and the
log's totals prove the choice (`reading.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from tillbridge.connectors.poslog import wire

# paired: as told line by line. flagged: only flagged lines go. counted: flags mean nothing.
MODES = ("paired", "flagged", "counted")
_ZERO = Decimal(0)


def has_voids(lines: Iterable[wire.Line]) -> bool:
    """Whether any line says that it is void or voids another."""
    return any(_is_void(line) for line in lines)


def counting(lines: Iterable[wire.Line], mode: str) -> list[wire.Line]:
    """Lines that count, in their order. Lines cancelled or deleted never do."""
    present = [line for line in lines if not line.dropped]
    if mode == "counted":
        return present
    if mode == "flagged":
        return [line for line in present if not line.voided]
    return _paired(present)


def _paired(lines: list[wire.Line]) -> list[wire.Line]:
    kept: list[wire.Line | None] = list(lines)
    for at, line in enumerate(lines):
        if not _is_void(line):
            continue
        partner = _partner(kept, at, line)
        if partner is not None:
            kept[partner] = kept[at] = None
            continue
        larger = _larger(kept, at, line) if raw(line) < _ZERO else None
        if larger is not None:
            kept[larger[0]] = _reduced(larger[1], line)
            kept[at] = None
        elif line.voided:
            kept[at] = None
    return [line for line in kept if line is not None]


def _is_void(line: wire.Line) -> bool:
    return line.voided or bool(line.voids) or bool(line.voids_created)


def _partner(kept: list[wire.Line | None], at: int, line: wire.Line) -> int | None:
    """The line that is taken back whole: the one named, else the last one like it."""
    for index, other in _before(kept, at):
        named = (line.voids and other.number == line.voids) or (
            line.voids_created and other.created == line.voids_created
        )
        if named and _identity(other) == _identity(line) and abs(raw(other)) == abs(raw(line)):
            return index
    if line.voided:
        for index, other in _before(kept, at):
            if _is_void(other) or _identity(other) != _identity(line):
                continue
            if raw(other) == -raw(line) != _ZERO:
                return index
    return None


def _larger(kept: list[wire.Line | None], at: int, line: wire.Line) -> tuple[int, wire.Line] | None:
    """A line of the same thing from which a part is taken back, and its place."""
    for index, other in _before(kept, at):
        same = isinstance(line.part, wire.Merchandise) and _identity(other) == _identity(line)
        if same and not _is_void(other) and raw(other) > -raw(line):
            return index, other
    return None


def _before(kept: list[wire.Line | None], at: int) -> Iterator[tuple[int, wire.Line]]:
    """Lines before a place that still count, the nearest first."""
    for index in range(at - 1, -1, -1):
        other = kept[index]
        if other is not None:
            yield index, other


def _reduced(line: wire.Line, by: wire.Line) -> wire.Line:
    """The line less what was taken back of it."""
    part, less = line.part, by.part
    if not (isinstance(part, wire.Merchandise) and isinstance(less, wire.Merchandise)):
        return line
    discount = part.discount
    if discount is not None and less.discount is not None:
        discount = abs(discount) - abs(less.discount)
    rest = msgspec.structs.replace(
        part,
        quantity=part.quantity - abs(less.quantity),
        extended=raw(line) + raw(by),
        discount=discount,
        modifiers=() if discount is not None else part.modifiers,
    )
    return msgspec.structs.replace(line, part=rest)


def raw(line: wire.Line) -> Decimal:
    """Amount with the sign the line itself gives it: a negative quantity turns a positive one."""
    part = line.part
    if isinstance(part, wire.Merchandise):
        value = part.extended
        if value is None:
            value = (part.actual or part.regular or _ZERO) * abs(part.quantity)
        return -value if part.quantity < _ZERO < value else value
    if isinstance(part, wire.Tax):
        return part.amount or _ZERO
    if isinstance(part, wire.CardActivation):
        return _ZERO
    return part.amount


def _identity(line: wire.Line) -> tuple[str, ...]:
    """What makes two lines speak of the same thing."""
    part = line.part
    if isinstance(part, wire.Merchandise):
        return ("goods", part.item or part.description)
    if isinstance(part, wire.Tender):
        return ("tender", part.tender_type, part.tender_id)
    if isinstance(part, wire.Tax):
        return ("tax", part.name)
    if isinstance(part, wire.Reward):
        return ("reward", part.promotion, part.item)
    return (type(part).__name__,)
