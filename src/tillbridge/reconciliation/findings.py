"""Findings: what a check finds wrong at present, as cases that come and go with it.

A check gives everything it finds now. What has no open case gets one, what is not found any more is
closed by the hub, a case that says it in other words is brought up to date. What a person has
closed stays closed until the check finds something else under that key.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Command
from tillbridge.durable import parking
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record

ROOM = "reconciliation"
HUB = "hub"
QUERIES = load("tillbridge.reconciliation", "findings.sql", "standing", "reword", "close")


class Settled(msgspec.Struct, frozen=True):
    """How many cases were opened and closed."""

    opened: int
    closed: int


class _Checked(Command, frozen=True, kw_only=True):
    """Stands for what was checked: a finding is about no record of the log."""


def settle(
    connection: Connection,
    reason: str,
    found: Mapping[str, NeedsDecision],
    now: datetime,
    *,
    checked: AbstractSet[str] | None = None,
) -> Settled:
    """Make the open cases of a reason those of `found`: key -> the case it deserves.

    The key names what is wrong (a till's day, an order); the case's words and details say how.
    checked: the keys that were looked at; None = all there are. The caller commits.
    """
    rows = connection.execute(QUERIES.standing, (ROOM, reason, list(found), HUB)).fetchall()
    open_now = {key: (number, words) for number, key, state, words, _, _ in rows if state == "open"}
    accepted = {(key, finding) for _, key, state, _, finding, _ in rows if state != "open"}
    new = {
        key: case
        for key, case in found.items()
        if key not in open_now and (key, _finding(case)) not in accepted
    }
    parking.open_cases(connection, [_opened(key, case) for key, case in new.items()])
    other = [
        (
            open_now[key][0],
            case.words,
            msgspec.json.encode(_details(case)).decode(),
            case.amount,
            case.currency,
        )
        for key, case in found.items()
        if key in open_now and open_now[key][1] != case.words
    ]
    if other:
        columns = [list(column) for column in zip(*other, strict=True)]
        connection.execute(QUERIES.reword, columns)
    gone = [
        number
        for key, (number, _) in open_now.items()
        if key not in found and (checked is None or key in checked)
    ]
    if gone:
        connection.execute(QUERIES.close, (now, HUB, "it is not so any more", gone))
    return Settled(len(new), len(gone))


def _finding(case: NeedsDecision) -> str:
    """What was found, as text that is equal when the same was found."""
    return str(case.details.get("finding", case.words))


def _details(case: NeedsDecision) -> dict[str, object]:
    return {**case.details, "finding": _finding(case)}


def _opened(key: str, case: NeedsDecision) -> parking.CaseOpened:
    case.details = _details(case)
    record = Record(key=key, type="", body=_Checked(key=key, id=key), lane=lane_of(key))
    return parking.CaseOpened(ROOM, record, case)
