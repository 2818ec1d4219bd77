"""The availability rules of a workspace: its file, its names, and what of it is in force."""

from __future__ import annotations

import structlog

from tillbridge.app.settings import Workspace
from tillbridge.app.settings_tables import Settings
from tillbridge.durable import audit
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock import activation
from tillbridge.posting.stock.rules import (
    FILE,
    Labels,
    Rules,
    RulesRefused,
    default_text,
    parse_rules,
)
from tillbridge.triage import policy

_log = structlog.get_logger("availability")


def labels(settings: Settings) -> Labels:
    """What rules may call the workspace's locations: by code, kind or group."""
    return {
        place.code: frozenset((place.code, place.kind, *place.groups))
        for place in settings.location
    }


def text_of(workspace: Workspace) -> str:
    """The rules as the workspace's file tells them; the shipped ones where it has none."""
    path = workspace.folder / "rules" / FILE
    return path.read_text(encoding="utf-8") if path.is_file() else default_text()


def checked(workspace: Workspace, text: str) -> Rules:
    """The rules of a text for this workspace; raises RulesRefused, also for names it has not."""
    rules = parse_rules(text, f"rules/{FILE}", labels(workspace.settings))
    problems = rules.unknown(workspace.settings.channels().keys())
    if problems:
        raise RulesRefused(problems)
    return rules


def settle(connection: Connection, workspace: Workspace) -> None:
    """Put the file's rules in force where nobody has to approve them, else say that they wait."""
    text = text_of(workspace)
    wanted = checked(workspace, text)
    found = activation.in_force(connection)
    if (found is None and not wanted.rules) or (found and found.hash == wanted.hash):
        return
    if found is not None and policy.read(connection).second_person:
        _log.warning("availability_rules_wait", remedy="tillbridge stock rules activate")
        return
    activation.activate(connection, text, audit.HUB, "as the workspace's file tells them")
    connection.commit()
