"""However a day is told, the books end the same: copies, any order, a day late, old versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fire.hostile.telling import Ending, Telling, events_of, hostile
from tests.fire.simulation.books import differences
from tests.fire.simulation.quiet import quiet
from tillbridge.connectors.sandbox.dice import Dice
from tillbridge.durable.postgres.databases import create_database, drop_database

NOISE = ("topic_unknown",)
"""Reasons of cases that only the noise brings."""


@pytest.fixture
def two_databases(server_url: str, template_database: str) -> object:
    names = [f"{template_database}_{way}" for way in ("clean", "hostile")]
    yield [create_database(server_url, name, template=template_database) for name in names]
    for name in names:
        drop_database(server_url, name)


def both_ways(folder: Path, urls: list[str], orders: int, seed: int) -> tuple[Ending, Ending]:
    quiet()
    clean = Telling(folder / "clean", urls[0], orders, seed)
    once = [(0.0 if event.opening else 1.0, event) for event in events_of(clean.day, clean.hub)]
    told = clean.tell(once, Dice(seed))
    bad = Telling(folder / "hostile", urls[1], orders, seed)
    # Dice of its own: the day's would give the noise the ids of deliveries that were told.
    return told, bad.tell(hostile([event for _, event in once], Dice(1_000 + seed)), Dice(seed))


def the_same(clean: Ending, bad: Ending) -> None:
    assert not clean.problems, clean.problems
    assert not bad.problems, bad.problems
    assert not clean.left.moving, clean.left
    assert not bad.left.moving, bad.left
    for state in (clean.state, bad.state):
        for name in ("cases", "parked"):
            state[name] = {k: n for k, n in state[name].items() if "delivery/web" not in k}
    told = differences(clean.state, bad.state)
    assert not told, "\n".join(told)


@pytest.mark.parametrize("seed", [1, 2])
def test_five_hundred_events_told_badly_end_in_the_same_books(
    seed: int, tmp_path: Path, two_databases: list[str]
) -> None:
    clean, bad = both_ways(tmp_path, two_databases, 65, seed)
    assert clean.new >= 500
    assert bad.told > 4 * clean.told
    the_same(clean, bad)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_five_thousand_events_told_badly_end_in_the_same_books(
    tmp_path: Path, two_databases: list[str]
) -> None:
    clean, bad = both_ways(tmp_path, two_databases, 970, 3)
    assert clean.new >= 5_000
    the_same(clean, bad)
