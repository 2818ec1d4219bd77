"""The named transforms of a mapping: text in, text out, pure; a value they cannot read is refused.

No expression language: a transform has a name, perhaps one argument, and one meaning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Transform = Callable[[str], str]

_EUROPEAN = re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)(?:,[0-9]+)?[+-]?", re.ASCII)
_GROUPED = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?[+-]?", re.ASCII)
_DIGITS = re.compile(r"([+-]?)([0-9]+)([+-]?)", re.ASCII)
_TRAILING = re.compile(r"([0-9.,]+)\s*([+-])", re.ASCII)
_PUNCHED = re.compile(r"([0-9]*)([0-9{}A-R])", re.ASCII)
# Sign and last digit in one character, as punched cards had it: { is +0, A is +1, } is -0, J is -1.
_PUNCH = {
    **{str(digit): (str(digit), "") for digit in range(10)},
    **{letter: (str(digit), "") for digit, letter in enumerate("{ABCDEFGHI")},
    **{letter: (str(digit), "-") for digit, letter in enumerate("}JKLMNOPQR")},
}


class WrongArgument(ValueError):
    """A transform that does not exist, or an argument it cannot take; words say which."""


class WrongValue(ValueError):
    """A value a transform cannot read; words name the value."""


def compiled(name: str, argument: object) -> Transform:
    """The transform as a function; raises WrongArgument."""
    if name in _PLAIN:
        if argument not in (None, True):
            raise WrongArgument(f"{name} takes no argument")
        return _PLAIN[name]
    if name in _WITH_ARGUMENT:
        if argument is None:
            raise WrongArgument(f"{name} needs an argument: {{ {name} = ... }}")
        return _WITH_ARGUMENT[name](argument)
    known = ", ".join(sorted({*_PLAIN, *_WITH_ARGUMENT}))
    raise WrongArgument(f"there is no transform {name!r}; there are {known}")


def _decimal_comma(value: str) -> str:
    """1.234,50 -> 1234.50."""
    if not value or not _EUROPEAN.fullmatch(value):
        return _nothing_or_refuse(value, "a number with a decimal comma")
    return value.replace(".", "").replace(",", ".")


def _thousands_comma(value: str) -> str:
    """1,234.50 -> 1234.50."""
    if not value or not _GROUPED.fullmatch(value):
        return _nothing_or_refuse(value, "a number with thousands commas")
    return value.replace(",", "")


def _trailing_sign(value: str) -> str:
    """12.50- -> -12.50; a number without a sign at its end stays."""
    found = _TRAILING.fullmatch(value)
    if found is None:
        return value
    return ("-" if found.group(2) == "-" else "") + found.group(1)


def _overpunch(value: str) -> str:
    """0125} -> -1250; plain digits are positive."""
    found = _PUNCHED.fullmatch(value)
    if found is None:
        return _nothing_or_refuse(value, "an overpunched number")
    digit, sign = _PUNCH[found.group(2)]
    return f"{sign}{found.group(1)}{digit}"


def _negate(value: str) -> str:
    """12 -> -12, -12 -> 12."""
    if not value:
        return value
    return value[1:] if value[0] == "-" else "-" + value.removeprefix("+")


def _implied(argument: object) -> Transform:
    """As `implied = 2`: 001250 -> 0012.50."""
    if isinstance(argument, bool) or not isinstance(argument, int) or not 1 <= argument <= 6:
        raise WrongArgument("implied takes a number of decimals from 1 to 6")
    places = argument

    def transform(value: str) -> str:
        found = _DIGITS.fullmatch(value)
        if found is None:
            return _nothing_or_refuse(value, f"a whole number with {places} implied decimals")
        digits = found.group(2).rjust(places + 1, "0")
        return f"{found.group(1)}{digits[:-places]}.{digits[-places:]}{found.group(3)}"

    return transform


def _date(argument: object) -> Transform:
    """As `date = "%d.%m.%Y"`: 15.01.2026 -> 2026-01-15."""
    return _clock_format("date", argument, lambda found: found.date().isoformat())


def _datetime(argument: object) -> Transform:
    """As `datetime = "%d.%m.%Y %H:%M"`: local time, or with zone when the format has %z."""
    return _clock_format("datetime", argument, datetime.isoformat)


def _clock_format(name: str, argument: object, shown: Callable[[datetime], str]) -> Transform:
    if not isinstance(argument, str) or "%" not in argument:
        raise WrongArgument(f'{name} takes a format such as "%d.%m.%Y"')
    pattern = argument
    if "%d" not in pattern and "%j" not in pattern and "%s" not in pattern:
        raise WrongArgument(f"{name}: the format {pattern!r} names no day")

    def transform(value: str) -> str:
        if not value:
            return value
        try:
            if not value.isascii():
                raise ValueError
            return shown(datetime.strptime(value, pattern))  # noqa: DTZ007 - zone comes later
        except ValueError:
            raise WrongValue(f"{value!r} is not written as {pattern}") from None

    return transform


def _zone(argument: object) -> Transform:
    """As `zone = "Europe/Berlin"`: a local time there, told with its offset."""
    if not isinstance(argument, str):
        raise WrongArgument("zone takes the name of a time zone")
    try:
        zone = ZoneInfo(argument)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongArgument(f"there is no time zone {argument!r}") from None

    def transform(value: str) -> str:
        if not value:
            return value
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            raise WrongValue(f"{value!r} is no date and time") from None
        return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat()

    return transform


def _map(argument: object) -> Transform:
    """As `map = { S = "sale", "*" = "other" }`; without "*" other values are refused."""
    if not isinstance(argument, Mapping) or not argument:
        raise WrongArgument('map takes a table such as { S = "sale" }')
    if not all(isinstance(value, str) for value in argument.values()):
        raise WrongArgument("map takes texts only")
    table: dict[str, str] = {str(name): str(value) for name, value in argument.items()}

    def transform(value: str) -> str:
        found = table.get(value, table.get("*"))
        if found is None:
            raise WrongValue(f"{value!r} is not in the map ({', '.join(sorted(table))})")
        return found

    return transform


def _split(argument: object) -> Transform:
    """As `split = { at = "-", index = 0 }`: one piece of the text; a missing piece is refused."""
    if (
        not isinstance(argument, Mapping)
        or set(argument) != {"at", "index"}
        or not isinstance(argument["at"], str)
        or not argument["at"]
        or isinstance(argument["index"], bool)
        or not isinstance(argument["index"], int)
    ):
        raise WrongArgument('split takes { at = "-", index = 0 }')
    at, index = argument["at"], argument["index"]

    def transform(value: str) -> str:
        pieces = value.split(at)
        if not -len(pieces) <= index < len(pieces):
            raise WrongValue(f"{value!r} has no piece {index} between {at!r}")
        return pieces[index]

    return transform


def _default(argument: object) -> Transform:
    """As `default = "0"`: what an empty value means."""
    if not isinstance(argument, str):
        raise WrongArgument("default takes a text")
    text = argument
    return lambda value: value or text


def _nothing_or_refuse(value: str, wanted: str) -> str:
    """Empty stays empty (whether it may be is the field's business), the rest is refused."""
    if value:
        raise WrongValue(f"{value!r} is not {wanted}")
    return value


_PLAIN: dict[str, Transform] = {
    "trim": str.strip,
    "upper": str.upper,
    "lower": str.lower,
    "decimal_comma": _decimal_comma,
    "thousands_comma": _thousands_comma,
    "trailing_sign": _trailing_sign,
    "overpunch": _overpunch,
    "negate": _negate,
}
_WITH_ARGUMENT: dict[str, Callable[[Any], Transform]] = {
    "implied": _implied,
    "date": _date,
    "datetime": _datetime,
    "zone": _zone,
    "map": _map,
    "split": _split,
    "default": _default,
}


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo:
    """A time zone by its IANA name; raises WrongArgument."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongArgument(f"there is no time zone {name!r}") from None
