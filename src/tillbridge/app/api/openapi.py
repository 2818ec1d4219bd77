"""The contract of the API as OpenAPI 3.1, made from the table of routes; pages of problems."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from tillbridge.app.api.problems import PROBLEMS, TYPES, Kind, Problem, refusal
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import ALWAYS, PREFIX, Call, Route, needs_body
from tillbridge.inbox.answers import Answer, answer
from tillbridge.triage.rights import ACTIONS, SCOPES

_REF = "#/components/schemas/{name}"
_NO_PAGE = refusal("not-found", "There is no problem of that name.")
_KEYED = ("idempotency-key-missing", "idempotency-key-reused")
_WITH_BODY = ("body-slow", "body-too-large", "media-type")
_WITH_KEY = ("key-missing", "key-wrong", "scope-missing", "wrong-keys")


def contract_routes(rows: Sequence[Route]) -> tuple[Route, ...]:
    """The routes that tell the contract of `rows` and of themselves."""

    @cache
    def encoded() -> Answer:
        return answer(200, msgspec.json.encode(document((*rows, *own))))

    async def tell_contract(_: Resources, __: Call) -> Answer:
        return encoded()

    own = (
        Route(
            method="GET",
            path=f"{PREFIX}/openapi.json",
            words="This contract, as OpenAPI 3.1",
            handle=tell_contract,
            answers={200: dict[str, Any]},
        ),
        Route(
            method="GET",
            path=f"{TYPES}{{name}}",
            words="What a type of problem means",
            handle=_tell_problem,
            answers={200: Kind},
            problems=("not-found",),
        ),
    )
    return own


async def _tell_problem(_: Resources, call: Call) -> Answer:
    kind = PROBLEMS.get(call.path["name"])
    return _NO_PAGE if kind is None else answer(200, msgspec.json.encode(kind))


def problems_of(route: Route) -> tuple[str, ...]:
    """Names of all problems a route may answer."""
    found = [*ALWAYS, *route.problems]
    found += _WITH_KEY if route.scope else ()
    found += _WITH_BODY if route.asks else ()
    found += _KEYED if route.keyed else ()
    return tuple(name for name in PROBLEMS if name in found)


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document."""
    shown = [Problem, *(kind for route in routes for kind in _types(route))]
    refs, schemas = msgspec.json.schema_components(shown, ref_template=_REF)
    of = dict(zip(map(str, shown), refs, strict=True))
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, of)
    scopes = {**{name: action.words for name, action in ACTIONS.items()}, **SCOPES}
    asked = sorted({route.scope for route in routes} - {""})
    words = "; ".join(f"{name}: {scopes[name]}" for name in asked)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tillbridge", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"A key of a client or an operator. What it takes: {words}",
                }
            },
        },
    }


def _types(route: Route) -> list[type]:
    return [*route.answers.values(), *([route.asks] if route.asks else [])]


def _operation(route: Route, of: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_"),
        "summary": route.words,
        "parameters": _parameters(route),
        "responses": _responses(route, of),
        "security": [{"key": [route.scope]}] if route.scope else [],
    }
    if route.asks is not None:
        content = {"application/json": {"schema": of[str(route.asks)]}}
        told["requestBody"] = {"required": needs_body(route.asks), "content": content}
    if route.deprecated is not None:
        told["deprecated"] = True
    return told


def _parameters(route: Route) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {**text, "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    if route.query is not None:
        whole = msgspec.json.schema(route.query)["$defs"][route.query.__name__]
        for name, schema in whole["properties"].items():
            required = name in whole.get("required", ())
            found.append({"name": name, "in": "query", "required": required, "schema": schema})
    if route.keyed:
        schema = {**text, "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]+$"}
        found.append(
            {"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema}
        )
    return found


def _responses(route: Route, of: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        str(status): {
            "description": route.words,
            "content": {"application/json": {"schema": of[str(kind)]}},
        }
        for status, kind in route.answers.items()
    }
    by_status: dict[int, list[str]] = {}
    for name in problems_of(route):
        by_status.setdefault(PROBLEMS[name].status, []).append(name)
    for status, names in sorted(by_status.items()):
        found[str(status)] = {
            "description": "; ".join(f"{name}: {PROBLEMS[name].title}" for name in names),
            "content": {"application/problem+json": {"schema": of[str(Problem)]}},
        }
    return found
