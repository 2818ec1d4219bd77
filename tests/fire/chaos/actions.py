"""What is done to the hub: a seeded plan of faults, each undone by itself before the next round.

An action takes a few seconds, leaves nothing broken behind on purpose, and counts itself in the
score. What the machine cannot do is skipped and said in words.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import psycopg

from tests.fire.chaos.processes import strike, wake
from tests.fire.chaos.proxy import FAIR, Proxy, Weather
from tests.fire.chaos.scene import Scene
from tests.fire.chaos.score import Score
from tillbridge.connectors.sandbox.erp_faults import Fault, FaultKind

ROLES = ("up", "worker", "http", "flow")
WIRES = ("hub", "erp", "store")
STORE_SECONDS = 60.0
VICTIM_SECONDS = 20.0
PAGE = 4096
WEATHERS = {
    "slow": Weather(delay=0.05, jitter=0.2),
    "sliced": Weather(slices=7),
    "resets": Weather(reset=0.05),
    "cut short": Weather(cut_after=700),
    "silent up": Weather(silent_up=True),
    "silent down": Weather(silent_down=True),
    "shut": Weather(refuse=True),
}
ERP_MODES: dict[str, tuple[FaultKind, float]] = {
    "hang": ("hang", 0.5),
    "error": ("error", 1.0),
    "throttle": ("throttle", 1.0),
    "slow": ("slow", 1.0),
    "lost": ("lost", 0.3),
    "drop": ("drop", 0.7),
}
"""How the ERP fails (see sandbox.erp_faults) and for which share of the calls."""


class Action(msgspec.Struct, frozen=True):
    """One thing done: its kind, to whom, with which number (seconds or a die)."""

    kind: str
    whom: str
    number: float

    def __str__(self) -> str:
        return f"{self.kind} {self.whom} {self.number:.1f}"


def plan(seed: int, count: int) -> list[Action]:
    """`count` actions by dice; the same seed gives the same."""
    dice = random.Random(seed)  # noqa: S311 - a plan, no secret
    choices: list[tuple[str, Sequence[str], int]] = [
        ("kill", ROLES, 8),
        ("stop", ROLES, 4),
        ("kill postgres", ("SIGKILL", "SIGQUIT"), 3),
        ("end sessions", ("all",), 2),
        ("weather", [f"{wire}/{name}" for wire in WIRES for name in WEATHERS], 6),
        ("cut", WIRES, 2),
        ("erp", tuple(ERP_MODES), 4),
        ("kill erp", ("erp",), 1),
        ("fill disk", ("disk",), 1),
    ]
    kinds = dice.choices(choices, weights=[weight for _, _, weight in choices], k=count)
    return [Action(kind, dice.choice(whom), 1 + dice.random() * 7) for kind, whom, _ in kinds]


class Fire:
    """Carries actions out against a scene and counts them in a score."""

    def __init__(self, scene: Scene, score: Score, seed: int) -> None:
        self._scene = scene
        self._score = score
        self._dice = random.Random(seed)  # noqa: S311 - a choice of victims
        self._wires: dict[str, Proxy] = {
            "hub": scene.hub_wire,
            "erp": scene.erp_wire,
            "store": scene.store_wire,
        }

    def do(self, action: Action) -> None:
        """One action, to its end."""
        table: dict[str, Callable[[Action], None]] = {
            "kill": self._kill,
            "stop": self._stop,
            "kill postgres": self._kill_postgres,
            "end sessions": self._end_sessions,
            "weather": self._weather,
            "cut": self._cut,
            "erp": self._erp,
            "kill erp": self._kill_erp,
            "fill disk": self._fill_disk,
        }
        before = self._scene.pids("postgres")
        table[action.kind](action)
        self._score.postgres_restarts += self._scene.pids("postgres") != before

    def calm(self) -> None:
        """Everything as it should be: weather fair, nobody stopped, the ERP well, the store up."""
        for wire in self._wires.values():
            wire.weather = FAIR
            self._score.cuts += wire.cuts
            wire.cuts = 0
        for pid in (self._scene.up.pid, self._scene.worker.pid):
            wake(pid)
        self._scene.erp_fault()
        self._await_store()

    def _victim(self, role: str) -> int | None:
        """A process of a role; one that is just being started again is waited for."""
        end = time.monotonic() + VICTIM_SECONDS
        while not (found := self._scene.pids(role)):
            if time.monotonic() > end:
                return None
            time.sleep(0.1)
        return self._dice.choice(found)

    def _kill(self, action: Action) -> None:
        pid = self._victim(action.whom)
        if pid is not None and strike(pid, signal.SIGKILL):
            self._score.count("kills", action.whom)

    def _stop(self, action: Action) -> None:
        pid = self._victim(action.whom)
        if pid is not None and strike(pid, signal.SIGSTOP):
            self._score.count("stops", action.whom)
            time.sleep(action.number * (5.0 if action.whom in ("up", "worker") else 2.5))
            strike(pid, signal.SIGCONT)

    def _kill_postgres(self, action: Action) -> None:
        self._scene.strike_store(signal.Signals[action.whom])
        self._await_store()

    def _await_store(self) -> None:
        """Wait until the server takes connections again; its supervisor sees to it."""
        began = time.monotonic()
        time.sleep(0.1)
        while not self._scene.store_answers():
            assert time.monotonic() - began < STORE_SECONDS, "PostgreSQL did not come back"
            time.sleep(0.1)
        back = round(time.monotonic() - began, 1)
        worst = self._score.postgres_back_seconds_worst
        self._score.postgres_back_seconds_worst = max(worst, back)

    def _end_sessions(self, action: Action) -> None:
        query = (
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where pid <> pg_backend_pid() and backend_type = 'client backend'"
        )
        with psycopg.connect(self._scene.url, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
        self._score.sessions_ended += int(row[0]) if row else 0

    def _weather(self, action: Action) -> None:
        wire, _, name = action.whom.partition("/")
        self._wires[wire].weather = WEATHERS[name]
        time.sleep(action.number)
        self._wires[wire].weather = FAIR
        if name.startswith("silent"):
            self._wires[wire].cut()  # what was swallowed cannot be made good on that connection

    def _cut(self, action: Action) -> None:
        for _ in range(3):
            self._score.cuts += self._wires[action.whom].cut()
            time.sleep(action.number / 3)

    def _erp(self, action: Action) -> None:
        do, share = ERP_MODES[action.whom]
        number = self._dice.randrange(1 << 30)
        fault = Fault(do=do, count=None, probability=share, seed=number, seconds=6.0, on="any")
        self._scene.erp_fault(fault)
        self._score.count("erp_modes", action.whom)
        time.sleep(action.number * 2)
        self._scene.erp_fault()

    def _kill_erp(self, action: Action) -> None:
        if strike(self._scene.erp.pid, signal.SIGKILL):
            self._score.count("kills", "erp")

    def _fill_disk(self, action: Action) -> None:
        """Leave no room on the disk of server, drop folders and archive; then give it back."""
        if not self._scene.limited:
            self._score.skipped["fill disk"] = "no disk of a fixed size: mounting one takes root"
            return
        ballast = Path(self._scene.place) / "ballast"
        end = time.monotonic() + action.number
        with ballast.open("wb") as file:
            while time.monotonic() < end:
                _stuff(file.fileno(), shutil.disk_usage(self._scene.place).free)
                time.sleep(0.05)
        self._score.disk_full += 1
        ballast.unlink()
        self._await_store()


def _stuff(file: int, free: int) -> None:
    """Add to a file until nothing is left; what is free changes meanwhile."""
    while free >= PAGE:
        try:
            os.posix_fallocate(file, os.fstat(file).st_size, free)
        except OSError:
            free //= 2
