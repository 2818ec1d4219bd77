"""Reservations in groups: one transaction answers every request in flight.

A repeated request gets its stored answer, also within a group; the answers of all others are
decided by the desk and stored with their effects. Nothing is answered before COMMIT.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from psycopg import errors

from tillbridge.app.api import stored_answers
from tillbridge.app.api.reservation_answers import told_of
from tillbridge.app.api.stored_answers import KeyOf, Stored, told_again
from tillbridge.atoms.clock import Clock
from tillbridge.durable.group_writer import Work
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.answers import JSON, PROBLEM, Answer, answer
from tillbridge.posting.stock import desk
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.desk import Ask, Told

CROWD = 2
"""With more lines than so many for each product in it, a group is a crowd at a few shelves."""


class Placed(msgspec.Struct, frozen=True, gc=False):
    """A request for the desk and whose it is. asked: see `Call.asked`. lasts: seconds of a soft
    reservation, counted from the decision, so that nobody pays for having waited; 0 = as asked.
    """

    ask: Ask
    client: str
    key: str
    asked: bytes
    lasts: int = 0

    def decided_at(self, now: datetime) -> Ask:
        """What the desk is asked at that instant."""
        if not self.lasts:
            return self.ask
        return msgspec.structs.replace(self.ask, expires_at=now + timedelta(seconds=self.lasts))

    @property
    def identity(self) -> KeyOf:
        """Client and Idempotency-Key."""
        return self.client, self.key


class DeskWork(Work[Placed, Answer]):
    """One group of reservations in one transaction."""

    what = "reservation"
    # Another process answered the same request meanwhile: its answer is found the next time.
    rerun = (*Work.rerun, errors.UniqueViolation)

    def __init__(self, rules: RulesInForce, clock: Clock) -> None:
        """rules: this thread's own."""
        self._rules = rules
        self._clock = clock
        self._crowded = False

    def gate(self, connection: Connection) -> None:
        """While a crowd wants the same few shelves, wait for the other writers before the group is
        formed: whoever comes meanwhile is in it. Where requests spread, writers need not wait.
        """
        if self._crowded:
            desk.gate(connection)

    def commit(self, connection: Connection, asks: Sequence[Placed]) -> Sequence[Answer]:
        """Answer a group."""
        known = stored_answers.find(connection, [placed.identity for placed in asks])
        first: dict[KeyOf, Placed] = {}
        for placed in asks:
            if placed.identity not in known:
                first.setdefault(placed.identity, placed)
        fresh = list(first.values())
        self._crowded = _is_crowd([placed.ask for placed in fresh])
        now = self._clock.now()

        def store(told: Sequence[Told]) -> None:
            for placed, one in zip(fresh, told, strict=True):
                known[placed.identity] = stored(placed, *told_of(placed.ask, one))
            mine = [known[placed.identity] for placed in fresh]
            stored_answers.keep(connection, mine, now.date())

        with connection.pipeline():
            if fresh:
                asked = [placed.decided_at(now) for placed in fresh]
                desk.answer_group(connection, asked, self._rules, now, store)
            connection.commit()
        return [
            plain(known[placed.identity])
            if first.get(placed.identity) is placed
            else told_again(known[placed.identity], placed.asked)
            for placed in asks
        ]


def _is_crowd(asks: Sequence[Ask]) -> bool:
    lines = [line.product for ask in asks for line in ask.lines]
    return len(lines) > CROWD * len(set(lines))


def stored(placed: Placed, status: int, body: bytes) -> Stored:
    """The answer to a request as it is stored."""
    return Stored(placed.client, placed.key, placed.asked, status, body)


def plain(told: Stored) -> Answer:
    """A stored answer as it is given the first time."""
    return answer(told.status, told.body, PROBLEM if told.status >= 400 else JSON)
