"""Identity: aggregate keys, the lane of a key, stable ids, and the port for random ones.

An aggregate key is `<kind>/<part>/<part>...` in the field's own terms, e.g.
`order/web/450789469` (connection and vendor's id) or `sale/9/31/2017-10-01/114` (store, till,
business day, sequence). It is made of what the outside world calls the thing, never of a row id.
"""

from __future__ import annotations

import hashlib
import random
import uuid
import zlib
from typing import Protocol

LANES = 64


def lane_of(key: str) -> int:
    """Lane of an aggregate key: crc32 of its UTF-8 bytes modulo 64.

    The one place that computes it; `hub.lane_fn` names the function so that it cannot drift.
    Python's own `hash` is random per process and would scatter a key over lanes.
    """
    return zlib.crc32(key.encode()) % LANES


def key_of(kind: str, *parts: str) -> str:
    """An aggregate key from its parts. Different parts never give one key: a slash inside a part
    is written %2F, a percent sign %25.
    """
    return "/".join((kind, *(part.replace("%", "%25").replace("/", "%2F") for part in parts)))


def stable_uuid(*parts: str) -> uuid.UUID:
    """A UUID that is the same for the same parts, for ids of facts and parties."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return uuid.UUID(bytes=digest[:16], version=5)


def party_id(connection: str, identifier: str) -> str:
    """Party id of a person or company as one connection knows it: opaque, stable, one-way."""
    return "p-" + hashlib.sha256(f"{connection}\x1f{identifier}".encode()).hexdigest()[:24]


class Ids(Protocol):
    """Where random identity comes from; seeded in a simulation."""

    def random_hex(self, size: int) -> str:
        """`size` random bytes as hex."""

    def jitter(self) -> float:
        """A random number in [0, 1), for back-off."""


class SystemIds:
    """Randomness of the operating system."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def random_hex(self, size: int) -> str:
        """`size` random bytes as hex."""
        return self._random.randbytes(size).hex()

    def jitter(self) -> float:
        """A random number in [0, 1)."""
        return self._random.random()


class SeededIds:
    """Randomness that a seed repeats (tests and simulation)."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def random_hex(self, size: int) -> str:
        """`size` seeded bytes as hex."""
        return self._random.randbytes(size).hex()

    def jitter(self) -> float:
        """A seeded number in [0, 1)."""
        return self._random.random()
