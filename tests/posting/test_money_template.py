"""Templates fill accounts and open items, and say what is wrong with them."""

from __future__ import annotations

import pytest

from tests.posting.money_facts import deposit, rung
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.posting.money.template import (
    account_renderer,
    item_renderer,
    problem_of_account,
    problem_of_item,
    segment,
)

NOBODY = frozenset[str]()


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("sales/{department}", ""),
        ("till/{department}/{department}", ""),
        ("sales/{dept}", "unknown field {dept}; known here: department"),
        ("sales/a{department}", "a field fills a whole part"),
        ("sales//x", "'' is neither"),
        ("Sales", "'Sales' is neither"),
        ("sales/{0}", "neither"),
        ("sales/{department.__class__}", "neither"),
    ],
)
def test_an_account_template_is_a_path_of_words_and_fields(template: str, said: str) -> None:
    problem = problem_of_account(template, {"department"})
    assert (problem == "") == (said == "")
    assert said in problem


def test_an_item_template_is_words_and_fields() -> None:
    assert problem_of_item("card/{card}", {"card"}) == ""
    assert "unknown field {order}" in problem_of_item("{order}", {"card"})
    assert "braces hold one field name" in problem_of_item("{card", {"card"})


def test_fields_of_the_member_come_before_those_of_the_fact() -> None:
    fact = rung()
    tender = fact.tenders[0]  # type: ignore[attr-defined]
    till = account_renderer("till/{location}/{tender}", frozenset({"tender"}))
    assert till(fact, tender) == "till/9/cash"
    assert item_renderer("{key}", NOBODY)(fact, tender) == fact.key
    assert item_renderer("c/{card}", frozenset({"card"}))(fact, tender) == ""


def test_an_entity_the_fact_does_not_state_is_a_case() -> None:
    due = account_renderer("due-from/{liability}", NOBODY)
    assert due(deposit(liability="AT"), None) == "due-from/AT"
    with pytest.raises(NeedsDecision, match="does not say the liability entity"):
        due(deposit(), None)


def test_an_account_part_holds_no_slash_and_is_never_empty() -> None:
    assert [segment(value) for value in ("a/b", "  ", " x ")] == ["a_b", "unassigned", "x"]


def test_a_field_with_endless_values_does_not_fill_the_memory() -> None:
    render = account_renderer("sales/{order}", NOBODY)
    for number in range(10_000):
        assert render(deposit(f"o{number}"), None) == f"sales/o{number}"
    cells = [cell.cell_contents for cell in render.__closure__ or ()]
    remembered = [cell for cell in cells if isinstance(cell, dict)]
    assert remembered
    assert all(len(cell) <= 4096 for cell in remembered)
