"""Runs of a till's numbers, the gaps between them, and sequences that begin again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbridge.reconciliation.tills.numbers import (
    Lap,
    Run,
    count,
    day_numbers,
    each,
    gap_between,
    shown,
)

ENDLESS = Lap()
TO_9999 = Lap(1, 9999)


def runs_of(numbers: set[int]) -> list[Run]:
    """Runs as the database gives them."""
    ordered = sorted(numbers)
    starts = [n for n in ordered if n - 1 not in numbers]
    ends = [n for n in ordered if n + 1 not in numbers]
    return [Run(first, last) for first, last in zip(starts, ends, strict=True)]


def test_a_till_that_jumps_from_118_to_121_lacks_119_and_120() -> None:
    found = day_numbers([Run(100, 118), Run(121, 130)], ENDLESS)
    assert (found.first, found.last) == (100, 130)
    assert found.gaps == (Run(119, 120),)
    assert [shown(gap) for gap in found.gaps] == ["119-120"]
    assert shown(Run(7, 7)) == "7"


def test_a_day_over_the_end_of_the_sequence_begins_behind_the_widest_hole() -> None:
    found = day_numbers([Run(1, 2), Run(9990, 9997), Run(9999, 9999)], TO_9999)
    assert (found.first, found.last) == (9990, 2)
    assert found.gaps == (Run(9998, 9998),)


def test_the_gap_between_two_days_may_lie_over_the_end_of_the_sequence() -> None:
    gap = gap_between(9998, 2, TO_9999)
    assert gap == Run(9999, 1)
    assert count(gap, TO_9999) == 2
    assert each(gap, TO_9999, 10) == [9999, 1]
    assert gap_between(9999, 1, TO_9999) is None


@pytest.mark.parametrize(("before", "after", "lap"), [(500, 1, ENDLESS), (500, 1, TO_9999)])
def test_a_till_that_began_anew_lost_nothing(before: int, after: int, lap: Lap) -> None:
    assert gap_between(before, after, lap) is None


@given(st.sets(st.integers(1, 300), min_size=1))
def test_what_is_missing_is_exactly_what_is_not_there(numbers: set[int]) -> None:
    found = day_numbers(runs_of(numbers), ENDLESS)
    missing = {n for gap in found.gaps for n in each(gap, ENDLESS, 1000)}
    assert missing == set(range(min(numbers), max(numbers))) - numbers


@given(st.integers(1, 40), st.lists(st.booleans(), min_size=1, max_size=18))
def test_a_lap_changes_nothing_but_the_names_of_the_numbers(begin: int, there: list[bool]) -> None:
    """The same day told in a sequence of 40, wherever it begins, lacks the same places."""
    lap = Lap(1, 40)
    there = [True, *there, True]
    used = [lap.step(1, begin + place) for place, is_there in enumerate(there) if is_there]
    wanted = [lap.step(1, begin + place) for place, is_there in enumerate(there) if not is_there]
    found = day_numbers(runs_of(set(used)), lap)
    missing = [n for gap in found.gaps for n in each(gap, lap, 100)]
    assert missing == wanted
    assert (found.first, found.last) == (used[0], used[-1])
