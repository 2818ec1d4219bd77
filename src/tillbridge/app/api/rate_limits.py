"""How much a key may ask: a bucket per key, told in every answer.

`RateLimit-Policy: "key";q=1000;w=10` and `RateLimit: "key";r=997;t=1` as the IETF draft
"RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers) has them: q requests in w
seconds, r left, t seconds until all of it is back. The bucket refills steadily, so nobody waits for
the end of a window. Each HTTP process keeps its own: with several a key has that much at each.
"""

from __future__ import annotations

import math

import msgspec

from tillbridge.atoms.clock import Clock
from tillbridge.inbox.answers import Headers
from tillbridge.triage.rights import Who

WINDOW_SECONDS = 10


class _Bucket(msgspec.Struct, gc=False):
    left: float
    at: float


class RateLimits:
    """The buckets of one process, by prefix of the key; single-threaded (the event loop's)."""

    def __init__(self, clock: Clock, rate: int) -> None:
        """rate: requests per second of a key that has none of its own."""
        self._clock = clock
        self._rate = rate
        self._buckets: dict[str, _Bucket] = {}

    def take(self, who: Who) -> tuple[int, Headers]:
        """Take one request: seconds to wait, 0 when it may go on, and the headers that tell."""
        rate = who.rate or self._rate
        quota = rate * WINDOW_SECONDS
        now = self._clock.monotonic()
        bucket = self._buckets.get(who.key)
        if bucket is None:
            bucket = self._buckets[who.key] = _Bucket(float(quota), now)
        left = min(quota, bucket.left + (now - bucket.at) * rate)
        wait = 0 if left >= 1 else math.ceil((1 - left) / rate)
        bucket.left = left if wait else left - 1
        bucket.at = now
        back = math.ceil((quota - bucket.left) / rate)
        return wait, (
            (b"ratelimit-policy", b'"key";q=%d;w=%d' % (quota, WINDOW_SECONDS)),
            (b"ratelimit", b'"key";r=%d;t=%d' % (int(bucket.left), back)),
        )
