"""Which stock a workspace has compared: connections that tell it, places by code, kind or group."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.shop import house
from tillbridge.app.settings import SettingsRefused
from tillbridge.app.stock_comparisons import comparisons


def furnished(folder: Path, words: str) -> None:
    """Words behind the heading of the ERP's connection."""
    path = folder / "tillbridge.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[connection.erp]\n", f"[connection.erp]\n{words}\n"), "utf-8")


def test_only_what_the_settings_name_is_compared(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url) as shop:
        assert comparisons(shop.hub) == {}
        assert "erp" not in shop.verb("stock", "compare")


def test_kinds_mean_all_their_locations(tmp_path: Path, database_url: str) -> None:
    words = 'compare_stock = { locations = ["wh-east", "store"], hours = 0 }'
    with house(tmp_path / "house", database_url, furnish=lambda at: furnished(at, words)) as shop:
        shop.erp.store.set_stock([("wh-east", "P1", 20_000), ("wh-east", "P2", 10_000)])
        (stock,) = comparisons(shop.hub).values()
        assert stock.run_due(shop.connection) == []
        done = stock.run(shop.connection)
        assert {one.location: [d.product for d in one.differences] for one in done} == {
            "wh-east": [],
            "store-nyc": ["P1", "P2"],
            "store-bos": [],
            "store-tor": [],
        }


def test_a_place_nobody_knows_is_told_with_its_line(tmp_path: Path, database_url: str) -> None:
    words = 'compare_stock = { locations = ["moon"] }'
    with (
        pytest.raises(SettingsRefused, match=r"toml:\d+: connection erp: compare_stock: no loc"),
        house(tmp_path / "house", database_url, furnish=lambda at: furnished(at, words)),
    ):
        pass
