"""Markers: what the log notes for its own replay is told apart from facts and commands."""

from __future__ import annotations

from tillbridge.app.flow import FLOW
from tillbridge.canonical.markers import MARKERS, NAMES, RecordParked
from tillbridge.canonical.registry import TYPES, decode, encode


def test_no_room_takes_a_marker() -> None:
    assert set(NAMES) <= set(TYPES)
    assert {FLOW[name] for name in NAMES} == {()}
    assert {marker.__name__ for marker in MARKERS} == set(NAMES)


def test_a_marker_is_small() -> None:
    marker = RecordParked(key="order/web/1", id="", room="mapping", record=7)
    stored = encode(marker)
    assert stored == b'{"key":"order/web/1","id":"","room":"mapping","record":7}'
    assert decode("RecordParked", 1, stored) == marker
