"""Availability rules: the last word counts, and a wrong word is told with file and line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbridge.posting.stock.rules import (
    Rule,
    Rules,
    RulesRefused,
    Terms,
    default_text,
    parse_rules,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LABELS = {
    "wh": frozenset({"wh", "warehouse"}),
    "nyc": frozenset({"nyc", "store", "east"}),
    "bos": frozenset({"bos", "store"}),
}
TEXT = """
[[rule]]
locations = "store"
safety_stock = 2
stale_after_minutes = 90
stale_buffer = "0.65"

[[rule]]
channel = ["market", "web"]
category = "shoes"
safety_stock = 5

[[rule]]
locations = ["east"]
product = "P9"
inbound_days = 7
in_transit = true
"""


def test_the_shipped_rules_keep_nothing_back() -> None:
    rules = parse_rules(default_text())
    assert rules.rules == ()
    assert rules.terms("web", "wh", "P1") == Terms()


def test_every_rule_that_fits_says_its_fields_and_a_later_one_wins() -> None:
    rules = parse_rules(TEXT, labels=LABELS)
    assert rules.terms("", "wh", "P1") == Terms()
    assert rules.terms("pos", "nyc", "P1", "shoes") == Terms(2000, 90, 650)
    assert rules.terms("web", "nyc", "P1", "shoes") == Terms(5000, 90, 650)
    assert rules.terms("web", "wh", "P1", "shoes") == Terms(5000)
    assert rules.terms("market", "nyc", "P9", "") == Terms(2000, 90, 650, 7, in_transit=True)
    assert rules.terms("market", "bos", "P9", "") == Terms(2000, 90, 650)


def test_a_place_is_stale_when_nobody_told_of_it_for_too_long_or_ever() -> None:
    terms = Terms(stale_after_minutes=60, stale_buffer=3000)
    assert terms.buffer(NOON, NOON + timedelta(minutes=59)) == 0
    assert terms.buffer(NOON, NOON + timedelta(minutes=60)) == 3000
    assert terms.buffer(None, NOON) == 3000
    assert terms.stale_at(NOON) == NOON + timedelta(hours=1)
    assert Terms(stale_buffer=3000).buffer(None, NOON) == 0


def test_comments_and_order_of_words_are_no_other_rules() -> None:
    one = parse_rules('[[rule]]\nchannel = "web"\nsafety_stock = 1\n')
    other = parse_rules('# a word\n\n[[rule]]\nsafety_stock = "1.0"\nchannel = ["web"]\n')
    assert one.hash == other.hash != parse_rules("[[rule]]\nsafety_stock = 1\n").hash


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[rule]]\nsafety = 1", "availability.toml:1: unknown word 'safety'"),
        ("\n\n[[rule]]\nchannel = 'web'", "availability.toml:3: it says nothing"),
        ("[[rule]]\nsafety_stock = 1\n[[rule]]\nsafety_stock = 0.5", "availability.toml:3: safety"),
        ("[[rule]]\nsafety_stock = -1", "not negative"),
        ("[[rule]]\nsafety_stock = '0.0001'", "finer than a thousandth"),
        ("[[rule]]\nstale_after_minutes = true", "from 0 to"),
        ("[[rule]]\ninbound_days = -1", "from 0 to"),
        ("[[rule]]\nin_transit = 1", "true or false"),
        ("[[rule]]\nchannel = []\nsafety_stock = 1", "a text or a list of texts"),
        ("[[rule]]\nproduct = 7\nsafety_stock = 1", "a text or a list of texts"),
        ("[[role]]\nx = 1", "unknown table 'role'"),
        ("rule = 3", "written as"),
        ("[[rule]", "availability.toml: "),
    ],
)
def test_a_wrong_word_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(RulesRefused) as refused:
        parse_rules(text)
    assert told in refused.value.words


def test_names_the_workspace_has_not_are_told_with_their_place() -> None:
    rules = parse_rules(TEXT, labels={"wh": frozenset({"wh", "warehouse"})})
    assert rules.unknown({"web"}) == [
        "availability.toml:2: no location, group or kind 'store'",
        "availability.toml:8: no channel 'market'",
        "availability.toml:13: no location, group or kind 'east'",
    ]


@given(
    st.lists(
        st.builds(
            Rule,
            channel=st.sampled_from([(), ("web",), ("web", "market")]),
            locations=st.sampled_from([(), ("store",), ("wh",)]),
            category=st.sampled_from([(), ("shoes",)]),
            product=st.sampled_from([(), ("P1",)]),
            says=st.fixed_dictionaries({"safety_stock": st.integers(0, 9)}),
        ),
        max_size=6,
    ),
    st.sampled_from(["", "web", "market", "other"]),
    st.sampled_from(["wh", "nyc", "elsewhere"]),
    st.sampled_from(["P1", "P2"]),
    st.sampled_from(["", "shoes", "hats"]),
)
def test_what_is_remembered_is_what_the_rules_say(
    rules: list[Rule], channel: str, location: str, product: str, category: str
) -> None:
    said = 0
    for rule in rules:
        labels = LABELS.get(location, frozenset({location}))
        if (
            (channel in rule.channel or not rule.channel)
            and (labels & set(rule.locations) or not rule.locations)
            and (category in rule.category or not rule.category)
            and (product in rule.product or not rule.product)
        ):
            said = int(rule.says["safety_stock"])
    book = Rules(rules, LABELS)
    for other in ("P1", "P2"):  # fill what is remembered
        book.terms("web", location, other, "shoes")
    assert book.terms(channel, location, product, category).safety_stock == said
