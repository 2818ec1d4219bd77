"""Rows of figures."""

from __future__ import annotations

from tillbridge.publishing.availability.rules import PublishRules
from tillbridge.publishing.availability.shelf import Row


def test_a_row_owes_while_an_offer_is_open_or_its_number_is_doubted() -> None:
    rest = Row("L1", "P1", available=5000, confirmed=5000)
    assert not rest.owes
    assert Row("L1", "P1", available=5000, confirmed=5000, sent=4000).owes
    assert Row("L1", "P1", available=5000, confirmed=5000, doubted=True).owes
    assert Row("L1", "P1", available=5000).owes


def test_rules_name_locations_that_are_there() -> None:
    known = {"L1", "L2"}
    assert PublishRules().problem(known) == ""
    assert PublishRules().chosen(("L1", "L2")) == ("L1", "L2")
    assert PublishRules(locations=("L2",)).chosen(("L1", "L2")) == ("L2",)
    assert "'L9'" in PublishRules(locations=("L9",)).problem(known)
    assert "'L8'" in PublishRules(total_at="L8").problem(known)
    assert "all" in PublishRules(locations="some").problem(known)
    assert "none" in PublishRules(locations=()).problem(known)
