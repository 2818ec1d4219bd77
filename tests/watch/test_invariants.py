"""Every invariant can be broken, and then it and nothing else says so."""

from __future__ import annotations

import psycopg
import pytest

from tests.watch.lies import ALSO, LIES
from tillbridge.posting.money.book import load_book
from tillbridge.watch.invariants import INVARIANTS
from tillbridge.watch.verify import verify

CHART = load_book().chart


def test_there_is_a_lie_for_every_invariant() -> None:
    assert sorted(LIES) == sorted(one.name for one in INVARIANTS)


@pytest.mark.parametrize("one", INVARIANTS, ids=lambda one: one.name)
def test_an_invariant_says_what_it_means_and_what_to_do(one: object) -> None:
    says, do, owner = (getattr(one, name) for name in ("says", "do", "owner"))
    assert says.endswith(".")
    assert do.endswith(".")
    assert owner in {"integration", "finance"}


@pytest.mark.parametrize("invariant", LIES)
def test_a_lie_breaks_its_invariant_and_no_other(
    tables: psycopg.Connection, invariant: str
) -> None:
    changed = 0
    for statement in LIES[invariant].split(";"):
        changed = tables.execute(statement.encode()).rowcount
    assert changed != 0, "the tables were not changed at all"
    tables.commit()
    verdict = verify(tables, quiesced=True, deep=True, chart=CHART)
    broken = {one.name.replace(" ", "_"): one for one in verdict.invariants if one.lies}
    assert set(broken) == {invariant} | ALSO.get(invariant, set())
    assert not verdict.ok
    assert verdict.broken == len(broken)
    assert broken[invariant].rows
    assert not broken[invariant].failed
