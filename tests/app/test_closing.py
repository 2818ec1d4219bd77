"""Whose a close list is: what names no entity counts for all."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tillbridge.app.closing import scope_of
from tillbridge.app.hub import Hub
from tillbridge.app.settings import load_workspace
from tillbridge.app.workspace import write
from tillbridge.atoms.ids import SeededIds

NOW = datetime(2026, 4, 3, 12, tzinfo=UTC)


def test_connections_and_places_of_other_entities_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, SeededIds(1))
    workspace = load_workspace(tmp_path)
    with Hub(workspace, "postgresql://nowhere") as hub:
        ours, theirs = (scope_of(hub, entity, "2026-02", NOW) for entity in ("us", "ca"))
    settings = workspace.settings
    assert set(ours.locations) | set(theirs.locations) == {one.code for one in settings.location}
    assert set(ours.locations).isdisjoint(theirs.locations)
    assert (set(ours.own), set(theirs.own)) == (set(theirs.locations), set(ours.locations))
    assert not theirs.leaves_out("stores", "store-tor")  # its own, by a connection of another
    assert ours.leaves_out("stores", "store-tor")
    assert theirs.leaves_out("stores", "")
    assert "web" not in ours.connections
    assert "web" in theirs.connections
    assert (ours.first.isoformat(), ours.last.isoformat()) == ("2026-02-01", "2026-02-28")
    assert ours.values()["month_after"] == "2026-04-01"
