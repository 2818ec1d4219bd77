"""A key's bucket: emptied by requests, refilled steadily, one per key."""

from __future__ import annotations

from datetime import UTC, datetime

from tillbridge.app.api.rate_limits import RateLimits
from tillbridge.atoms.clock import FixedClock
from tillbridge.triage.rights import Who


class Stepping(FixedClock):
    def step(self, seconds: float) -> None:
        self._elapsed += seconds


def test_a_bucket_refills_steadily_and_never_beyond_its_size() -> None:
    clock = Stepping(datetime(2026, 3, 1, tzinfo=UTC))
    limits = RateLimits(clock, rate=2)
    shop, till = Who("shop", ("client",), key="a"), Who("till", ("client",), key="b", rate=1)

    def taken(who: Who) -> int:
        return sum(limits.take(who)[0] == 0 for _ in range(100))

    assert taken(shop) == 20
    assert taken(till) == 10
    assert limits.take(shop)[0] == 1
    clock.step(1.5)
    assert taken(shop) == 3
    assert taken(till) == 1
    clock.step(1_000)
    assert taken(shop) == 20
    assert limits.take(shop)[1][1] == (b"ratelimit", b'"key";r=0;t=10')
