"""Compiled rules keep the hot path short."""

from __future__ import annotations

import timeit

import pytest

from tests.posting.money_facts import EURO, default_book, deposit, sale
from tillbridge.canonical.fact import Fact
from tillbridge.posting.money.compiled import Books, CompiledRule
from tillbridge.posting.money.engine import post
from tillbridge.posting.money.shapes import SHAPES

LINES = [{"kind": "goods", "list": 100 + n, "discount": n, "department": f"d{n}"} for n in range(4)]


@pytest.mark.parametrize(("fact", "budget"), [(deposit(), 40), (sale(lines=LINES), 100)])
def test_an_entry_is_made_within_its_budget_of_microseconds(fact: Fact, budget: int) -> None:
    book, times = default_book(), 300
    best = min(timeit.repeat(lambda: post(book, fact, EURO), number=times, repeat=5))
    assert best / times * 1e6 < budget


def test_a_compiled_rule_adds_to_books_that_have_something_already() -> None:
    rule = next(rule for rule in default_book().rules if rule.name == "DepositReceived/deposit")
    compiled = CompiledRule(rule, SHAPES["DepositReceived"])
    books: Books = {"DE": {("clearing/stripe", ""): 1}}
    compiled.gather(deposit(amount=10), books)
    assert books["DE"] == {("clearing/stripe", ""): 11, ("customer-deposits", "order/web/1"): -10}
