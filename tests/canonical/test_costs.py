"""Unit costs: as fine as screws need, never nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbridge.atoms.money import MoneyError
from tillbridge.canonical.costs import cost_key, unit_cost_of, unit_cost_text


@given(st.integers(1, 10**12), st.sampled_from(["USD", "JPY", "KWD"]))
def test_a_unit_cost_reads_as_it_was_written(unit_cost: int, currency: str) -> None:
    assert unit_cost_of(Decimal(unit_cost_text(unit_cost, currency)), currency) == unit_cost


@pytest.mark.parametrize("cost", ["0", "-1", "0.000001", "NaN", "1e15"])
def test_what_is_no_cost_is_refused(cost: str) -> None:
    with pytest.raises(MoneyError):
        unit_cost_of(Decimal(cost), "USD")


def test_costs_are_shown_with_as_many_decimals_as_they_have() -> None:
    assert unit_cost_text(1_250_000, "USD") == "12.50"
    assert unit_cost_text(425, "USD") == "0.00425"
    assert unit_cost_text(5_000, "JPY") == "5"
    assert cost_key("us", "a/b") == "cost/us/a%2Fb"
