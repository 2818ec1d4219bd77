"""A gift card's id is as good as money: whoever reads it may spend it."""

from __future__ import annotations

import pytest

from tillbridge.canonical.cards import masked


@pytest.mark.parametrize(
    ("card", "shown"),
    [("G-1234-5678-9999", "************9999"), ("123456", "***456"), ("7", "*"), ("", "")],
)
def test_a_card_shows_its_last_four_and_never_all(card: str, shown: str) -> None:
    assert masked(card) == shown
