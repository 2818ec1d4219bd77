"""What was agreed for an order is told with the line that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.shop import house, line, paid_order
from tillbridge.app.channel_policies import terms_of
from tillbridge.app.order_terms import Term, terms_told
from tillbridge.app.settings import SettingsRefused

POLICIES = "[[policy]]\nreturn_days = 30\n\n[[policy]]\nchannel = 'web'\nreturn_days = 45\n"


def test_an_orders_terms_name_the_line_that_says_them(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url) as shop:
        workspace = shop.hub.workspace
        (workspace.folder / "rules/policies.toml").write_text(POLICIES)
        shop.web("orders/create", paid_order(4711, [line(1)], "10.00"))
        told = terms_told(shop.connection, workspace, "order/web/4711")
        assert Term("return_days", 45, "rules/policies.toml:4") in told
        assert Term("revenue_event", "shipped", "") in told
        assert terms_told(shop.connection, workspace, "order/web/1") == []


def test_a_policy_for_a_channel_that_is_none_stops_the_hub(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url) as shop:
        path = shop.hub.workspace.folder / "rules/policies.toml"
        path.write_text("[[policy]]\nchannel = 'wbe'\nreturn_days = 3\n")
        with pytest.raises(SettingsRefused, match=r"rules/policies.toml:1: no channel 'wbe'"):
            terms_of(shop.hub.workspace)
