"""Workers agree on the time although their own clocks differ and jump."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from psycopg import Connection

from tillbridge.atoms.clock import FixedClock
from tillbridge.durable.agreed_clock import AgreedClock


class Jumping(FixedClock):
    """A wall clock that can be set; the monotonic one goes on."""

    def jump(self, hours: float) -> None:
        self._now += timedelta(hours=hours)


def test_two_wrong_clocks_tell_the_databases_time(connection: Connection) -> None:
    found = []
    for years in (-3, 5):
        own = Jumping(datetime.now(UTC) + timedelta(days=365 * years))
        agreed = AgreedClock(own)
        assert agreed.now() == own.now(), "nobody was asked yet"
        agreed.set(connection)
        own.sleep(90)
        own.jump(-1)
        found.append(agreed.now() - datetime.now(UTC))
        assert (agreed.known, agreed.monotonic()) == (True, 90)
    assert all(abs(one - timedelta(seconds=90)) < timedelta(seconds=5) for one in found)


class Stopped(FixedClock):
    """A process that is stopped for five minutes while it waits for an answer."""

    looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        if self.looks == 2:
            self.sleep(300)
        return super().monotonic()


def test_a_process_stopped_in_the_middle_of_asking_asks_again(connection: Connection) -> None:
    agreed = AgreedClock(Stopped(datetime.now(UTC)))
    agreed.set(connection)
    assert abs(agreed.now() - datetime.now(UTC)) < timedelta(seconds=5)
    agreed.sleep(60)
    assert timedelta(seconds=55) < agreed.now() - datetime.now(UTC) < timedelta(seconds=65)


class Slow(FixedClock):
    """Every look takes ever longer: the first answer is the quickest."""

    looks = 0
    believed = False
    agreed: AgreedClock | None = None

    def monotonic(self) -> float:
        self.looks += 1
        self.sleep(self.looks)
        self.believed = self.believed or (self.agreed is not None and self.agreed.known)
        return super().monotonic()


def test_a_slow_store_is_believed_at_last(connection: Connection) -> None:
    own = Slow(datetime.now(UTC))
    own.agreed = agreed = AgreedClock(own)
    agreed.set(connection)
    assert (agreed.known, own.looks) == (True, 10), "five questions, no more"
    assert not own.believed, "nobody goes by an answer that is asked for again"
