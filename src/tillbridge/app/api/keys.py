"""Whose key came with a request: looked up once, remembered for seconds, guesses put off.

A client's key that was right is believed for `FRESH_SECONDS`; who comes after that is still
believed while it is looked up again beside the requests, and nobody is after `STALE_SECONDS`. So
no request of a busy client waits for a look-up, and a revoked key is refused everywhere within
five seconds. Keys of people are looked up on every call.
"""

from __future__ import annotations

import asyncio
import hashlib

import msgspec
import psycopg
import structlog

from tillbridge.app.api.sessions import Sessions
from tillbridge.atoms.clock import Clock
from tillbridge.triage.operators import of_key
from tillbridge.triage.rights import Who

FRESH_SECONDS = 2.0
STALE_SECONDS = 5.0
WRONG_MOST = 10
WRONG_SECONDS = 60.0
ADDRESSES_MOST = 4_096
_log = structlog.get_logger("api")


class Throttle:
    """Counts wrong keys by address, in a window that begins with the first one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: dict[str, tuple[float, int]] = {}

    def full(self, address: str) -> bool:
        """Whether this address sent too many."""
        began, count = self._wrong.get(address, (0.0, 0))
        return count >= WRONG_MOST and self._clock.monotonic() - began < WRONG_SECONDS

    def wrong(self, address: str) -> None:
        """One more from this address."""
        now = self._clock.monotonic()
        began, count = self._wrong.pop(address, (now, 0))
        if now - began >= WRONG_SECONDS:
            began, count = now, 0
        self._wrong[address] = (began, count + 1)
        if len(self._wrong) > ADDRESSES_MOST:
            del self._wrong[next(iter(self._wrong))]


class _Known(msgspec.Struct, frozen=True, gc=False):
    who: Who
    at: float


class Keys:
    """The keys one process knows, by their hash; single-threaded (the event loop's)."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._known: dict[bytes, _Known] = {}
        self._right: set[str] = set()
        self._asking: dict[bytes, asyncio.Task[None]] = {}
        self.throttle = Throttle(clock)

    def may_try(self, key: str, address: str) -> bool:
        """Whether a key may be looked up; one that was right a moment ago always."""
        return key[:11] in self._right or not self.throttle.full(address)

    def believed(self, key: str) -> Who | None:
        """Who it is without a look-up, None when one is needed."""
        digest = hashlib.sha256(key.encode()).digest()
        known = self._known.get(digest)
        if known is None:
            return None
        age = self._clock.monotonic() - known.at
        if age >= STALE_SECONDS:
            return None
        if age >= FRESH_SECONDS and digest not in self._asking:
            self._asking[digest] = asyncio.create_task(self._again(key, digest))
        return known.who

    async def look_up(self, key: str, address: str) -> Who | None:
        """Who it is, from the database; None for a wrong key, which is counted.

        Raises psycopg.OperationalError when the database is away.
        """
        who = await asyncio.to_thread(self._asked, key)
        self._note(key, hashlib.sha256(key.encode()).digest(), who)
        if who is None:
            self.throttle.wrong(address)
        return who

    async def _again(self, key: str, digest: bytes) -> None:
        try:
            self._note(key, digest, await asyncio.to_thread(self._asked, key))
        except psycopg.Error as away:
            _log.warning("key_not_looked_up", problem=type(away).__name__)
        finally:
            self._asking.pop(digest, None)

    def _note(self, key: str, digest: bytes, who: Who | None) -> None:
        if who is None:
            self._known.pop(digest, None)
            self._right.discard(key[:11])
            return
        self._right.add(key[:11])
        if who.channel:
            self._known[digest] = _Known(who, self._clock.monotonic())

    def _asked(self, key: str) -> Who | None:
        with self._sessions.one() as connection:
            return of_key(connection, key, self._clock.now())
