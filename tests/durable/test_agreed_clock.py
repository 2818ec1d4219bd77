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
