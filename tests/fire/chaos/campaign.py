"""Rounds of chaos until the time is up: trade, faults by a printed plan, calm, judgement.

Each round has a hub of its own. Crash points take turns: as soon as one has struck the next one is
armed. The first round measures a hub in peace (with and without poison) and after an outage
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
from tests.fire.chaos.scene import Scene, faketime
from tests.fire.chaos.score import Score, say
from tillbridge.durable.crash_points import POINTS

RATE = 20.0
POISON_SHARE = 0.01
HOWS = ("kill", "hang", "raise")
HANG_SECONDS = "12"
ZOMBIE_SECONDS = "40"
"""Longer than a lease: who hangs while it holds one wakes up as a zombie."""
SKEWS = ("", "", "+90s", "-90s", "+5m", "-5m", "+1h")
ELSEWHERE = frozenset(
    name
    for name in POINTS
    if name.startswith(("polls.", "publication.", "restore.")) or "reread" in name
)
"""Crash points a running hub of this scene does not pass: it polls nobody, publishes nothing
and restores nothing."""


def armings(seed: int) -> Iterator[str]:
    """Crash points and ways to strike, shuffled, for ever."""
    dice = random.Random(seed)  # noqa: S311 - a plan, no secret
    pairs = [f"{name}:{how}" for name in sorted(POINTS.keys() - ELSEWHERE) for how in HOWS]
    while True:
        dice.shuffle(pairs)
        for pair in pairs:
            yield f"{pair}:{dice.choice((1, 2, 5))}"


class Arms:
    """Arms one crash point after the other; counts those that struck."""

    def __init__(self, score: Score, crashes: Iterator[str]) -> None:
        self._score = score
        self._crashes = crashes
        self._marks = Path(tempfile.mkdtemp(prefix="chaos-marks-"))
        self._armed = ""
        self._mark = self._marks

    def next(self) -> dict[str, str]:
        """The environment that arms the next one; {} when there is none left."""
        self._armed = next(self._crashes, "")
        if not self._armed:
            return {}
        self._mark = self._marks / str(len(list(self._marks.iterdir())))
        say(f"    armed {self._armed}")
        leased = self._armed.startswith("dispatch.")
        return {
            "TILLBRIDGE_CRASH": self._armed,
            "TILLBRIDGE_CRASH_MARK": str(self._mark),
            "TILLBRIDGE_CRASH_SECONDS": ZOMBIE_SECONDS if leased else HANG_SECONDS,
        }

    def struck(self) -> bool:
        """Whether what is armed has struck; told once."""
        if not self._armed or not self._mark.exists():
            return False
        self._score.count("crash_points", ":".join(self._armed.split(":")[:2]))
        self._armed = ""
        return True

    def turn(self, scene: Scene) -> None:
        """Arm the next one if the last has struck."""
        if self.struck() and (armed := self.next()):
            scene.arm(armed)

    def wait(self, seconds: float) -> None:
        """Give what is armed so long to strike."""
        end = time.monotonic() + seconds
        while self._armed and not self._mark.exists() and time.monotonic() < end:
            time.sleep(0.1)

    def close(self) -> None:
        """Count what struck last, and tidy up."""
        self.struck()
        shutil.rmtree(self._marks)


def one_round(
    score: Score,
    seed: int,
    actions: list[Action],
    crashes: Iterator[str],
    *,
    skew: str = "",
    patience: float = 0.0,
) -> Findings:
    """A hub, trade, the actions one after the other, calm, and what the witnesses say.

    patience: how long the last crash point is given to strike.
    """
    arms = Arms(score, crashes)
    dice = random.Random(seed)  # noqa: S311 - pauses
    if skew and not faketime():
        score.skipped["skewed clock"] = "libfaketime is not installed"
        skew = ""
    if skew:
        score.count("skews", skew)
    try:
        with Scene(seed, crash=arms.next(), skew=skew) as scene:
            scene.trade(RATE, POISON_SHARE)
            fire = Fire(scene, score, seed)
            time.sleep(3)
            for action in actions:
                arms.turn(scene)
                say(f"    {action}")
                fire.do(action)
                time.sleep(dice.random() * 1.5)
            arms.wait(patience)
            fire.calm()
            scene.close_shop()
            fire.calm()
            found = judge(scene)
            if found.faults:
                scene.keep()
    finally:
        arms.close()
    score.add(found)
    return found


def campaign(minutes: float, seed: int, actions_each: int = 14) -> Score:
    """Rounds until the minutes are over or somebody interrupts; a round that found a fault says all
    about it.
    """
    score = Score(seed=seed, minutes=minutes)
    end = time.monotonic() + minutes * 60
    crashes = armings(seed)
    measure(score, seed)
    number = 0
    while time.monotonic() < end:
        number += 1
        mine, skew = seed * 1_000 + number, SKEWS[number % len(SKEWS)]
        say(f"round {number}: seed {mine}, the worker's clock {skew or 'true'}")
        try:
            found = one_round(score, mine, plan(mine, actions_each), crashes, skew=skew)
        except KeyboardInterrupt:
            say("  told to stop: this round does not count")
            break
        except Exception as problem:  # noqa: BLE001 - the other rounds go on, and the run is red
            score.rounds += 1
            score.stuck += 1
            say(f"  round {number} broke: {type(problem).__name__}: {problem}")
            continue
        say(f"  acked {found.acked}, drained in {found.drain_seconds} s, faults {found.faults}")
    return score
