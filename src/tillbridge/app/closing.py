"""The month of an entity as the workspace sees it: what of the hub belongs to other entities."""

from __future__ import annotations

from datetime import datetime

from tillbridge.app.hub import Hub
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.blocking import Scope
from tillbridge.reconciliation.settlement.unsettled import tell_unsettled
from tillbridge.reconciliation.tills.sequences import look


def scope_of(hub: Hub, entity: str, period: str, now: datetime) -> Scope:
    """The scope of a close list. Connections and places without an entity count for all."""
    settings = hub.workspace.settings
    return Scope(
        entity=entity,
        period=period,
        now=now,
        connections=tuple(
            name for name, one in settings.connection.items() if one.entity not in ("", entity)
        ),
        locations=tuple(
            place.code for place in settings.location if place.entity not in ("", entity)
        ),
        own=tuple(place.code for place in settings.location if place.entity == entity),
        expected=hub.expected,
    )


def look_again(hub: Hub, connection: Connection, now: datetime) -> None:
    """Roll up what was heard of tills since the schedule last did, and look for settlements that
    never came, so that the list is of now. Commits.
    """
    look(connection, hub.expected, now)
    connection.commit()
    tell_unsettled(connection, hub.accounts, now)
    connection.commit()
