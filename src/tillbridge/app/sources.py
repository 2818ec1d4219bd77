"""A connection of the workspace as its connector's translator sees it: no secrets, no rooms."""

from __future__ import annotations

from typing import Any

from tillbridge.app.settings_tables import Settings
from tillbridge.contract.promises import Connection as Source


def source_of(settings: Settings, name: str, own: Any) -> Source:
    """The connection `name`. own: the connector's own settings, decoded."""
    connection = settings.connection[name]
    return Source(
        name=name,
        entity=connection.entity,
        channel=connection.channel,
        currency=settings.entities()[connection.entity].currency,
        timezone=connection.timezone,
        location_zones={place.code: place.timezone for place in settings.location},
        location_entities={place.code: place.entity for place in settings.location},
        settings=own,
    )
