"""Every named crash point, with every way to strike: the hub comes back whole."""

from __future__ import annotations

import pytest

from tests.fire.chaos.actions import Action
from tests.fire.chaos.campaign import ELSEWHERE, HOWS, one_round
from tests.fire.chaos.score import Score
from tillbridge.durable.crash_points import POINTS


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("name", sorted(POINTS.keys() - ELSEWHERE))
def test_a_hub_that_is_struck_there_comes_back_whole(name: str, how: str) -> None:
    score = Score()
    # the schedules' first turn and a file come early; everything else comes under trade
    found = one_round(
        score, 500, [Action("kill", "http", 1.0)], iter([f"{name}:{how}"]), patience=40.0
    )
    assert found.faults == {}
    assert score.crash_points, "nobody came by there"
