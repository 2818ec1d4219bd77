"""What deliveries may differ by: rules read word by word, folded field by field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbridge.atoms.errors import Refused
from tillbridge.reconciliation.replenishment.deliveries import Bought, DeliveryTerms, terms_of
from tillbridge.reconciliation.replenishment.rules import meaning, parse_replenishment

PLACES = {"wh": frozenset({"wh", "warehouse"}), "s1": frozenset({"s1", "store"})}
RULES = """
[[delivery]]
over_percent = 5
under_percent = "2.5"

[[delivery]]
supplier = ["Acme"]
over_pieces = 3
late_days = 2

[[delivery]]
locations = ["store"]
over_percent = 0
"""
QUANTITIES = st.integers(0, 10**9)


def terms(supplier: str = "Acme", place: str = "wh") -> DeliveryTerms:
    rules = parse_replenishment(RULES, PLACES).deliveries
    return terms_of(rules, Bought(supplier, place, "", "p"))


def test_every_rule_that_fits_says_its_fields() -> None:
    assert terms() == DeliveryTerms(5000, 3000, 2500, 0, 2)
    assert terms("Bolt") == DeliveryTerms(5000, 0, 2500, 0, None)
    assert terms(place="s1").over_percent == 0


def test_of_percent_and_pieces_the_larger_counts() -> None:
    assert (terms().over(20_000), terms().over(100_000)) == (3000, 5000)
    assert (terms().under(20_000), terms().under(0)) == (500, 0)


@given(QUANTITIES, QUANTITIES, QUANTITIES)
def test_more_ordered_allows_no_less(percent: int, pieces: int, expected: int) -> None:
    one = DeliveryTerms(percent, pieces, percent, pieces)
    assert one.over(expected) >= pieces
    assert one.over(expected + 1000) >= one.over(expected) >= 0
    assert one.under(expected) == one.over(expected)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[delivery]]\nover = 1", "stock.toml:1: unknown word 'over'"),
        ("\n[[delivery]]\nover_pieces = 1.5", "stock.toml:2: over_pieces: a whole number, or a"),
        ("[[delivery]]\nlate_days = -1", "late_days: a whole number from 0 to 366"),
        ('[[delivery]]\nlocations = ["moon"]\nlate_days = 1', "kind 'moon'"),
        ('[[delivery]]\nsupplier = "Acme"', "it says nothing"),
        ("delivery = 1", "written as"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_replenishment(text, PLACES)
    assert why in refused.value.words


def test_texts_of_one_meaning_are_one_text() -> None:
    assert meaning(RULES) == meaning(RULES + "# a word\n")
    assert meaning(RULES) != meaning("demand_days = 7\n" + RULES)
    with pytest.raises(Refused, match=r"stock\.toml"):
        meaning("[[")
