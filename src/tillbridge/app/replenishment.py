"""Replenishment of a workspace: its rules, a run of them, what people decide. Through the log."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.app.availability_rules import labels
from tillbridge.app.settings import Workspace
from tillbridge.app.stock_by_hand import Hand
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import Ids, lane_of
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.supply import ProposalDecided, ReplenishmentProposed
from tillbridge.durable import audit, log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.reconciliation.replenishment.replenish import Run, proposals, replenish
from tillbridge.reconciliation.replenishment.rules import (
    FILE,
    ReplenishRules,
    parse_replenishment,
)

QUERIES = load("tillbridge.app", "replenishment.sql")


def rules_of(workspace: Workspace) -> ReplenishRules:
    """The rules of the workspace's file, none where it has none; raises Refused."""
    path = workspace.folder / "rules" / FILE
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return parse_replenishment(text, labels(workspace.settings))


def run_of(workspace: Workspace, ids: Ids, now: datetime) -> Run:
    """What a run has to know of the workspace."""
    settings = workspace.settings
    currencies = {code: entity.currency for code, entity in settings.entities().items()}
    entities = {one.code: (one.entity, currencies[one.entity]) for one in settings.location}
    return Run(now, ids, entities)


def propose(
    connection: Connection, workspace: Workspace, run: Run, actor: str = audit.HUB
) -> list[Fact]:
    """Propose what lies below its minimum, and tell the log; the caller commits next."""
    found = replenish(connection, rules_of(workspace), run)
    if found:
        if actor != audit.HUB:
            audit.record(connection, actor, "stock.replenish", f"{counted(found)[0]} proposals")
        log.append(connection, _records(found))
    return found


def look(connection: Connection, workspace: Workspace, run: Run) -> list[Fact]:
    """What would be proposed now; nothing is written."""
    return list(proposals(connection, rules_of(workspace), run))


def decide(
    connection: Connection, number: str, reason: str, hand: Hand, *, accept: bool
) -> ProposalDecided:
    """Accept or reject a proposal. Commits; raises Refused."""
    key = f"proposal/{number}"
    row = connection.execute(QUERIES.status, (key,)).fetchone()
    if row is None:
        raise Refused(f"there is no proposal {number!r}")
    if row[0] != "proposed":
        raise Refused(f"proposal {number} is {row[0]}")
    told = {"number": number, "accepted": accept, "by": hand.actor, "reason": reason}
    name = f"{key}/decided/{hand.number}"
    fact = msgspec.convert({**hand.told(), "key": key, "id": name, **told}, ProposalDecided)
    action = "stock.accept" if accept else "stock.reject"
    audit.record(connection, hand.actor, action, key, after=msgspec.to_builtins(fact))
    log.append_and_commit(connection, _records([fact]))
    return fact


def counted(facts: list[Fact]) -> tuple[int, int]:
    """How many proposals there are among facts, and how many lines they have."""
    found = [fact for fact in facts if isinstance(fact, ReplenishmentProposed)]
    return len(found), sum(len(fact.lines) for fact in found)


def _records(facts: list[Fact]) -> list[Record]:
    return [Record(fact.key, type(fact).__name__, fact, lane_of(fact.key)) for fact in facts]
