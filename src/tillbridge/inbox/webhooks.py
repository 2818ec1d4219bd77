"""Webhooks: `POST /in/<connection>[/...]`, as a raw ASGI application.

Size first, signature over the raw bytes second, then the group writer; 200 only after COMMIT and
never before. What the body says is nobody's business here: a body that does not parse is stored
and becomes a case later. A wrong signature leaves nothing but a count.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

import msgspec
import structlog

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.contract.promises import Address, Item, ReceivesWebhooks
from tillbridge.durable.group_writer import RETRY_AFTER_SECONDS
from tillbridge.durable.messages import Incoming, Stored
from tillbridge.inbox.answers import CLOSE, Answer, Receive, Scope, Send, problem
from tillbridge.inbox.arrivals import arrival
from tillbridge.inbox.bodies import Bodies, BodyRefused

BODY_MOST = 1_000_000
PREFIX = "/in/"

# Nothing in these helps to read a body later, and some would be secrets at rest. The signature was
# checked here and is not kept: with it a stored body could be sent again by whoever reads it.
_DROPPED = frozenset(
    {
        "accept", "accept-encoding", "accept-language", "connection", "content-length", "cookie",
        "expect", "forwarded", "host", "keep-alive", "origin", "referer", "te", "trailer",
        "transfer-encoding", "upgrade", "user-agent", "via", "x-real-ip", "traceparent",
        "tracestate",
    }
)  # fmt: skip
_SECRETIVE = (
    "auth", "cookie", "secret", "token", "password", "api-key", "apikey", "signature", "hmac",
    "session", "credential", "x-forwarded", "-sign", "cert",
)  # fmt: skip
HEADERS_MOST = 40
HEADER_MOST = 500

_log = structlog.get_logger("intake")


class IntakeConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as intake sees it. secrets: the live ones, any of which may have signed.

    body_max: bytes a delivery may have.
    """

    name: str
    connector: Any
    secrets: tuple[str, ...] = ()
    body_max: int = BODY_MOST


class Writer(Protocol):
    """Stores a delivery durably."""

    def submit(self, arrival: Incoming) -> asyncio.Future[Stored]:
        """Done after COMMIT; raises RetryLater when full, the future may raise it or Refused."""


class Counts:
    """How deliveries ended, by connection and outcome; single-threaded (the event loop's)."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], int] = {}

    def add(self, connection: str, outcome: str) -> None:
        """Count one. connection: a configured name, or "" so that strangers make no new series."""
        key = (connection, outcome)
        self.values[key] = self.values.get(key, 0) + 1


def _told_after_commit(outcome: str) -> Answer:
    """No body: head and body would be two writes, and senders read neither."""
    return Answer(200, b"", ((b"content-length", b"0"), (b"delivery-outcome", outcome.encode())))


_RETRY = ((b"retry-after", str(RETRY_AFTER_SECONDS).encode()),)
_STORED = {outcome: _told_after_commit(outcome) for outcome in ("new", "duplicate", "conflict")}
_NOT_SIGNED = problem(401, "The body is not signed with a live secret of this connection.")
_UNKNOWN = problem(404, "There is no such connection.", CLOSE)
_NO_WEBHOOKS = problem(405, "This connection takes no webhooks.", ((b"allow", b""), *CLOSE))
_ONLY_POST = problem(405, "Deliveries are POSTed.", ((b"allow", b"POST"), *CLOSE))
_ENCODED = problem(415, "Send the body without content-encoding.", CLOSE)
_SLOW = problem(408, "The body did not arrive in time.", CLOSE)
_CROWDED = problem(503, "Too many unfinished deliveries; try again.", (*_RETRY, *CLOSE))
_NOT_READ = {"slow": _SLOW, "gone": _SLOW, "crowded": _CROWDED}
_UNSTORABLE = problem(500, "This delivery cannot be stored.")


class Webhooks:
    """The ASGI application. `connections` may be replaced while running (secrets rotate)."""

    def __init__(
        self,
        connections: Mapping[str, IntakeConnection],
        writer: Writer,
        *,
        clock: Clock | None = None,
        counts: Counts | None = None,
    ) -> None:
        self._receiving: dict[str, bool] = {}
        self.connections = connections
        self.counts = counts or Counts()
        self._writer = writer
        self._clock = clock or SystemClock()
        self._bodies = Bodies()

    @property
    def connections(self) -> Mapping[str, IntakeConnection]:
        """Connections by name; put in a new mapping to change any."""
        return self._connections

    @connections.setter
    def connections(self, connections: Mapping[str, IntakeConnection]) -> None:
        # Looking whether a promise is signed costs as much as checking a signature: once is enough.
        self._receiving = {
            name: isinstance(connection.connector, ReceivesWebhooks)
            for name, connection in connections.items()
        }
        self._connections = dict(connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request whose path begins with /in/."""
        name, _, rest = scope["path"][len(PREFIX) :].partition("/")
        connection = self._connections.get(name)
        if connection is None:
            self.counts.add("", "unknown_connection")
            await _UNKNOWN.send(send)
            return
        outcome, told = await self._received(connection, f"/{rest}", scope, receive)
        self.counts.add(connection.name, outcome)
        await told.send(send)

    async def _received(
        self, connection: IntakeConnection, path: str, scope: Scope, receive: Receive
    ) -> tuple[str, Answer]:
        if not self._receiving[connection.name]:
            return "no_webhooks", _NO_WEBHOOKS
        if scope["method"] != "POST":
            return "wrong_method", _ONLY_POST
        headers = header_texts(scope["headers"])
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            return "encoded", _ENCODED
        if _told_length(headers) > connection.body_max:
            return "too_large", _too_large(connection)
        try:
            body = await self._bodies.read(receive, connection.body_max)
        except BodyRefused as refused:
            return refused.why, _NOT_READ.get(refused.why) or _too_large(connection)
        if not _verified(connection, body, headers):
            return "not_signed", _NOT_SIGNED
        return await self._stored(self._arrival(connection, path, headers, body))

    def _arrival(
        self, connection: IntakeConnection, path: str, headers: dict[str, str], body: bytes
    ) -> Incoming:
        address = _address(connection, path, headers, body)
        item = Item(topic=address.topic, delivery=address.delivery, body=body, key=address.key)
        trace = headers.get("traceparent", "")
        return arrival(
            connection.name,
            item,
            self._clock.now(),
            headers=kept_headers(headers),
            trace=trace.encode() if is_traceparent(trace) else None,
        )

    async def _stored(self, arrival: Incoming) -> tuple[str, Answer]:
        try:
            stored = await self._writer.submit(arrival)
        except RetryLater as away:
            seconds = str(int(away.after_seconds or RETRY_AFTER_SECONDS)).encode()
            return "store_away", problem(503, f"{away.words}.", ((b"retry-after", seconds),))
        except Refused:
            return "unstorable", _UNSTORABLE
        return stored.outcome, _STORED[stored.outcome]


