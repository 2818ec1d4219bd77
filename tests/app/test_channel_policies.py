"""What a workspace's channels and locations come to for the deciders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.orchestration.trade import line, order
from tillbridge.app.channel_policies import AREAS, policies_of
from tillbridge.app.settings import FILE, SettingsRefused, load_workspace
from tillbridge.app.settings_tables import LocationSettings, Settings
from tillbridge.canonical.orders import Place

HOUSE = """\
[[entity]]
code = "us"
currency = "USD"

[[location]]
code = "wh"
entity = "us"
kind = "warehouse"

[[location]]
code = "nyc"
entity = "us"
groups = ["east"]
latitude = 40.71
longitude = -74.01

[[location]]
code = "bos"
entity = "us"
groups = ["east"]
latitude = 42.36
longitude = -71.06

[[location]]
code = "outlet"
entity = "us"
groups = ["east"]
ships = false

[[channel]]
code = "web"
entity = "us"
fulfil_from = ["warehouse", "east", "store"]
nearest = 2
split_most = 2
"""


def test_groups_and_kinds_name_their_places_once_without_those_that_do_not_ship(
    tmp_path: Path,
) -> None:
    (tmp_path / FILE).write_text(HOUSE, encoding="utf-8")
    policy = policies_of(load_workspace(tmp_path)).of("web", "us")
    assert policy.fulfil_from == ("wh", "nyc", "bos")
    assert (policy.nearest, policy.split_most, policy.backorder) == (2, 2, False)


def test_the_table_of_postcode_areas_tells_how_far_a_buyer_is(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(HOUSE, encoding="utf-8")
    (tmp_path / AREAS).write_text("country,area,latitude,longitude\nUS,021,42.4,-71.1\n")
    policies = policies_of(load_workspace(tmp_path))
    policy = policies.of("web", "us")
    asked = order([line("a")], ship_to=Place("US", "MA", "021"))
    found = policies.sourcing.candidates(asked, policy.fulfil_from, policy.nearest)
    assert found == ("bos", "nyc", "wh")


def test_a_broken_table_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(HOUSE, encoding="utf-8")
    (tmp_path / AREAS).write_text("country,area,latitude,longitude\nUS,021,x,1\n")
    with pytest.raises(SettingsRefused, match=f"{AREAS}:2: "):
        policies_of(load_workspace(tmp_path))


def test_a_code_goes_before_a_group_or_kind_of_the_same_name() -> None:
    places = [
        LocationSettings(code="store", entity="us", kind="warehouse"),
        LocationSettings(code="nyc", entity="us"),
    ]
    settings = Settings(location=places)
    assert settings.places_of(("store",)) == ("store",)
    assert settings.places_of(("warehouse", "nyc", "nowhere")) == ("store", "nyc")


@pytest.mark.parametrize(("connector", "taken"), [("shopify", True), ("feed", False)])
def test_a_channel_that_would_be_told_in_vain_is_refused(
    tmp_path: Path, connector: str, taken: bool
) -> None:
    text = f"""{HOUSE}tells_channel = true

[connection.shop]
connector = "{connector}"
entity = "us"
channel = "web"
"""
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    if taken:
        assert policies_of(load_workspace(tmp_path)).of("web", "us").tells_channel
        return
    with pytest.raises(SettingsRefused, match="channel web: tells_channel, but no connection"):
        policies_of(load_workspace(tmp_path))
