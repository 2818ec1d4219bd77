"""What a route is, what a handler is given, and how a handler that asks the database is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import unquote

import msgspec

from tillbridge.app.api.resources import Resources
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.answers import Answer
from tillbridge.triage.rights import Who

PREFIX = "/v1"
BODY_MOST = 64 * 1024
ALWAYS = ("request-invalid", "not-acceptable", "rate-limited", "store-away", "unexpected")


class Call(msgspec.Struct, frozen=True, gc=False):
    """One request, already judged: who asks, and the parts the route takes.

    path: values of the address's names. query, body: of the route's types, None without. raw: the
    body's bytes. key: the Idempotency-Key, "" where the route takes none. asked: SHA-256 of method,
    address and body, b"" where the route takes no key. trace: a valid traceparent.
    """

    who: Who
    path: Mapping[str, str]
    query: Any
    body: Any
    raw: bytes
    key: str
    asked: bytes
    trace: bytes | None


Handle = Callable[[Resources, Call], Awaitable[Answer]]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table.

    path: with `{name}` for a part that is a value. words: what it does. scope: of a client's key,
    or an action of operators (triage.rights), "" = open to all. query, asks: struct of the query
    and of the body. answers: status -> struct of the body. problems: names beyond those that any
    route may give. keyed: it changes something and takes an Idempotency-Key. deprecated: from when
    on it should not be used; sunset: when it goes; instead: the path to use.
    """

    method: str
    path: str
    words: str
    handle: Handle
    answers: Mapping[int, type]
    scope: str = ""
    query: type | None = None
    asks: type | None = None
    problems: tuple[str, ...] = ()
    keyed: bool = False
    body_most: int = BODY_MOST
    deprecated: date | None = None
    sunset: date | None = None
    instead: str = ""


@cache
def needs_body(asks: type) -> bool:
    """Whether a body of this struct has to say anything; else none at all means `{}`."""
    return any(field.required for field in msgspec.structs.fields(asks))


class Table:
    """Routes by address and method."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Raises ValueError when two routes have one address and method."""
        self._plain: dict[str, dict[str, Route]] = {}
        self._named: dict[int, list[tuple[tuple[str, ...], dict[str, Route]]]] = {}
        for route in routes:
            found = self._place(route.path)
            if route.method in found:
                raise ValueError(f"{route.method} {route.path} stands twice")
            found[route.method] = route

    def _place(self, path: str) -> dict[str, Route]:
        if "{" not in path:
            return self._plain.setdefault(path, {})
        parts = tuple(path.split("/"))
        rows = self._named.setdefault(len(parts), [])
        for known, methods in rows:
            if known == parts:
                return methods
        rows.append((parts, {}))
        return rows[-1][1]

    def find(self, path: str, raw: str) -> tuple[Mapping[str, Route], Mapping[str, str]] | None:
        """Routes by method of an address, and the values in it; None when there is none.

        raw: the path as it was sent, percent-encoded, so that a value may hold a slash.
        """
        plain = self._plain.get(path)
        if plain is not None:
            return plain, {}
        given = raw.split("/")
        for parts, methods in self._named.get(len(given), ()):
            values = _values(parts, given)
            if values is not None:
                return methods, values
        return None


def _values(parts: tuple[str, ...], given: list[str]) -> dict[str, str] | None:
    values = {}
    for part, told in zip(parts, given, strict=True):
        if part[:1] == "{":
            if not told:
                return None
            values[part[1:-1]] = unquote(told) if "%" in told else told
        elif part != told:
            return None
    return values


def asking(function: Callable[[Resources, Connection, Call], Answer]) -> Handle:
    """A handler out of a function that asks the database, in a thread with a session of its own."""

    async def handle(resources: Resources, call: Call) -> Answer:
        def asked() -> Answer:
            with resources.sessions.one() as connection:
                return function(resources, connection, call)

        return await asyncio.to_thread(asked)

    return handle
