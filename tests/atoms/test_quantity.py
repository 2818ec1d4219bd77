"""Quantities: thousandths, exact or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbridge.atoms.quantity import QuantityError, to_text, to_thousandths


@given(st.integers(-(10**12), 10**12))
def test_a_quantity_survives_its_text(thousandths: int) -> None:
    text = to_text(thousandths)
    assert to_thousandths(text) == thousandths
    assert not text.endswith(".")
    assert "." not in text or not text.endswith("0")


@pytest.mark.parametrize(
    ("written", "thousandths"), [("0.65", 650), ("-3", -3000), (2, 2000), ("1.500", 1500)]
)
def test_quantities_of_the_wire(written: str | int, thousandths: int) -> None:
    assert to_thousandths(written) == thousandths


@pytest.mark.parametrize("written", ["0.0001", "", "a dozen", "NaN", "inf", "1e40", "1e-40"])
def test_what_is_too_fine_or_no_number_is_refused(written: str) -> None:
    with pytest.raises(QuantityError):
        to_thousandths(written)
