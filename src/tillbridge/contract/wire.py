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
from decimal import Decimal
from json import JSONDecodeError, JSONDecoder
from typing import Any, TypeVar

import msgspec

from tillbridge.atoms.errors import NeedsDecision

T = TypeVar("T")

DEPTH_MAX = 64
NODES_MAX = 100_000
DIGITS_MAX = 30
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_LONG_NUMBER = re.compile(rb"[0-9][0-9.]{%d,}" % DIGITS_MAX)
_EXPONENT = re.compile(rb"[0-9][eE][+-]?[0-9]{2,}")
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))
_UNDERSCORED = re.compile(rb"[0-9]_[0-9]")
_ODD_WORD = re.compile(rb'"\s*[+-]?(?:s?nan|inf|[0-9.]+e[+-]?[0-9]+\s*")', re.IGNORECASE)
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
    twice = duplicate_keys(body)
    if twice is not None:
        raise WireError(f"the field {twice!r} stands twice in one object")
    try:
        found = msgspec.json.decode(body, type=kind, strict=True)
        if _may_hold_odd_numbers(body):
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
    """Refuse what msgspec would accept but nobody should: see the module's list. O(n), no tree."""
    if b"\x00" in body or b"\\u0000" in body:
        raise WireError("the body holds a NUL character")
    bare = _STRING.sub(b'""', body)
    if _LONG_NUMBER.search(bare):
        raise WireError(f"a number has more than {DIGITS_MAX} digits")
    if _EXPONENT.search(bare):
        raise WireError("a number has an exponent of two digits or more")
    opened = bare.count(b"[") + bare.count(b"{")
    if opened + bare.count(b",") > NODES_MAX:
        raise WireError(f"the body has more than {NODES_MAX} values")
    if opened > DEPTH_MAX and _deepest(bare) > DEPTH_MAX:
        raise WireError(f"the body nests deeper than {DEPTH_MAX}")


def _deepest(bare: bytes) -> int:
    depth = deepest = 0
    for mark in bare.translate(None, _NO_BRACKETS):
        if mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _may_hold_odd_numbers(body: bytes) -> bool:
    """A quick look, true for few bodies; the careful one is twenty times slower."""
    if b"\\u" in body or _UNDERSCORED.search(body) or _ODD_WORD.search(body):
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


def duplicate_keys(body: bytes) -> str | None:
    """First key that stands twice in one object, or None; msgspec silently keeps the last one."""
    found: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> None:
        seen = set()
        for key, _ in items:
            if key in seen:
                found.append(key)
            seen.add(key)

    try:
        JSONDecoder(object_pairs_hook=pairs, parse_float=Decimal).decode(body.decode())
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found[0] if found else None


def instant(text: str) -> datetime:
    """An RFC 3339 instant with zone, in UTC; raises WireError when it has none or is no instant."""
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise WireError(f"{text!r} is no instant") from None
    if value.tzinfo is None:
        raise WireError(f"{text!r} carries no zone")
    return value.astimezone(UTC)
