"""What operators ask: how the hub stands, the cases of their entities, what `verify` last found."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tillbridge.app.api.problems import refusal
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import Call
from tillbridge.app.reach import reach
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.answers import Answer, answer
from tillbridge.triage import cases
from tillbridge.triage.reach import SCANNED, cases_within
from tillbridge.watch import status, verification

PAGE_MOST = 250
_NO_RUN = refusal("not-found", "Nobody ran verify yet.")


class CaseQuery(msgspec.Struct, frozen=True):
    """Which cases. state: `open`, another state, or `all`; owner, reason: "" = whichever."""

    state: str = "open"
    owner: str = ""
    reason: str = ""
    limit: Annotated[int, msgspec.Meta(ge=0)] = PAGE_MOST


class Cases(msgspec.Struct, frozen=True):
    """Cases, newest first."""

    cases: list[cases.Case]


def tell_status(_: Resources, connection: Connection, __: Call) -> Answer:
    """What is pending and since when."""
    return answer(200, msgspec.json.encode(status.status(connection)))


def tell_cases(resources: Resources, connection: Connection, call: Call) -> Answer:
    """Cases of the operator's entities."""
    query: CaseQuery = call.query
    mine = reach(call.who, resources.settings)
    wanted = "" if query.state == "all" else query.state
    limit = min(query.limit, PAGE_MOST)
    most = PAGE_MOST if mine.everything else SCANNED
    found = cases.list_cases(
        connection, state=wanted, owner=query.owner, reason=query.reason, limit=most
    )
    seen = cases_within(connection, [case.id for case in found], mine)
    told = Cases([case for case in found if case.id in seen][:limit])
    return answer(200, msgspec.json.encode(told))


def tell_verify(_: Resources, connection: Connection, __: Call) -> Answer:
    """What the newest run of verify found."""
    found = verification.last(connection)
    return _NO_RUN if found is None else answer(200, msgspec.json.encode(found))
