"""Post: what somebody outside tells the hub again and again until it is answered."""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar

from tests.fire.simulation.scheduler import Actor, Scheduler

RETRY_SECONDS, RETRY_MOST = 10.0, 600.0


class Told(Protocol):
    """A message; tries: how often it was sent."""

    tries: int


Message = TypeVar("Message", bound=Told)


class Post(Generic[Message]):
    """Messages on their way over a bad line, which may lose them or their answers."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self._queue: list[tuple[float, int, Message]] = []
        self._number = 0
        self._held: dict[Actor, list[Message]] = {}

    def push(self, message: Message, at: float) -> None:
        """Send a message at a time of the run."""
        self._number += 1
        heapq.heappush(self._queue, (at, self._number, message))

    @property
    def waiting(self) -> int:
        """Messages not answered."""
        return len(self._queue) + sum(len(held) for held in self._held.values())

    def next_in(self) -> float:
        """Seconds until the next message is due; an hour when there is none."""
        if not self._queue:
            return 3600.0
        return max(self._queue[0][0] - self.scheduler.elapsed, 0.0)

    def arriving(self, actor: Actor, most: int) -> list[Message]:
        """What has reached the hub's door by now; in flight until answered."""
        scheduler = self.scheduler
        taken: list[Message] = []
        while self._queue and self._queue[0][0] <= scheduler.elapsed and len(taken) < most:
            message = heapq.heappop(self._queue)[2]
            message.tries += 1
            if scheduler.faulty and scheduler.dice.chance(scheduler.plan.lost):
                scheduler.counts["fault: request lost"] += 1
                self.again(message)
            else:
                taken.append(message)
        self._held[actor] = list(taken)
        return taken

    def heard(self, actor: Actor, message: Message) -> bool:
        """The hub has answered; whether the sender hears it."""
        scheduler = self.scheduler
        self._held[actor].remove(message)
        if scheduler.faulty and scheduler.dice.chance(scheduler.plan.unanswered):
            scheduler.counts["fault: answer to the shop lost"] += 1
            return False
        return True

    def again(self, message: Message) -> None:
        """Send it once more, later each time."""
        wait = min(RETRY_SECONDS * 2.0 ** min(message.tries - 1, 10), RETRY_MOST)
        self.push(message, self.scheduler.elapsed + wait)

    def cut(self, actor: Actor) -> None:
        """Who took these messages in died with them in its hands."""
        for message in self._held.pop(actor, []):
            self.again(message)
