"""The contract says what the table says, and nothing else answers."""

from __future__ import annotations

import msgspec

from tests.app.api.caller import AWAY, Caller
from tests.app.api.conftest import Opens
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.openapi import document
from tillbridge.app.api.problems import PROBLEMS, TYPES
from tillbridge.app.api.table import ROUTES
from tillbridge.triage.rights import ACTIONS, SCOPES


def test_the_contract_is_told_to_everybody(opens: Opens) -> None:
    told = Caller(Api(opens(AWAY))).ask("/v1/openapi.json")
    assert told.status == 200
    assert told.body == msgspec.json.decode(msgspec.json.encode(document(ROUTES)))
    assert told.body["openapi"] == "3.1.0"
    assert set(told.body["paths"]) == {route.path for route in ROUTES}


def test_every_reference_leads_somewhere() -> None:
    whole = document(ROUTES)
    text = msgspec.json.encode(whole).decode()
    for part in text.split('"$ref":"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in whole["components"]["schemas"]


def test_scopes_and_problems_of_the_table_exist() -> None:
    for route in ROUTES:
        assert route.scope in {*SCOPES, *ACTIONS, ""}
        assert set(route.problems) <= set(PROBLEMS)
        changes = {name for name, action in ACTIONS.items() if action.changes}
        assert not route.keyed or route.scope in {*SCOPES, *changes}


def test_every_type_of_problem_has_a_page(opens: Opens) -> None:
    caller = Caller(Api(opens(AWAY)))
    for name, kind in PROBLEMS.items():
        told = caller.ask(TYPES + name)
        assert told.body == msgspec.to_builtins(kind)
    assert caller.ask(f"{TYPES}nonsense").status == 404
