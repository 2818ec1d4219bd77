"""A real hub is killed under load: nothing is lost, nothing comes twice, and it comes back."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.fire.chaos.actions import Action, Fire, plan
from tests.fire.chaos.campaign import armings, one_round
from tests.fire.chaos.judge import judge
from tests.fire.chaos.scene import Scene
from tests.fire.chaos.score import Score
from tillbridge.durable.crash_points import POINTS

SEED = 11
NONE: Iterator[str] = iter(())


def kills(count: int, roles: tuple[str, ...]) -> list[Action]:
    return [Action("kill", roles[number % len(roles)], 1.0) for number in range(count)]


@pytest.mark.timeout(300)
def test_five_kills_at_random_lose_nothing_and_double_nothing() -> None:
    score = Score()
    found = one_round(score, SEED, kills(5, ("http", "flow", "worker", "up", "flow")), NONE)
    assert found.faults == {}
    assert found.acked > 50
    assert sum(score.kills.values()) == 5


@pytest.mark.timeout(300)
def test_a_killed_postgres_is_back_within_fifteen_seconds_and_nothing_is_lost() -> None:
    score = Score()
    with Scene(SEED + 1) as scene:
        scene.trade(20.0)
        time.sleep(3)
        Fire(scene, score, SEED).do(Action("kill postgres", "SIGKILL", 1.0))
        assert scene.await_ready(15.0) < 15.0
        time.sleep(3)
        scene.close_shop()
        found = judge(scene)
    assert found.faults == {}
    assert found.acked > 50
    assert score.postgres_restarts == 1


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(5))
def test_twenty_five_kills_and_five_of_postgres(part: int) -> None:
    score = Score()
    actions = kills(5, ("up", "flow", "http", "worker", "flow"))
    actions.insert(2, Action("kill postgres", "SIGKILL" if part % 2 else "SIGQUIT", 1.0))
    found = one_round(score, 100 + part, actions, NONE)
    assert found.faults == {}
    assert sum(score.kills.values()) == 5


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_full_disk_and_every_weather_are_lived_through() -> None:
    found = one_round(Score(), 7, [*plan(7, 10), Action("fill disk", "disk", 5.0)], NONE)
    assert found.faults == {}


def test_a_plan_and_the_crash_points_come_from_the_seed() -> None:
    assert plan(3, 50) == plan(3, 50) != plan(4, 50)
    turns = armings(3)
    names = {next(turns).split(":")[0] for _ in range(3 * len(POINTS))}
    assert {"flow.before_append", "intake.after_commit", "dispatch.answered"} <= names


def test_signals_named_in_a_plan_exist() -> None:
    told = {action.whom for action in plan(1, 500) if action.kind == "kill postgres"}
    assert {signal.Signals[name] for name in told} == {signal.SIGKILL, signal.SIGQUIT}
