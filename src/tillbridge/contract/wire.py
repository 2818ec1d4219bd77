"""The strict parser: the one door through which outside bytes become typed records.

Hostile and sloppy JSON is refused with words, never believed and never crashed on: NaN and
Infinity, duplicate keys, NUL, lone surrogates, nesting deeper than 64, numbers of more than 30
digits or with exponents of two digits, more than 100,000 nodes. A field of the wrong type is
refused by msgspec's strict decoding; money arrives as Decimal from a string or a JSON number,
exactly as it was written; texts that only Python takes for numbers ("1_000", full-width digits,
"NaN", "1e400") are no amounts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from json import JSONDecodeError, JSONDecoder
from typing import Any, TypeVar, cast

import msgspec

from tillbridge.atoms.errors import NeedsDecision

T = TypeVar("T")

DEPTH_MAX = 64
NODES_MAX = 100_000
DIGITS_MAX = 30
# Linear for any bytes: possessive, and a string that does not end is taken to the end of the body;
# else every quote in it would be tried as another beginning.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))
_OPENING = frozenset(b"[{")
_EXPONENT = re.compile(r"[eE][+-]?[0-9]{2,}")
# Quick signs, in a lower-case body, of a string that only Python would take for a number.
_ODD_SIGN = re.compile(rb'"(?:[ \t\r\n\\]|[+-]?(?:s?nan|inf|[0-9.]+(?:e[+-]?[0-9]|_|\\)))')
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
# Strings that Decimal would take although no price list is written so.
_ODD_NUMBER = re.compile(
    rb'"(?:[^"\\]*(?:[0-9]_[0-9]|[\x80-\xff]|\\u)(?:[^"\\]|\\.)*'
    rb'|\s*[+-]?(?:s?nan[0-9]*|inf(?:inity)?|[0-9.]+e[+-]?[0-9]+)\s*)"',
    re.IGNORECASE,
)


class WireError(NeedsDecision):
    """A body that cannot be believed: case `body_unreadable`, owner integration."""

    def __init__(self, words: str) -> None:
        super().__init__("body_unreadable", words, owner="integration")


def parse(kind: type[T], body: bytes) -> T:
    """Typed record from JSON bytes; raises WireError naming the place and what is wrong there."""
    check(body)
    try:
        found = msgspec.json.decode(body, type=kind, strict=True)
        if _holds_decimals(cast("Any", kind)) and _may_hold_odd_numbers(body):
            _refuse_odd_numbers(kind, body)
        return found
    except msgspec.ValidationError as problem:
        raise WireError(f"a field has the wrong type: {problem}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise WireError(f"not JSON: {problem}") from None


def convert(kind: type[T], value: Any, *, where: str = "") -> T:
    """Typed record from already decoded values (a mapping's row, an envelope's item)."""
    try:
        return msgspec.convert(value, type=kind, strict=True)
    except msgspec.ValidationError as problem:
        place = f"{where}: " if where else ""
        raise WireError(f"{place}a field has the wrong type: {problem}") from None


def check(body: bytes) -> None:
    """Refuse what msgspec would accept but nobody should: see the module's list. Linear time."""
    if b"\x00" in body or b"\\u0000" in body:
        raise WireError("the body holds a NUL character")
    if _deepest(body) > DEPTH_MAX and _deepest(_STRING.sub(b'""', body)) > DEPTH_MAX:
        raise WireError(f"the body nests deeper than {DEPTH_MAX}")
    if body.count(b",") > NODES_MAX and _STRING.sub(b'""', body).count(b",") > NODES_MAX:
        raise WireError(f"the body has more than {NODES_MAX} values")
    try:
        _SCANNER.decode(body.decode())
    except (JSONDecodeError, UnicodeDecodeError) as problem:
        raise WireError(f"not JSON: {problem}") from None


def _deepest(body: bytes) -> int:
    """Depth of brackets; those inside of strings count too: maybe too high, never too low."""
    marks = body.translate(None, _NO_BRACKETS)
    if len(marks) <= 2 * DEPTH_MAX:
        return len(marks) // 2
    depth = deepest = 0
    for mark in marks:
        if mark in _OPENING:
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _pairs(items: list[tuple[str, Any]]) -> None:
    """Refuse a key that stands twice in one object; msgspec would silently keep the last one."""
    keys = dict(items)
    if len(keys) != len(items):
        twice = next(key for key in keys if sum(1 for other, _ in items if other == key) > 1)
        raise WireError(f"the field {twice!r} stands twice in one object")


def _whole(text: str) -> None:
    if len(text) > DIGITS_MAX and len(text.lstrip("-")) > DIGITS_MAX:
        raise WireError(f"a number has more than {DIGITS_MAX} digits")


def _fraction(text: str) -> None:
    if len(text) > DIGITS_MAX and sum(map(str.isdigit, text)) > DIGITS_MAX:
        raise WireError(f"a number has more than {DIGITS_MAX} digits")
    if _EXPONENT.search(text):
        raise WireError("a number has an exponent of two digits or more")


def _constant(text: str) -> None:
    raise WireError(f"{text} is no number")


_SCANNER = JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_fraction, parse_int=_whole, parse_constant=_constant
)


@lru_cache(maxsize=256)
def _holds_decimals(kind: Any) -> bool:
    """Whether a Decimal is anywhere in a type; only such a field takes odd strings for numbers."""
    seen: set[int] = set()

    def holds(node: Any) -> bool:
        if isinstance(node, msgspec.inspect.DecimalType):
            return True
        if not isinstance(node, (msgspec.inspect.Type, msgspec.inspect.Field, tuple, list)):
            return False
        if id(node) in seen:
            return False
        seen.add(id(node))
        if isinstance(node, (tuple, list)):
            return any(holds(part) for part in node)
        return any(holds(getattr(node, name)) for name in node.__struct_fields__)

    return holds(msgspec.inspect.type_info(kind))


def _may_hold_odd_numbers(body: bytes) -> bool:
    """A quick look, true for few bodies; the careful one is twenty times slower."""
    if _ODD_SIGN.search(body.lower()):
        return True
    if body.isascii():
        return False
    runs = _BEYOND_ASCII.findall(body.decode("utf-8", "replace"))
    return any(letter.isdecimal() for run in runs for letter in run)


def _refuse_odd_numbers(kind: type[Any], body: bytes) -> None:
    """Decode once more with the odd strings replaced: only a Decimal field minds."""
    try:
        msgspec.json.decode(_ODD_NUMBER.sub(b'"~"', body), type=kind, strict=True)
    except msgspec.ValidationError as problem:
        if "decimal" in str(problem).lower():
            raise WireError(f"a field is written as no amount: {problem}") from None


def instant(text: str) -> datetime:
    """An RFC 3339 instant with zone, in UTC; raises WireError when it has none or is no instant."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise WireError(f"{text!r} is no instant") from None
    if value.tzinfo is None:
        raise WireError(f"{text!r} carries no zone")
    return value.astimezone(UTC)
