"""Rounds of chaos until the time is up: trade, faults by a printed plan, calm, judgement.

Each round has a hub of its own. Crash points take turns: a round arms one of them in the hub's
first start. The first round measures a hub in peace (with and without poison) and after an outage
of its ERP.
"""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fire.chaos.actions import Action, Fire, plan
from tests.fire.chaos.judge import Findings, judge
from tests.fire.chaos.peace import measure
from tests.fire.chaos.scene import Scene
from tests.fire.chaos.score import Score, say
from tillbridge.durable.crash_points import POINTS

RATE = 20.0
POISON_SHARE = 0.01
HOWS = ("kill", "hang", "raise")
HANG_SECONDS = "12"
ELSEWHERE = frozenset(
    name for name in POINTS if name.startswith(("polls.", "restore.")) or "reread" in name
)
"""Crash points a running hub of this scene does not pass: it polls nobody and restores nothing."""


def armings(seed: int) -> Iterator[str]:
    """Crash points and ways to strike, shuffled, for ever."""
    dice = random.Random(seed)  # noqa: S311 - a plan, no secret
    pairs = [f"{name}:{how}" for name in sorted(POINTS.keys() - ELSEWHERE) for how in HOWS]
    while True:
        dice.shuffle(pairs)
        for pair in pairs:
            yield f"{pair}:{dice.choice((1, 2, 5))}"


def one_round(score: Score, seed: int, actions: list[Action], crash: str = "") -> Findings:
    """A hub, trade, the actions one after the other, calm, and what the witnesses say."""
    mark = Path(tempfile.mkdtemp(prefix="chaos-mark-")) / "struck"
    armed = {
        "TILLBRIDGE_CRASH": crash,
        "TILLBRIDGE_CRASH_MARK": str(mark),
        "TILLBRIDGE_CRASH_SECONDS": HANG_SECONDS,
    }
    dice = random.Random(seed)  # noqa: S311 - pauses
    try:
        with Scene(seed, crash=armed if crash else None) as scene:
            scene.trade(RATE, POISON_SHARE)
            fire = Fire(scene, score, seed)
            time.sleep(3)
            for action in actions:
                say(f"    {action}")
                fire.do(action)
                time.sleep(dice.random() * 1.5)
            fire.calm()
            scene.close_shop()
            fire.calm()
            found = judge(scene)
    finally:
        if mark.exists():
            score.count("crash_points", ":".join(crash.split(":")[:2]))
        shutil.rmtree(mark.parent)
    score.add(found)
    return found


def campaign(minutes: float, seed: int, actions_each: int = 14) -> Score:
    """Rounds until the minutes are over; a round that found a fault says all about it."""
    score = Score(seed=seed, minutes=minutes)
    end = time.monotonic() + minutes * 60
    crashes = armings(seed)
    measure(score, seed)
    number = 0
    while time.monotonic() < end:
        number += 1
        mine, crash = seed * 1_000 + number, next(crashes)
        say(f"round {number}: seed {mine}, {crash}")
        try:
            found = one_round(score, mine, plan(mine, actions_each), crash)
        except Exception as problem:  # noqa: BLE001 - the other rounds go on, and the run is red
            score.rounds += 1
            score.stuck += 1
            say(f"  round {number} broke: {type(problem).__name__}: {problem}")
            continue
        say(f"  acked {found.acked}, drained in {found.drain_seconds} s, faults {found.faults}")
    return score
