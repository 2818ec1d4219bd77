"""The API keeps its contract whatever is sent: no 5xx, no answer the contract does not tell.

Requests are made from `/v1/openapi.json` itself, well-formed and broken ones, and sent to a real
server.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from psycopg import Connection
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.app.api.caller import client_key
from tests.app.api.stocked import SETTINGS, stock
from tillbridge.app.api import keys as key_cache
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import PREFIX
from tillbridge.app.api.table import ROUTES
from tillbridge.app.http import Site, listen
from tillbridge.app.http_guard import GuardedProtocol
from tillbridge.app.settings_tables import ConnectionSettings
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.ids import SystemIds
from tillbridge.inbox.group_commit import IntakeWriter
from tillbridge.triage import operators
from tillbridge.triage.operators import KeyTerms
from tillbridge.triage.rights import ACTIONS, SCOPES

EXAMPLES = int(os.environ.get("TILLBRIDGE_API_EXAMPLES", "10"))


@pytest.fixture
def server(
    database_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    monkeypatch.setattr(key_cache, "WRONG_MOST", 1_000_000)  # wrong keys are tried on every route
    direct = ConnectionSettings(connector="direct", entity="us", channel="web")
    hub = msgspec.structs.replace(SETTINGS.hub, api_rate=100_000)
    workspace = msgspec.structs.replace(SETTINGS, connection={"direct": direct}, hub=hub)
    stock(connection, "wh", "P1", 5)
    writer = IntakeWriter(database_url)
    resources = Resources(database_url, workspace, writer)
    site = Site(
        database_url, {}, writer=writer, mounts={PREFIX: Api(resources)}, parts=(resources,)
    )
    config = uvicorn.Config(site, http=GuardedProtocol, lifespan="on", log_level="critical")
    running = uvicorn.Server(config)
    listener = listen("127.0.0.1", 0)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    host, port = listener.getsockname()
    yield f"http://{host}:{port}"
    running.should_exit = True
    thread.join()


@pytest.fixture
def keys(connection: Connection) -> dict[str, str]:
    """A key for each scope, and one of a person for what operators do."""
    operators.of_account(connection, "ann", "ann")
    now = SystemClock().now()
    person = operators.make_key(connection, "ann", "ann", KeyTerms(5), now=now, ids=SystemIds())
    client = dict.fromkeys(SCOPES, client_key(connection, *SCOPES))
    return {"": "", **dict.fromkeys(ACTIONS, person), **client}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_breaks_the_contract(
    server: str, keys: dict[str, str], mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_url(f"{server}{PREFIX}/openapi.json")
    routes = {(route.method, route.path): route for route in ROUTES}
    sent = set()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        name = (operation.method.upper(), operation.path)
        route = routes[name]
        sent.add(name)
        if mode is GenerationMode.NEGATIVE and not (route.query or route.asks):
            continue  # any text will do, so nothing of it can be broken
        bearer = {"Authorization": f"Bearer {keys[route.scope]}"} if route.scope else {}
        _send(operation.as_strategy(generation_mode=mode), bearer)
    assert sent == set(routes) - {("GET", f"{PREFIX}/openapi.json")}  # where it came from


def _send(cases: SearchStrategy[Any], bearer: dict[str, str]) -> None:
    """So many requests, each judged by everything the contract says. But a request of the right
    form may be refused: it names products that nobody has.
    """

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def holds(case: Any) -> None:
        case.call_and_validate(headers=bearer, excluded_checks=[positive_data_acceptance])

    holds()
