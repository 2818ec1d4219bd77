"""The ASGI application below `/v1`: judges a request by its row of the table, then asks.

In this order: address, method, key, scope, media types, size, body, rate, contract. A refusal
given before the body was read closes the connection; all others keep it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from email.utils import format_datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import msgspec
import psycopg
import structlog

from tillbridge.app.api.keys import WRONG_SECONDS, Keys
from tillbridge.app.api.problems import refusal
from tillbridge.app.api.rate_limits import RateLimits
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import Call, Route, Table, needs_body
from tillbridge.app.api.table import ROUTES
from tillbridge.app.card_masks import told_json
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.contract import wire
from tillbridge.inbox.answers import CLOSE, JSON, Answer, Receive, Scope, Send
from tillbridge.inbox.bodies import Bodies, BodyRefused
from tillbridge.inbox.webhooks import is_traceparent
from tillbridge.triage.rights import SCOPES, Who, require

_HEADS = frozenset(
    {
        b"accept", b"authorization", b"content-encoding", b"content-length", b"content-type",
        b"idempotency-key", b"traceparent",
    }
)  # fmt: skip
_ACCEPTED = (b"*/*", b"application/*", JSON)
_KEY = re.compile(rb'"?([\x21\x23-\x7e]{1,255})"?')
_BEARER = (b"www-authenticate", b"Bearer")
_AWAY_SECONDS = 5
_NOWHERE = refusal("not-found", "There is nothing at this address.", CLOSE)
_NO_KEY = refusal(
    "key-missing", "Send the key of a client or an operator: Authorization: Bearer KEY.",
    (_BEARER, *CLOSE),
)  # fmt: skip
_WRONG_KEY = refusal(
    "key-wrong", "The key is unknown, expired or revoked.", (_BEARER, *CLOSE)
)  # fmt: skip
_GUESSING = refusal(
    "wrong-keys",
    "Too many wrong keys came from your address.",
    ((b"retry-after", b"%d" % WRONG_SECONDS), *CLOSE),
)
_NOT_ACCEPTED = refusal("not-acceptable", "Answers are application/json.", CLOSE)
_NOT_JSON = refusal("media-type", "Send Content-Type: application/json.", CLOSE)
_ENCODED = refusal("media-type", "Send the body without Content-Encoding.", CLOSE)
_SLOW = refusal("body-slow", "The body did not arrive in time.", CLOSE)
_CROWDED = refusal(
    "store-away", "Too many unfinished requests; try again.", ((b"retry-after", b"5"), *CLOSE)
)
_NEEDS_KEY = refusal(
    "idempotency-key-missing", "Send an Idempotency-Key of 1 to 255 visible characters."
)
_NUL = refusal("request-invalid", "A value holds a NUL.")
_UNEXPECTED = refusal("unexpected", "The hub met a defect; its log tells more.")
_NOBODY = Who("", ())

_log = structlog.get_logger("api")


class Api:
    """The application. counts: answers by route and status."""

    def __init__(self, resources: Resources, routes: Iterable[Route] = ROUTES) -> None:
        self._resources = resources
        self._table = Table(routes)
        self._keys = Keys(resources.sessions, resources.clock)
        self._limits = RateLimits(resources.clock, resources.settings.hub.api_rate)
        self._bodies = Bodies()
        self.counts: dict[tuple[str, str, int], int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        heads = _heads(scope["headers"])
        path = scope["path"]
        found = self._table.find(path, scope.get("raw_path", path.encode()).decode("latin-1"))
        route = found[0].get(scope["method"]) if found else None
        if found is None or route is None:
            told = _NOWHERE if found is None else _other_method(found[0])
            await told.send(send)
            return
        more: list[tuple[bytes, bytes]] = []
        try:
            told = await self._judged(route, found[1], heads, scope, receive, more)
        except Exception:  # noqa: BLE001 - no traceback reaches a caller
            _log.exception("api_defect", route=route.path)
            told = _UNEXPECTED
        more += _dated(route)
        if is_traceparent(trace := heads.get(b"traceparent", b"").decode("latin-1")):
            more.append((b"traceparent", trace.encode()))
        counted = (route.method, route.path, told.status)
        self.counts[counted] = self.counts.get(counted, 0) + 1
        body = told_json(told.body)
        if body is not told.body:
            told = _resized(told, body)
        await Answer(told.status, told.body, (*told.headers, *more)).send(send)

    async def _judged(
        self,
        route: Route,
        values: Mapping[str, str],
        heads: Mapping[bytes, bytes],
        scope: Scope,
        receive: Receive,
        more: list[tuple[bytes, bytes]],
    ) -> Answer:
        """The answer; what every answer of this key carries is added to `more`."""
        try:
            who = await self._who(route, heads, scope)
            if isinstance(who, Answer):
                return who
            wrong = _wrong_media(route, heads)
            if wrong is not None:
                return wrong
            body = b""
            if route.asks is not None:
                body = await self._bodies.read(receive, route.body_most)
            if route.scope:
                wait, told = self._limits.take(who)
                more += told
                if wait:
                    return _limited(wait)
            call = _call(route, values, heads, scope, body, who)
            return call if isinstance(call, Answer) else await route.handle(self._resources, call)
        except BodyRefused as refused:
            return _unread(refused, route)
        except Refused as refused:
            name = "scope-missing" if refused.code == "forbidden" else "refused"
            return refusal(name, refused.words)
        except RetryLater as away:
            return _away(f"{away.words}.", away.after_seconds)
        except psycopg.OperationalError:
            return _away("The database is away.", None)

    async def _who(self, route: Route, heads: Mapping[bytes, bytes], scope: Scope) -> Who | Answer:
        """Who asks, with the scope the route takes; else the refusal."""
        if not route.scope:
            return _NOBODY
        kind, _, given = heads.get(b"authorization", b"").partition(b" ")
        key = given.decode("latin-1")
        if kind.lower() != b"bearer" or not key:
            return _NO_KEY
        who = self._keys.believed(key)
        if who is None:
            address = str((scope.get("client") or ("",))[0])
            if not self._keys.may_try(key, address):
                return _GUESSING
            who = await self._keys.look_up(key, address)
        if who is None:
            return _WRONG_KEY
        if route.scope not in SCOPES:
            require(who, route.scope)
        elif route.scope not in who.scopes:
            words = f"This address takes a key of a client with the scope {route.scope}."
            return refusal("scope-missing", words, CLOSE)
        return who


def _heads(raw: Any) -> dict[bytes, bytes]:
    """The headers that are looked at; told twice, both values stand in one and fit nothing."""
    found: dict[bytes, bytes] = {}
    for name, value in raw:
        if name in _HEADS:
            found[name] = f"{found[name]!r}, {value!r}".encode() if name in found else value
    return found


def _wrong_media(route: Route, heads: Mapping[bytes, bytes]) -> Answer | None:
    accept = heads.get(b"accept", b"*/*")
    if accept not in _ACCEPTED and not any(kind in accept.lower() for kind in _ACCEPTED):
        return _NOT_ACCEPTED
    if route.asks is None:
        return None
    kind = heads.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != JSON and (kind or _told(heads) or needs_body(route.asks)):
        return _NOT_JSON
    if heads.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
        return _ENCODED
    return _too_large(route) if _told(heads) > route.body_most else None


def _told(heads: Mapping[bytes, bytes]) -> int:
    """How long the body is, as the request says; 0 when it does not."""
    length = heads.get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


def _call(
    route: Route,
    values: Mapping[str, str],
    heads: Mapping[bytes, bytes],
    scope: Scope,
    raw: bytes,
    who: Who,
) -> Call | Answer:
    """The request as its handler takes it, or what is wrong with it."""
    key, asked = "", b""
    if route.keyed:
        given = _KEY.fullmatch(heads.get(b"idempotency-key", b""))
        if given is None:
            return _NEEDS_KEY
        key = given[1].decode()
        asked = hashlib.sha256(b"%b %b\n%b" % _line(scope, raw)).digest()
    if any("\0" in value for value in values.values()):
        return _NUL
    try:
        query = None if route.query is None else _query(route.query, scope["query_string"])
        body = None if route.asks is None else _body(route.asks, raw)
    except wire.WireError as problem:
        return refusal("request-invalid", f"{problem.words}.")
    except ValueError as problem:
        return refusal("request-invalid", f"In the query: {problem}.")
    trace = heads.get(b"traceparent", b"")
    kept = trace if is_traceparent(trace.decode("latin-1")) else None
    return Call(who, values, query, body, raw, key, asked, kept)


def _body(asks: type, raw: bytes) -> Any:
    return wire.parse(asks, raw if raw or needs_body(asks) else b"{}")


def _line(scope: Scope, raw: bytes) -> tuple[bytes, bytes, bytes]:
    return scope["method"].encode(), scope["path"].encode(), raw


def _query(kind: type, raw: bytes) -> Any:
    """The query as a struct: a field that is a list takes a name told several times, others once.

    Raises ValueError.
    """
    told = parse_qs(
        raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=500
    )
    if any("\0" in value for values in told.values() for value in values):
        raise ValueError("a value holds a NUL")
    fields = _fields(kind)
    found: dict[str, Any] = {}
    for name, values in told.items():
        if name not in fields:
            raise ValueError(f"there is no parameter {name!r} (there are {', '.join(fields)})")
        if fields[name]:
            found[name] = values
        elif len(values) == 1:
            found[name] = values[0]
        else:
            raise ValueError(f"{name} stands there twice")
    return msgspec.convert(found, kind, strict=False)


@cache
def _fields(kind: type) -> dict[str, bool]:
    """Names of a query's struct, and whether each may be told several times."""
    return {one.encode_name: "list" in str(one.type) for one in msgspec.structs.fields(kind)}


