"""What a settlement line says of itself is held against itself, in the contract's own words."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from tillbridge.canonical.settlement import LINE_TYPES, UNKNOWN, BankLine, SettlementLine
from tillbridge.contract.settlement import wrong_with, wrong_with_bank

LINE = SettlementLine(
    line="t1", type="sale", told="charge", gross=1000, fee=30, net=970, currency="USD", n=2
)


def test_a_line_that_adds_up_is_believed() -> None:
    assert wrong_with(LINE) == ""
    assert UNKNOWN in LINE_TYPES


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"net": 971}, "net 971 is not gross 1000 less fee 30"),
        ({"type": "charge"}, "no type of a line"),
        ({"gross": 10**15, "net": 10**15 - 30}, "cannot be believed"),
        ({"reference": "x" * 201}, "more than 200 letters"),
    ],
)
def test_a_line_that_contradicts_itself_says_how(change: dict[str, object], words: str) -> None:
    assert words in wrong_with(replace(LINE, **change))


def test_a_bank_line_belongs_to_a_statement() -> None:
    line = BankLine(
        line="b1", statement="s1", amount=-5, currency="EUR", booked_on=date(2026, 3, 2), n=1
    )
    assert wrong_with_bank(line) == ""
    assert wrong_with_bank(replace(line, statement=""))
    assert wrong_with_bank(replace(line, amount=10**16))
