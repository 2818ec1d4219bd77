"""Each named transform says one thing; what it cannot read is refused with the value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbridge.connectors.feed.transforms import WrongArgument, WrongValue, compiled


@pytest.mark.parametrize(
    ("name", "argument", "value", "expected"),
    [
        ("trim", None, " a ", "a"),
        ("upper", None, "ab", "AB"),
        ("lower", None, "AB", "ab"),
        ("decimal_comma", None, "1.234,50", "1234.50"),
        ("decimal_comma", None, "-0,5", "-0.5"),
        ("decimal_comma", None, "1234", "1234"),
        ("decimal_comma", None, "", ""),
        ("thousands_comma", None, "1,234,567.80", "1234567.80"),
        ("implied", 2, "001250", "0012.50"),
        ("implied", 2, "-5", "-0.05"),
        ("implied", 3, "1250-", "1.250-"),
        ("trailing_sign", None, "12.50-", "-12.50"),
        ("trailing_sign", None, "12.50+", "12.50"),
        ("trailing_sign", None, "12.50", "12.50"),
        ("overpunch", None, "0125}", "-01250"),
        ("overpunch", None, "0125{", "01250"),
        ("overpunch", None, "012J", "-0121"),
        ("overpunch", None, "012I", "0129"),
        ("overpunch", None, "0127", "0127"),
        ("negate", None, "12", "-12"),
        ("negate", None, "-12", "12"),
        ("date", "%d.%m.%Y", "15.01.2026", "2026-01-15"),
        ("date", "%y%j", "26015", "2026-01-15"),
        ("datetime", "%d.%m.%Y %H:%M", "15.01.2026 10:31", "2026-01-15T10:31:00"),
        ("zone", "Europe/Berlin", "2026-07-15T10:31:00", "2026-07-15T10:31:00+02:00"),
        ("zone", "Europe/Berlin", "2026-01-15T10:31:00", "2026-01-15T10:31:00+01:00"),
        ("zone", "Europe/Berlin", "2026-01-15T10:31:00+00:00", "2026-01-15T10:31:00+00:00"),
        ("map", {"S": "sale", "R": "return"}, "R", "return"),
        ("map", {"S": "sale", "*": "return"}, "X", "return"),
        ("split", {"at": "-", "index": 1}, "a-b-c", "b"),
        ("split", {"at": "-", "index": -1}, "a-b-c", "c"),
        ("default", "0", "", "0"),
        ("default", "0", "7", "7"),
    ],
)
def test_a_transform_says_one_thing(name: str, argument: Any, value: str, expected: str) -> None:
    assert compiled(name, argument)(value) == expected


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("decimal_comma", None, "1,234.50"),
        ("decimal_comma", None, "12.5"),
        ("decimal_comma", None, "1.2345,0"),
        ("decimal_comma", None, "\uff11,5"),
        ("thousands_comma", None, "1.234,50"),
        ("implied", 2, "12.50"),
        ("implied", 2, "1_0"),
        ("overpunch", None, "12S"),
        ("overpunch", None, "-12"),
        ("date", "%d.%m.%Y", "31.02.2026"),
        ("date", "%d.%m.%Y", "2026-01-15"),
        ("zone", "Europe/Berlin", "noon"),
        ("map", {"S": "sale"}, "R"),
        ("split", {"at": "-", "index": 3}, "a-b"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_value(
    name: str, argument: Any, value: str
) -> None:
    with pytest.raises(WrongValue) as caught:
        compiled(name, argument)(value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("nonsense", None),
        ("trim", "x"),
        ("implied", None),
        ("implied", True),
        ("date", "day"),
        ("date", "%H"),
        ("zone", "Europe/Nowhere"),
        ("map", {}),
        ("map", {"a": 1}),
        ("split", {"at": "", "index": 0}),
        ("split", {"at": "-"}),
        ("default", 0),
    ],
)
def test_a_wrong_argument_is_refused(name: str, argument: Any) -> None:
    with pytest.raises(WrongArgument):
        compiled(name, argument)


@given(st.integers(-(10**12), 10**12))
def test_overpunched_numbers_come_back(number: int) -> None:
    digits = str(abs(number))
    letter = ("}JKLMNOPQR" if number < 0 else "{ABCDEFGHI")[int(digits[-1])]
    assert int(compiled("overpunch", None)(digits[:-1] + letter)) == number
