"""One actor at a time on a virtual clock: threads that hand a baton over at every yield point.

The seed chooses who steps. An actor gives the baton back where its process could be overtaken,
frozen or killed: around every statement, commit and outside call. Time moves only when everybody
sleeps (and a little with every step), so hours cost nothing.
"""

from __future__ import annotations

import hashlib
import heapq
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn

import psycopg

from tests.fire.simulation.plan import Plan
from tillbridge.connectors.sandbox.dice import Dice

STEP_SECONDS = 0.001
TELL_SECONDS = 2.0
"""The database's own clock may lag so far behind."""
RESTART_SECONDS = 2.0
FREEZING = ("statement", "commit", "answered")
"""Where a process may stand still: with the answer to a call in hand its lease may run out."""
AWAY_SECONDS = 1.0


class Crash(BaseException):
    """The process of an actor is killed: nothing of it runs on."""


class Broken(Exception):
    """The run found a fault of the hub; words."""


class Actor:
    """A process of the hub, or somebody outside: a body that is run again whenever it ends.

    body: called with the actor; a new life begins without anything remembered. mortal: may be
    killed and frozen.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        name: str,
        body: Callable[[Actor], None],
        *,
        mortal: bool,
    ) -> None:
        self.scheduler = scheduler
        self.name = name
        self.mortal = mortal
        self.skew = 0.0
        self.wake = scheduler.elapsed
        self.listening = ""
        self.doomed = False
        self.done = False
        self.on_death: Callable[[], None] = lambda: None
        self._body = body
        self._go = threading.Lock()  # held until the baton comes
        self._go.acquire()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    # -- called by the scheduler -------------------------------------------------------------------

    def step(self) -> None:
        """Let the actor run to its next yield point."""
        self.listening = ""
        self._go.release()
        self.scheduler.back.acquire()

    def join(self) -> None:
        """End the thread."""
        while not self.done:
            self.doomed = True
            self.step()
        self._thread.join()

    # -- called by the actor -----------------------------------------------------------------------

    def point(self, kind: str, label: str) -> None:
        """A yield point: others may step here; a mortal may freeze or die here."""
        scheduler, plan = self.scheduler, self.scheduler.plan
        if self.doomed:
            self._die()
        scheduler.note(self.name, kind, label)
        if scheduler.faulty and self.mortal:
            if scheduler.dice.chance(plan.crash):
                scheduler.counts[f"fault: crash at {kind}"] += 1
                self._die()
            if kind in FREEZING and scheduler.dice.chance(plan.freeze):
                scheduler.counts["fault: freeze"] += 1
                self.frozen(float(scheduler.dice.between(1, plan.freeze_seconds)))
        if not scheduler.dice.chance(plan.stickiness):
            self.rest(0.0)

    def frozen(self, seconds: float) -> None:
        """Stand still; replaced where somebody holds connections meanwhile."""
        self.rest(seconds)

    def rest(self, seconds: float, listening: str = "") -> None:
        """Sleep so long at most, or until something listened for is told."""
        if self.doomed:
            self._die()
        self.wake = self.scheduler.elapsed + max(seconds, 0.0)
        self.listening = listening
        self.scheduler.back.release()
        self._go.acquire()
        if self.doomed:
            self._die()

    def _die(self) -> NoReturn:
        """Killed here: connections are cut at once, so that no clean-up of the hub runs on them."""
        self.doomed = True
        self.on_death()
        raise Crash

    # -- the actor as a Clock ----------------------------------------------------------------------

    def now(self) -> datetime:
        """The instant this process believes in."""
        return self.scheduler.instant() + timedelta(seconds=self.skew)

    def monotonic(self) -> float:
        """Seconds since the run began; never jumps."""
        return self.scheduler.elapsed

    def sleep(self, seconds: float) -> None:
        """Sleep in virtual time."""
        self.rest(seconds)

    def _live(self) -> None:
        self._go.acquire()
        while not self.scheduler.ending:
            try:
                pause = self._life()
                self.on_death()
                self.doomed = self.doomed and self.scheduler.ending
                if not self.scheduler.ending:
                    self.rest(pause)
            except Crash:
                self.doomed = self.scheduler.ending
        self.done = True
        self.scheduler.back.release()

    def _life(self) -> float:
        """One life; gives the seconds until the next one."""
        try:
            self._body(self)
        except Crash:
            return RESTART_SECONDS
        except psycopg.OperationalError:
            if not self.doomed:
                self.scheduler.counts["a worker found the store away"] += 1
            return AWAY_SECONDS
        except Exception as problem:  # noqa: BLE001 - told as the run's failure
            if not self.doomed:
                self.scheduler.broken = f"{self.name}: {type(problem).__name__}: {problem}"
                self.scheduler.problem = problem
            return RESTART_SECONDS
        return AWAY_SECONDS


class Scheduler:
    """The actors, the clock and the dice of one run."""

    def __init__(self, plan: Plan, begin: datetime, on_time: Callable[[datetime], None]) -> None:
        """on_time: told when the clock has moved (the database's clock follows)."""
        self.plan = plan
        self.dice = Dice(plan.seed * 2 + 1)
        self.elapsed = 0.0
        self.steps = 0
        self.faulty = False
        self.ending = False
        self.broken = ""
        self.problem: Exception | None = None
        self.counts: Counter[str] = Counter()
        self.actors: list[Actor] = []
        self.back = threading.Lock()  # held until an actor gives the baton back
        self.back.acquire()
        self._begin = begin
        self._on_time = on_time
        self._told = 0.0
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._trace = hashlib.sha256()

    def add(self, name: str, body: Callable[[Actor], None], *, mortal: bool = True) -> Actor:
        """A further actor."""
        actor = Actor(self, name, body, mortal=mortal)
        self.actors.append(actor)
        return actor

    def instant(self) -> datetime:
        """The true virtual time."""
        return self._begin + timedelta(seconds=self.elapsed)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something outside of all actors after a time."""
        self.steps += 1  # a number nobody else has, so that acts at one instant keep their order
        heapq.heappush(self._later, (self.elapsed + seconds, self.steps, act))

    def tell(self, what: str) -> None:
        """Wake those who listen for something."""
        for actor in self.actors:
            if actor.listening == what:
                actor.wake = min(actor.wake, self.elapsed)

    def note(self, name: str, kind: str, label: str) -> None:
        """Count a step and put it into the trace."""
        self.steps += 1
        self.elapsed += STEP_SECONDS
        self._trace.update(f"{name}|{kind}|{label}|{self.elapsed:.3f}\n".encode())

    def trace(self) -> str:
        """The hash of all steps so far."""
        return self._trace.hexdigest()

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Step until a virtual time is over (False) or `until` holds (True); it is asked once per
        virtual minute. Raises Broken when an actor met what it must not meet.
        """
        end = self.elapsed + seconds
        asked = self.elapsed
        while self.elapsed < end:
            if until is not None and self.elapsed >= asked:
                if until():
                    return True
                asked = self.elapsed + 60.0
            self._act()
            ready = [actor for actor in self.actors if actor.wake <= self.elapsed]
            if not ready:
                self._advance(end if until is None else min(end, max(asked, self.elapsed)))
                continue
            if self.elapsed - self._told > TELL_SECONDS:
                self._tell_time()
            self.dice.pick(ready).step()
            if self.broken:
                raise Broken(self.broken) from self.problem
        return False

    def end(self) -> None:
        """End all threads."""
        self.ending = True
        for actor in self.actors:
            actor.join()

    def _act(self) -> None:
        while self._later and self._later[0][0] <= self.elapsed:
            heapq.heappop(self._later)[2]()

    def _advance(self, limit: float) -> None:
        """Nobody can step: go to the next moment somebody can."""
        moments = [actor.wake for actor in self.actors]
        if self._later:
            moments.append(self._later[0][0])
        self.elapsed = max(self.elapsed, min(*moments, limit) + 1e-6)

    def _tell_time(self) -> None:
        self._told = self.elapsed
        self._on_time(self.instant())
