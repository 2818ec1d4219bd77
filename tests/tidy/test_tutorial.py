"""The tutorial in CONTRIBUTING: its posting rule loads, balances, and is refused as it says."""

from __future__ import annotations

import re

import pytest

from tests.tidy.tree import ROOT
from tillbridge.posting.money.book import RuleBook, default_text, make_book
from tillbridge.posting.money.chart import BookRefused
from tillbridge.posting.money.examples import run_examples

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ACCOUNT, RULE = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PAID_OUT = re.compile(r"^  \{.*where = \{ kind = \"paid_out\" \} \},\n", re.MULTILINE)


def _book(rule: str) -> RuleBook:
    chart = f"{default_text('chart.toml')}\n{ACCOUNT}"
    return make_book(chart, f"{default_text('rules.toml')}\n{rule}")


def test_the_rule_of_the_tutorial_is_proven_and_its_example_comes_true() -> None:
    book = _book(RULE)
    results = run_examples(book)
    assert any(rule.entity == "ca" for rule in book.rules)
    assert [problem for result in results for problem in result.problems] == []


def test_the_rule_without_its_last_leg_is_refused_in_the_words_shown() -> None:
    broken = PAID_OUT.sub("", RULE)
    assert broken != RULE
    with pytest.raises(BookRefused) as refused:
        _book(broken)
    words = str(refused.value).split(": ", 1)[1]
    assert words in " ".join(PAGE.split())


def test_an_example_that_does_not_come_true_is_seen() -> None:
    results = run_examples(_book(RULE.replace("12.00", "13.00", 1)))
    assert any(result.problems for result in results)