def header_texts(raw: Any) -> dict[str, str]:
    """Header names (lower case) to values; a name told twice has both values, so that a second
    signature never hides the first.
    """
    found: dict[str, str] = {}
    for name, value in raw:
        text = name.decode("latin-1").lower()
        told = value.decode("latin-1")
        found[text] = f"{found[text]}, {told}" if text in found else told
    return found


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers worth storing: no secrets, no signatures, nothing of the transport."""
    kept = {name: value[:HEADER_MOST] for name, value in headers.items() if _is_kept(name)}
    return kept if len(kept) <= HEADERS_MOST else dict(list(kept.items())[:HEADERS_MOST])


@lru_cache(maxsize=1_000)
def _is_kept(name: str) -> bool:
    return name not in _DROPPED and not any(word in name for word in _SECRETIVE)


def _told_length(headers: Mapping[str, str]) -> int:
    told = headers.get("content-length", "0")
    return int(told) if told.isascii() and told.isdigit() else 0


def _verified(connection: IntakeConnection, body: bytes, headers: dict[str, str]) -> bool:
    try:
        verified = connection.connector.verify(body, headers, connection.secrets)
    except Exception:  # noqa: BLE001 - what cannot be checked is not believed
        _log.exception("verify_defect", connection=connection.name)
        return False
    return verified is True


def _address(
    connection: IntakeConnection, path: str, headers: dict[str, str], body: bytes
) -> Address:
    """What the connector reads off the envelope; a defect there must not lose the delivery."""
    try:
        found: Address = connection.connector.address(path, headers, body)
    except Exception:  # noqa: BLE001 - the body is signed; it is kept and becomes a case
        _log.exception("address_defect", connection=connection.name)
        return Address(topic="unknown", delivery=hashlib.sha256(body).hexdigest())
    return found


def is_traceparent(text: str) -> bool:
    """W3C Trace Context version 00: 00-<32 hex>-<16 hex>-<2 hex>."""
    parts = text.split("-")
    return [len(part) for part in parts] == [2, 32, 16, 2] and all(
        letter in "0123456789abcdef-" for letter in text
    )


def _too_large(connection: IntakeConnection) -> Answer:
    return problem(413, f"A delivery here has at most {connection.body_max} bytes.", CLOSE)
