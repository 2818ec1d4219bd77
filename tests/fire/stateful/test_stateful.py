"""A whole retailer, any number of steps in any order: the hub agrees with the world."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fire.stateful.tellings import furnish
from tests.fire.stateful.trade import WholeRetailer
from tests.stories.shop import House, house
from tillbridge.durable.postgres.databases import create_database, drop_database

Play = Callable[[int, int], None]
_numbers = itertools.count(1)


@pytest.fixture
def play(tmp_path: Path, server_url: str, template_database: str) -> Play:
    """Plays so many retailers of so many steps, each in a house of its own."""

    @contextmanager
    def open_house() -> Iterator[House]:
        name = f"{template_database}_retailer_{next(_numbers)}"
        url = create_database(server_url, name, template=template_database)
        folder = tmp_path / name
        try:
            with house(folder, url, furnish=furnish) as shop:
                yield shop
        finally:
            drop_database(server_url, name)
            shutil.rmtree(folder, ignore_errors=True)

    def run(retailers: int, steps: int) -> None:
        machine = type("Played", (WholeRetailer,), {"open_house": staticmethod(open_house)})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=retailers,
                stateful_step_count=steps,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

    return run


@pytest.mark.timeout(600)
def test_the_hub_agrees_with_a_small_retailer(play: Play) -> None:
    play(4, 25)


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_the_hub_agrees_with_many_retailers(play: Play) -> None:
    play(60, 50)
