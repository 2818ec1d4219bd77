"""Zones by abbreviation: one meaning, or none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tillbridge.contract.zones import in_utc, offset_of


@pytest.mark.parametrize(
    ("zone", "minutes"), [("CET", 60), ("PDT", -420), ("-0800", -480), ("+05:30", 330), ("Z", 0)]
)
def test_a_zone_that_means_one_thing_has_its_offset(zone: str, minutes: int) -> None:
    assert offset_of(zone) == timedelta(minutes=minutes)


@pytest.mark.parametrize("zone", ["", "CST", "IST", "+5", "+0x00", "cet"])
def test_a_zone_that_could_be_another_has_none(zone: str) -> None:
    assert offset_of(zone) is None
    assert in_utc(datetime(2026, 3, 1), zone) is None  # noqa: DTZ001 - a time on a wall


def test_a_time_on_a_wall_becomes_an_instant() -> None:
    wall = datetime(2026, 3, 1, 1)  # noqa: DTZ001 - a time on a wall
    assert in_utc(wall, "CET") == datetime(2026, 3, 1, tzinfo=UTC)
    assert in_utc(datetime(1, 1, 1), "CET") is None  # noqa: DTZ001 - a time on a wall
    assert in_utc(wall, "+99:00") is None
