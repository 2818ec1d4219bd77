"""An operator's legal entities as the connections and locations of a workspace."""

from __future__ import annotations

from tillbridge.app.settings_tables import Settings
from tillbridge.triage.rights import EVERYTHING, Reach, Who


def reach(who: Who, settings: Settings) -> Reach:
    """What belongs to the operator's entities in this workspace."""
    if not who.entities:
        return EVERYTHING
    return Reach(
        everything=False,
        entities=who.entities,
        connections=tuple(n for n, c in settings.connection.items() if c.entity in who.entities),
        locations=tuple(p.code for p in settings.location if p.entity in who.entities),
    )
