"""Money: exact on the wire, exact in splits, never mixed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbridge.atoms.money import (
    Money,
    MoneyError,
    exponent,
    rounded_minor,
    split,
    to_minor,
    to_text,
)

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF", "CHF"])
AMOUNTS = st.integers(-(10**14), 10**14)


@pytest.mark.parametrize(
    ("currency", "places"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ISK", 0)]
)
def test_decimals_of_a_currency_are_those_of_iso_4217(currency: str, places: int) -> None:
    assert exponent(currency) == places


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "ZZZ", "XAU", "XXX", "E\x00R"])
def test_what_is_no_currency_or_has_no_minor_unit_is_refused(currency: str) -> None:
    with pytest.raises(MoneyError):
        exponent(currency)


@given(AMOUNTS, CURRENCIES)
def test_an_amount_survives_its_text(minor: int, currency: str) -> None:
    text = to_text(minor, currency)
    assert to_minor(text, currency) == to_minor(Decimal(text), currency) == minor
    assert rounded_minor(text, currency) == minor
    assert len(text.partition(".")[2]) == exponent(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("10.5", "USD", 1050), ("-0.01", "EUR", -1), ("7", "JPY", 7), ("1.234", "KWD", 1234)],
)
def test_amounts_of_the_wire(amount: str, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


def test_trailing_noughts_are_no_decimals() -> None:
    assert to_minor("10.5000", "EUR") == 1050
    assert to_minor("1E+2", "JPY") == 100
    assert to_minor(3, "EUR") == 300


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("10.505", "USD"),
        ("0.5", "JPY"),
        ("", "EUR"),
        ("ten", "EUR"),
        ("NaN", "EUR"),
        ("Infinity", "EUR"),
        ("-sNaN", "EUR"),
        ("1e400", "EUR"),
        ("1e-400", "EUR"),
        ("1" * 40, "EUR"),
    ],
)
def test_an_amount_that_would_have_to_be_rounded_or_guessed_is_refused(
    amount: str, currency: str
) -> None:
    with pytest.raises(MoneyError):
        to_minor(amount, currency)


@pytest.mark.parametrize(
    ("amount", "minor"),
    [("0.005", 1), ("-0.005", -1), ("0.0049", 0), ("2.675", 268), ("1.0049999", 100)],
)
def test_rounding_where_it_is_asked_for_is_half_away_from_nothing(amount: str, minor: int) -> None:
    assert rounded_minor(amount, "EUR") == minor


@given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_a_split_loses_no_cent_and_is_fair(total: int, weights: list[int]) -> None:
    parts = split(total, weights)
    assert sum(parts) == total
    assert len(parts) == len(weights)
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part) <= abs(total)
        assert part * total >= 0
        if whole:
            assert abs(part * whole - total * weight) < whole  # less than one from its share
            assert weight or not part


@given(AMOUNTS, st.lists(st.integers(0, 1000), min_size=1, max_size=9))
def test_what_is_given_back_is_split_like_what_was_taken(total: int, weights: list[int]) -> None:
    assert split(-total, weights) == [-part for part in split(total, weights)]


def test_ties_go_to_the_earlier_part_and_nothing_has_nowhere_to_go() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(5, [0, 0]) == [5, 0]
    assert split(0, []) == []
    with pytest.raises(MoneyError):
        split(1, [])


@given(AMOUNTS, AMOUNTS, CURRENCIES)
def test_money_of_one_kind_adds_up(left: int, right: int, currency: str) -> None:
    a, b = Money(left, currency), Money(right, currency)
    assert (a + b) - b == a
    assert a + (-a) == Money(0, currency)
    assert str(a) == f"{to_text(left, currency)} {currency}"


@pytest.mark.parametrize(
    "other", [Money(1, "USD"), Money(1, "EUR", "settlement"), Money(1, "USD", "functional")]
)
def test_money_of_another_currency_or_role_is_never_added(other: Money) -> None:
    with pytest.raises(MoneyError):
        Money(1, "EUR") + other
    with pytest.raises(MoneyError):
        Money(1, "EUR") - other
