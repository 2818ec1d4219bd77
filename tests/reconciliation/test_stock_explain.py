"""Differences are explained whole or not at all, and never by an arbitrary choice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tillbridge.reconciliation.stock.explain import Unseen, explain

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def unseen(quantity: int, minutes: int, why: str) -> Unseen:
    """A movement so many minutes after noon."""
    return Unseen(f"{why} {minutes}", quantity, NOON + timedelta(minutes=minutes), why)


def test_a_paper_that_was_not_taken_is_always_part_of_it() -> None:
    paper = unseen(-3000, 1, "certain")
    found = explain("p", 7000, 10_000, [paper])
    assert (found.rest, found.named) == (0, (paper,))
    found = explain("p", 7000, 9000, [paper])
    assert (found.rest, found.named) == (1000, (paper,))
    assert explain("p", 7000, 7000, [paper]).rest == 3000


def test_a_late_source_is_late_with_the_newest() -> None:
    sales = [unseen(-1000, 1, "late"), unseen(-2000, 2, "late"), unseen(-4000, 3, "late")]
    assert [one.what for one in explain("p", 0, 6000, sales).named] == ["late 2", "late 3"]
    odd = explain("p", 0, 2000, sales)  # the middle one alone: nobody is late like that
    assert (odd.rest, odd.named) == (-2000, ())


def test_an_answer_on_its_way_may_or_may_not_be_in_the_figure() -> None:
    coming = [unseen(-1000, 1, "open"), unseen(-2000, 2, "open"), unseen(-4000, 3, "open")]
    assert [one.what for one in explain("p", 0, 5000, coming).named] == ["open 1", "open 3"]
    assert explain("p", 0, 500, coming).rest == -500


def test_the_fewest_movements_are_named() -> None:
    some = [unseen(-1000, 1, "late"), unseen(-1000, 2, "late"), unseen(-2000, 3, "open")]
    assert [one.what for one in explain("p", 0, 2000, some).named] == ["open 3"]


movements = st.builds(
    unseen, st.integers(-3, 3), st.integers(0, 30), st.sampled_from(["certain", "open", "late"])
)


@given(st.integers(-9, 9), st.integers(-9, 9), st.lists(movements, max_size=8))
def test_what_is_named_and_the_rest_are_the_difference(
    ours: int, theirs: int, some: list[Unseen]
) -> None:
    found = explain("p", ours, theirs, some)
    assert ours - theirs == found.rest + sum(one.quantity for one in found.named)
    assert {one for one in some if one.why == "certain"} <= set(found.named)
    late = sorted((one for one in some if one.why == "late"), key=lambda one: one.at)
    named = [one for one in found.named if one.why == "late"]
    assert sorted(one.quantity for one in named) == sorted(
        one.quantity for one in late[len(late) - len(named) :]
    )


@given(st.lists(st.tuples(movements, st.booleans()), max_size=8))
def test_every_real_lag_is_explained(some: list[tuple[Unseen, bool]]) -> None:
    """Whatever papers are under way and however late the source is, nothing is left over."""
    late = sorted((one for one, _ in some if one.why == "late"), key=lambda one: one.at)
    cut = len(late) // 2
    lacking = [one for one, lacks in some if one.why == "certain" or (one.why == "open" and lacks)]
    theirs = -sum(one.quantity for one in [*lacking, *late[cut:]])
    assert explain("p", 0, theirs, [one for one, _ in some]).rest == 0
