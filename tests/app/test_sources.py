"""A connection as its translator sees it."""

from __future__ import annotations

from tillbridge.app.settings_tables import (
    ConnectionSettings,
    EntitySettings,
    LocationSettings,
    Settings,
)
from tillbridge.app.sources import source_of


def test_a_connection_is_told_with_what_its_entity_and_locations_say() -> None:
    settings = Settings(
        entity=[EntitySettings(code="ca", currency="CAD")],
        location=[LocationSettings(code="tor", entity="ca", timezone="America/Toronto")],
        connection={"calls": ConnectionSettings(connector="direct", entity="ca", channel="phone")},
    )
    source = source_of(settings, "calls", None)
    assert (source.name, source.channel, source.currency) == ("calls", "phone", "CAD")
    assert source.location_zones == {"tor": "America/Toronto"}
    assert source.location_entities == {"tor": "ca"}
