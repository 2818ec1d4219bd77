"""Asks the API itself, without a server."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import msgspec

from tillbridge.app.api.dispatch import Api
from tillbridge.app.settings_tables import ChannelSettings, EntitySettings, Settings
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.ids import SystemIds
from tillbridge.durable.rooms import Connection
from tillbridge.triage import operators

AWAY = "postgresql://nobody@127.0.0.1:9/nothing"
SETTINGS = Settings(
    entity=[EntitySettings(code="us", currency="USD")],
    channel=[ChannelSettings(code="web", entity="us")],
)


class Told(NamedTuple):
    """An answer, its body decoded."""

    status: int
    body: Any
    headers: dict[bytes, bytes]


def client_key(
    connection: Connection, *scopes: str, rate: int = 0, name: str = "shop", channel: str = "web"
) -> str:
    """A key of a client of a channel; its operator is made when it is not there."""
    operators.of_account(connection, "ann", "ann")
    operators.put(connection, operators.Grant(name, ["client"], channel=channel), "ann", "")
    terms = operators.KeyTerms(5, scopes, rate)
    now = SystemClock().now()
    key = operators.make_key(connection, name, "ann", terms, now=now, ids=SystemIds())
    connection.commit()
    return key


class Caller:
    """Sends one request at a time; each in an event loop of its own."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def ask(self, path: str, key: str = "", **more: Any) -> Told:
        """The answer to a request; more: parts of the ASGI scope, `body` and `heads`."""
        return asyncio.run(self.asked(path, key, **more))

    async def asked(self, path: str, key: str = "", **more: Any) -> Told:
        """As `ask`, in a loop that runs."""
        sent: list[Any] = []
        target, _, query = path.partition("?")
        headers = [(b"authorization", f"Bearer {key}".encode())] if key else []
        body = more.pop("body", b"")
        if not isinstance(body, bytes):
            body = msgspec.json.encode(body)
        if body:
            headers.append((b"content-type", b"application/json"))
        given = more.pop("heads", {})
        headers = [(name, value) for name, value in headers if name not in given]
        headers += list(given.items())
        scope = {
            "type": "http",
            "path": target,
            "method": "POST" if body else "GET",
            "query_string": query.encode(),
            "headers": headers,
            "client": ("192.0.2.1", 4),
            **more,
        }

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(event: Any) -> None:
            sent.append(event)

        await self.api(scope, receive, send)
        body = msgspec.json.decode(sent[1]["body"]) if sent[1]["body"] else None
        return Told(sent[0]["status"], body, dict(sent[0]["headers"]))
