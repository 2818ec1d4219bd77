"""Replenishment: rules read word by word, needs worked out for all places at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg import Connection

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import SeededIds
from tillbridge.canonical.supply import ProposalDecided, ProposedLine, ReplenishmentProposed
from tillbridge.reconciliation.replenishment.replenish import (
    KeptBack,
    Run,
    proposals,
    replenish,
)
from tillbridge.reconciliation.replenishment.rules import parse_replenishment

PLACES = {
    "wh": frozenset({"wh", "warehouse"}),
    "s1": frozenset({"s1", "store"}),
    "s2": frozenset({"s2", "store"}),
}
NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)  # a Tuesday
RUN = Run(NOW, SeededIds(1), dict.fromkeys(PLACES, ("us", "USD")))
NOTHING: KeptBack = lambda _place, _product, _category: 0  # noqa: E731 - a table of nothing
WHOM = '[[replenish]]\nlocations = ["store"]\ntransfer_from = "wh"\n'


def stock(connection: Connection, rows: list[tuple[str, str, int, int]]) -> None:
    """Location, product, on hand, reserved: pieces."""
    for place, product, held, reserved in rows:
        connection.execute(
            "insert into stock (location, product, on_hand, reserved) values (%s, %s, %s, %s)",
            (place, product, held * 1000, reserved * 1000),
        )


def needs(
    connection: Connection, rules: str, kept: KeptBack = NOTHING
) -> dict[tuple[str, str], int]:
    """Pieces proposed by place and product."""
    told = proposals(connection, parse_replenishment(rules, PLACES), kept, RUN)
    return {
        (fact.location, line.product): line.quantity // 1000
        for fact in told
        if isinstance(fact, ReplenishmentProposed)
        for line in fact.lines
    }


def test_what_is_below_its_minimum_is_filled_up_in_whole_packs(connection: Connection) -> None:
    stock(connection, [("wh", "p", 100, 0), ("s1", "p", 3, 1), ("s2", "p", 4, 0)])
    assert needs(connection, WHOM + "min = 3\nmax = 10\npack = 6\n") == {("s1", "p"): 12}
    assert needs(connection, WHOM + "min = 2\nmax = 10\n") == {}


def test_what_is_coming_counts(connection: Connection) -> None:
    stock(connection, [("wh", "p", 100, 0), ("s1", "p", 1, 0), ("s2", "p", 1, 0)])
    connection.execute(
        "insert into stock (location, product, condition, on_hand)"
        " values ('s1', 'p', 'in_transit', 2000)"
    )
    connection.execute(
        "insert into supply (supply, product, location, version, expected, received)"
        " values ('po', 'p', 's2', '1', 5000, 4000)"
    )
    assert needs(connection, WHOM + "min = 3\nmax = 3\n") == {("s2", "p"): 1}


def test_a_source_gives_what_is_free_to_those_who_lack_most(connection: Connection) -> None:
    stock(connection, [("wh", "p", 12, 4), ("s1", "p", 2, 0), ("s2", "p", 0, 0)])
    assert needs(connection, WHOM + "min = 5\nmax = 8\npack = 2\n") == {("s2", "p"): 8}
    connection.execute("update stock set on_hand = 15000 where location = 'wh'")
    assert needs(connection, WHOM + "min = 5\nmax = 8\npack = 2\n") == {
        ("s2", "p"): 8,
        ("s1", "p"): 2,
    }


def test_a_later_rule_wins_field_by_field_and_categories_name_what_a_place_never_had(
    connection: Connection,
) -> None:
    connection.execute(
        "insert into item (product, title, unit, step, category, sellable, version)"
        " values ('p', '', 'EA', 1000, 'shoes', true, '1'),"
        " ('q', '', 'EA', 1000, 'hats', true, '1')"
    )
    stock(connection, [("wh", "p", 100, 0), ("wh", "q", 100, 0)])
    rules = WHOM + 'category = "shoes"\nmin = 2\nmax = 4\n'
    assert needs(connection, rules) == {("s1", "p"): 4, ("s2", "p"): 4}
    rules += '[[replenish]]\nlocations = ["s2"]\nproduct = ["p"]\nmax = 9\n'
    assert needs(connection, rules) == {("s1", "p"): 4, ("s2", "p"): 9}
    assert needs(connection, rules + 'review_days = ["mon"]\n') == {("s1", "p"): 4}


def test_thousands_of_products_are_one_proposal_of_one_query(connection: Connection) -> None:
    connection.execute(
        "insert into stock (location, product, on_hand) select place, 'p' || n, much"
        " from generate_series(1, 3000) n, (values ('wh', 50000), ('s1', 1000)) x (place, much)"
    )
    (fact,) = proposals(
        connection, parse_replenishment(WHOM + "min = 2\nmax = 6\n", PLACES), NOTHING, RUN
    )
    assert isinstance(fact, ReplenishmentProposed)
    assert len(fact.lines) == 3000
    assert fact.lines[0] == ProposedLine(
        product="p1", quantity=5000, on_hand=1000, least=2000, most=6000
    )


def test_small_needs_pass_alone_and_a_run_waits_for_the_one_before(connection: Connection) -> None:
    stock(
        connection, [("wh", "p", 100, 0), ("s1", "p", 1, 0), ("wh", "q", 9, 0), ("s1", "q", 0, 0)]
    )
    rules = parse_replenishment(WHOM + "min = 2\nmax = 9\naccept_up_to = 8\n", PLACES)
    facts = replenish(connection, rules, NOTHING, RUN)
    assert [type(fact) for fact in facts] == [
        ReplenishmentProposed,
        ReplenishmentProposed,
        ProposalDecided,
    ]
    assert facts[2].key == facts[1].key
    assert replenish(connection, rules, NOTHING, RUN) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[replenish]]\nmin = -1", "stock.toml:1: min: a quantity is not negative"),
        ("x = 1\n[[replenish]]\nmini = 1", "unknown word 'x'"),
        ("[[replenish]]\nmin = 1.5", "a whole number, or a text"),
        ("[[replenish]]\nmin = 3\nmax = 2", "max is below min"),
        ("[[replenish]]\npack = 0", "a pack holds something"),
        ('[[replenish]]\nlocations = ["moon"]', "no location, group or kind 'moon'"),
        ('[[replenish]]\ntransfer_from = "moon"', "no location 'moon'"),
        ('[[replenish]]\ntransfer_from = "wh"\nbuy_from = "x"', "not both"),
        ('[[replenish]]\nreview_days = ["day"]', "review_days are of mon"),
        ("[[replenish]]\nlead_days = 999", "lead_days is a whole number"),
        ("demand_days = 0", "demand_days is a whole number"),
        ("replenish = 1", "written as"),
        ("[[replenish", "stock.toml"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(Refused, match=why.replace("[", r"\[").replace("(", r"\(")):
        parse_replenishment(text, PLACES)


def test_rules_of_one_meaning_have_one_hash() -> None:
    one: Any = parse_replenishment(WHOM + "min = 2\n", PLACES)
    assert one.hash == parse_replenishment(WHOM + 'min = "2.000"  # two\n', PLACES).hash
    assert one.hash != parse_replenishment(WHOM + "min = 3\n", PLACES).hash
