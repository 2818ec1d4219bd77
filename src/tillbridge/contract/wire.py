"""The strict parser: the one door through which outside bytes become typed records.

Hostile and sloppy JSON is refused with words, never believed and never crashed on: NaN and
Infinity, duplicate keys, NUL, lone surrogates, nesting deeper than 64, numbers of more than 30
digits, more than 100,000 nodes. A field of the wrong type is refused by msgspec's strict decoding;
money arrives as Decimal from a string or a JSON number, exactly as it was written.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from json import JSONDecodeError, JSONDecoder
from typing import Any, TypeVar

import msgspec

from tillbridge.atoms.errors import NeedsDecision

T = TypeVar("T")

DEPTH_MAX = 64
NODES_MAX = 100_000
DIGITS_MAX = 30
_LONG_NUMBER = re.compile(rb"[0-9][0-9.]{%d,}" % DIGITS_MAX)
_EXPONENT = re.compile(rb"[0-9][eE][+-]?[0-9]{2,}")


class WireError(NeedsDecision):
    """A body that cannot be believed; a case of reason `body_unreadable` for the integration owner."""

    def __init__(self, words: str) -> None:
        super().__init__("body_unreadable", words, owner="integration")


def parse(kind: type[T], body: bytes) -> T:
    """Typed record from JSON bytes; raises WireError naming the place and what is wrong there."""
    check(body)
    try:
        return msgspec.json.decode(body, type=kind, strict=True)
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
    if _LONG_NUMBER.search(body) and _has_long_number(body):
        raise WireError(f"a number has more than {DIGITS_MAX} digits")
    if body.count(b"[") + body.count(b"{") + body.count(b",") > NODES_MAX:
        raise WireError(f"the body has more than {NODES_MAX} values")
    _check_structure(body)


def _has_long_number(body: bytes) -> bool:
    """Whether the long run of digits stands outside of strings."""
    bare = re.sub(rb'"(?:[^"\\]|\\.)*"', b'""', body)
    return _LONG_NUMBER.search(bare) is not None


def _check_structure(body: bytes) -> None:
    depth = deepest = 0
    for mark in re.findall(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', body):
        if mark in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in b"]}":
            depth -= 1
    if deepest > DEPTH_MAX:
        raise WireError(f"the body nests deeper than {DEPTH_MAX}")


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
    from datetime import UTC

    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise WireError(f"{text!r} is no instant") from None
    if value.tzinfo is None:
        raise WireError(f"{text!r} carries no zone")
    return value.astimezone(UTC)