def _resized(told: Answer, body: bytes) -> Answer:
    """The answer with another body."""
    length = (b"content-length", str(len(body)).encode())
    kept = (head for head in told.headers if head[0] != length[0])
    return Answer(told.status, body, (*kept, length))


def _other_method(methods: Mapping[str, Route]) -> Answer:
    allowed = ", ".join(sorted(methods))
    words = f"This address takes {allowed}."
    return refusal("method-not-allowed", words, ((b"allow", allowed.encode()), *CLOSE))


def _too_large(route: Route) -> Answer:
    return refusal("body-too-large", f"A body here has at most {route.body_most} bytes.", CLOSE)


def _unread(refused: BodyRefused, route: Route) -> Answer:
    return {"too_large": _too_large(route), "crowded": _CROWDED}.get(refused.why, _SLOW)


def _limited(wait: int) -> Answer:
    words = f"This key asked too much; wait {wait} s."
    return refusal("rate-limited", words, ((b"retry-after", b"%d" % wait),))


def _away(words: str, seconds: float | None) -> Answer:
    wait = b"%d" % max(1, int(seconds or _AWAY_SECONDS))
    return refusal("store-away", words, ((b"retry-after", wait),))


def _dated(route: Route) -> list[tuple[bytes, bytes]]:
    """Deprecation (RFC 9745), Sunset (RFC 8594) and the link to what comes instead."""
    found: list[tuple[bytes, bytes]] = []
    if route.deprecated is not None:
        found.append((b"deprecation", b"@%d" % _midnight(route.deprecated).timestamp()))
    if route.sunset is not None:
        found.append((b"sunset", format_datetime(_midnight(route.sunset), usegmt=True).encode()))
    if route.instead:
        found.append((b"link", f'<{route.instead}>; rel="successor-version"'.encode()))
    return found


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
