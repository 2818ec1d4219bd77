"""Entities of an operator become connections and locations of the workspace."""

from __future__ import annotations

from pathlib import Path

from tillbridge.app.reach import reach
from tillbridge.app.settings import load_workspace
from tillbridge.app.workspace import write
from tillbridge.atoms.ids import SeededIds
from tillbridge.triage.rights import EVERYTHING, Who


def test_an_operator_reaches_what_belongs_to_his_entities(tmp_path: Path) -> None:
    write(tmp_path / "house", SeededIds(1))
    settings = load_workspace(tmp_path / "house").settings
    assert reach(Who("ann", ("admin",)), settings) == EVERYTHING
    canada = reach(Who("tor", ("viewer",), ("ca",)), settings)
    assert (canada.everything, canada.connections) == (False, ())
    assert canada.locations == ("store-tor",)
    usa = reach(Who("pat", ("viewer",), ("us",)), settings)
    assert "web" in usa.connections
    assert "store-tor" not in usa.locations
