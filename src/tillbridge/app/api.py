"""What other programs may ask over HTTP: a few read-only questions, each with an operator's key.

    GET /v1/status        what is pending and since when
    GET /v1/cases         cases of the operator's entities; ?state=&owner=&reason=&limit=
    GET /v1/verify/last   what the newest run of verify found

`Authorization: Bearer KEY`. A key is looked up on every call, so a revoked one is refused at once.
Whoever sends wrong keys is put off by his address; a key that was right a moment ago is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
import psycopg

from tillbridge.app.reach import reach
from tillbridge.app.settings import Settings
from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.errors import Refused
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect
from tillbridge.inbox.answers import Answer, Receive, Scope, Send, answer, problem
from tillbridge.triage import cases
from tillbridge.triage.operators import of_key
from tillbridge.triage.reach import SCANNED, cases_within
from tillbridge.triage.rights import Reach, Who, require
from tillbridge.watch import status, verification

PREFIX = "/v1"
WRONG_MOST = 10
WRONG_SECONDS = 60.0
ADDRESSES_MOST = 4_096
PAGE_MOST = 250
STATEMENT_MS = 5_000
_BEARER = (b"www-authenticate", b"Bearer")
_NO_KEY = problem(401, "Send the key of an operator: Authorization: Bearer KEY.", (_BEARER,))
_WRONG_KEY = problem(401, "The key is unknown, expired or revoked.", (_BEARER,))
_NOWHERE = problem(404, "There is nothing at this address.")
_NO_RUN = problem(404, "Nobody ran verify yet.")
_NUL = problem(400, "A value holds a NUL.")
_ONLY_GET = problem(405, "This address is only read.", ((b"allow", b"GET"),))
_AWAY = problem(503, "The database is away.", ((b"retry-after", b"5"),))
_LATER = problem(429, "Too many wrong keys came from your address.", ((b"retry-after", b"60"),))
Query = Mapping[str, list[str]]


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


class Api:
    """The ASGI application below `/v1`."""

    def __init__(self, url: str, settings: Settings, clock: Clock | None = None) -> None:
        """Opens nothing; every call has a connection of its own."""
        self._url = url
        self._settings = settings
        self._clock = clock or SystemClock()
        self._throttle = Throttle(self._clock)
        self._right: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; its body is not read."""
        del receive
        told = await asyncio.to_thread(self._told, scope)
        await told.send(send)

    def _told(self, scope: Scope) -> Answer:
        question = QUESTIONS.get(scope["path"])
        if question is None:
            return _NOWHERE
        if scope["method"] != "GET":
            return _ONLY_GET
        key = _bearer(scope)
        if not key:
            return _NO_KEY
        address = str((scope.get("client") or ("",))[0])
        prefix = key[:11]
        if prefix not in self._right and self._throttle.full(address):
            return _LATER
        try:
            with connect(
                self._url, name="tillbridge api", statement_timeout_ms=STATEMENT_MS
            ) as connection:
                who = of_key(connection, key, self._clock.now())
                if who is None:
                    self._right.discard(prefix)
                    self._throttle.wrong(address)
                    return _WRONG_KEY
                self._right.add(prefix)
                return self._asked(connection, who, question, scope)
        except psycopg.OperationalError:
            return _AWAY

    def _asked(self, connection: Connection, who: Who, question: Question, scope: Scope) -> Answer:
        query = parse_qs(scope["query_string"].decode("ascii", "replace"))
        if any("\0" in value for values in query.values() for value in values):
            return _NUL
        try:
            require(who, "look")
            found = question(connection, reach(who, self._settings), query)
        except Refused as refused:
            return problem(403 if refused.code == "forbidden" else 400, refused.words)
        return _NO_RUN if found is None else answer(200, msgspec.json.encode(found))


def _bearer(scope: Scope) -> str:
    """The key, "" when there is not exactly one."""
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    kind, _, key = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
    return key.decode("ascii", "replace") if kind.lower() == b"bearer" else ""


def _status(connection: Connection, _: Reach, __: Query) -> Any:
    return status.status(connection)


def _cases(connection: Connection, mine: Reach, query: Query) -> Any:
    owner, reason = (query.get(name, [""])[0] for name in ("owner", "reason"))
    state = query.get("state", ["open"])[0]
    try:
        limit = min(int(query.get("limit", [str(PAGE_MOST)])[0]), PAGE_MOST)
    except ValueError:
        raise Refused("limit is a number") from None
    wanted = "" if state == "all" else state
    most = PAGE_MOST if mine.everything else SCANNED
    found = cases.list_cases(connection, state=wanted, owner=owner, reason=reason, limit=most)
    seen = cases_within(connection, [case.id for case in found], mine)
    return {"cases": [case for case in found if case.id in seen][: max(limit, 0)]}


def _last_verify(connection: Connection, _: Reach, __: Query) -> Any:
    return verification.last(connection)


Question = Callable[[Connection, Reach, Query], Any]
QUESTIONS: Mapping[str, Question] = {
    f"{PREFIX}/status": _status,
    f"{PREFIX}/cases": _cases,
    f"{PREFIX}/verify/last": _last_verify,
}
