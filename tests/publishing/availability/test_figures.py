"""What a channel should show never counts a sale twice, and never forgets one it has not told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillbridge.publishing.availability.figures import Figures, floored


def test_the_worked_example() -> None:
    before = Figures(available=30, told=103, confirmed=20, confirmed_told=100)
    assert (before.expected, before.wanted, before.owes) == (17, 30, True)
    after, off = before.contradicted(15, 103)
    assert off == -2
    assert (after.untold, after.wanted, after.confirmed) == (2, 28, 15)
    shown = after.settled(28, 103)
    assert not shown.owes
    told = Figures(28, 105, shown.confirmed, shown.confirmed_told, shown.untold)
    assert (told.still_untold, told.wanted, told.expected) == (0, 28, 28)


@pytest.mark.parametrize("shown", [17, 18, 20])
def test_what_told_sales_explain_is_no_contradiction(shown: int) -> None:
    """Whether the channel takes its sales off by itself need not be known."""
    _, off = Figures(30, 103, 20, 100).contradicted(shown, 103)
    assert off == 0


def test_what_was_cancelled_is_expected_back() -> None:
    """Otherwise a sale nobody told yet would hide behind it."""
    cancelled = Figures(available=22, told=98, confirmed=20, confirmed_told=100)
    assert cancelled.expected == 22
    assert cancelled.contradicted(21, 98)[1] == -1
    assert cancelled.contradicted(23, 98)[1] == 1


def test_the_first_answer_contradicts_nothing() -> None:
    first = Figures(available=5)
    assert first.owes
    assert first.expected is None
    after, off = first.contradicted(40, 0)
    assert off == 0
    assert (after.confirmed, after.untold, after.wanted) == (40, 0, 5)


def test_nothing_is_ever_shown_below_nothing() -> None:
    assert Figures(available=2, confirmed=0, untold=5).wanted == 0
    assert floored(-1500, 1000) == 0
    assert floored(2999, 1000) == 2000


STEPS = st.lists(
    st.sampled_from(["sell", "tell", "till", "receive", "offer", "late offer", "cancel"]),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_a_channel_never_shows_more_than_is_there(steps: list[str]) -> None:
    """Goods are there, in a shop that sells them too and tells it when it likes. After any answer
    the shop shows at most what is left for it to sell, and once all is told exactly that.
    """
    world = World()
    for step in steps:
        getattr(world, step.replace(" ", "_"))()
        world.check()
    while world.secret:
        world.tell()
    for _ in range(4):
        world.offer()
    assert world.shown == max(0, world.on_hand - world.sold)


class World:
    """The goods, the book, and one channel with an honest compare-and-set."""

    def __init__(self) -> None:
        self.on_hand = 12
        self.sold = 0  # by the channel, in truth
        self.secret = 0  # of these, not told yet
        self.shown = 0  # at the channel
        self.figures = Figures()
        self.plan()
        self.offer()
        self.offer()
        self.overshown = False

    def plan(self) -> None:
        known = self.sold - self.secret
        f = self.figures
        self.figures = Figures(
            max(0, self.on_hand - known), known, f.confirmed, f.confirmed_told, f.untold
        )

    def sell(self) -> None:
        """A buyer at the channel; it takes it off at once and tells it later."""
        if self.shown:
            self.shown -= 1
            self.sold += 1
            self.secret += 1

    def tell(self) -> None:
        if self.secret:
            self.secret -= 1
            self.plan()

    def cancel(self) -> None:
        """An order that was told is cancelled; the channel puts it back by itself."""
        if self.sold > self.secret:
            self.sold -= 1
            self.shown += 1
            self.plan()

    def till(self) -> None:
        """Somebody else buys what is there."""
        if self.on_hand - self.sold > 0:
            self.on_hand -= 1
            self.plan()

    def receive(self) -> None:
        self.on_hand += 3
        self.plan()

    def offer(self) -> None:
        self._answer(self.figures)

    def late_offer(self) -> None:
        """The offer is made up, then the world goes on before it arrives."""
        made = self.figures
        self.sell()
        self.tell()
        self._answer(made)

    def _answer(self, made: Figures) -> None:
        if not made.owes:
            return
        if made.expected == self.shown:
            self.shown = made.wanted
            after = self.figures.settled(made.wanted, made.told)
        else:
            after, _ = self.figures.contradicted(self.shown, made.told)
        self.figures = after

    def check(self) -> None:
        """Just answered and not changed since, it shows no more than there is to sell."""
        if self.figures.confirmed == self.shown and not self.figures.owes:
            assert self.shown <= max(0, self.on_hand - self.sold)
