"""Replenishment of a workspace: its rules, a run of them, what people decide. Through the log."""

from __future__ import annotations

from datetime import datetime

import msgspec
import structlog

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
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.reconciliation.replenishment import activation
from tillbridge.reconciliation.replenishment.replenish import (
    KeptBack,
    Run,
    proposals,
    replenish,
)
from tillbridge.reconciliation.replenishment.rules import (
    FILE,
    ReplenishRules,
    meaning,
    parse_replenishment,
)
from tillbridge.reconciliation.stock.supply import look_at_purchases
from tillbridge.triage import policy

REMEDY = "tillbridge stock rules activate --replenishment"
_log = structlog.get_logger("replenishment")
QUERIES = load("tillbridge.app", "replenishment.sql")


def text_of(workspace: Workspace) -> str:
    """The rules as the workspace's file tells them; nothing where it has none."""
    path = workspace.folder / "rules" / FILE
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def checked(workspace: Workspace, text: str) -> ReplenishRules:
    """The rules of a text for this workspace; raises Refused."""
    return parse_replenishment(text, labels(workspace.settings))


def rules_of(connection: Connection, workspace: Workspace) -> ReplenishRules:
    """The rules to go by now: the file's where nobody has to approve them, put in force with the
    caller's commit, else those in force. Raises Refused.
    """
    text, found = text_of(workspace), activation.in_force(connection)
    if found is None and not text:
        return ReplenishRules()
    rules = checked(workspace, text)
    if found is not None and found.hash == meaning(text):
        return rules
    if found is not None and policy.read(connection).second_person:
        _log.warning("replenishment_rules_wait", remedy=REMEDY)
        return checked(workspace, found.text)
    activation.activate(connection, text, audit.HUB, "as the workspace's file tells them")
    return rules


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
    rules = rules_of(connection, workspace)
    found = replenish(connection, rules, kept_back(connection, workspace, rules), run)
    if found:
        if actor != audit.HUB:
            audit.record(connection, actor, "stock.replenish", f"{counted(found)[0]} proposals")
        log.append(connection, _records(found))
    return found


def look(connection: Connection, workspace: Workspace, run: Run) -> list[Fact]:
    """What would be proposed now; nothing is written."""
    rules = rules_of(connection, workspace)
    found = list(proposals(connection, rules, kept_back(connection, workspace, rules), run))
    connection.rollback()
    return found


def kept_back(connection: Connection, workspace: Workspace, rules: ReplenishRules) -> KeptBack:
    """What has to stay at a place that sends: its safety stock for no channel in particular."""
    if not any(rule.source and rule.source.startswith("transfer:") for rule in rules.rules):
        return lambda _location, _product, _category: 0
    found = RulesInForce(labels(workspace.settings)).seen(connection)
    return lambda place, product, category: found.terms("", place, product, category).safety_stock


def look_at_supply(connection: Connection, workspace: Workspace, now: datetime) -> str:
    """What deliveries differ by, and what is late: cases and closings, told to the log. The caller
    commits next.
    """
    found = look_at_purchases(connection, rules_of(connection, workspace).deliveries, now)
    log.append(connection, _records(list(found.facts)))
    return (
        f"{found.settled.opened} cases of supply opened, {found.settled.closed} closed, "
        f"{len(found.facts)} purchases are as good as whole"
    )


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
