"""The workspace's availability rules: its file, its names, and when they come into force."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.one_person import works_alone
from tests.stories.shop import House, house, line, paid_order
from tillbridge.app.availability_rules import checked, settle, text_of
from tillbridge.app.replay.whole_log import replay_log
from tillbridge.posting.stock.activation import activate, in_force
from tillbridge.posting.stock.rules import RulesRefused

MUCH = '[[rule]]\nlocations = "warehouse"\nsafety_stock = 18\n'
LITTLE = '[[rule]]\nlocations = "wh-east"\nsafety_stock = 2\n'


def tell(folder: Path, text: str) -> None:
    """The file as somebody wrote it."""
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "availability.toml").write_text(text, encoding="utf-8")


def safety(shop: House) -> int:
    """What stays of P1 in the warehouse."""
    rules = shop.hub.availability_rules.seen(shop.connection)
    shop.connection.rollback()
    return rules.terms("web", "wh-east", "P1").safety_stock


def test_a_workspace_without_a_file_keeps_nothing_back_and_tells_nothing(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url) as shop:
        assert checked(shop.hub.workspace, text_of(shop.hub.workspace)).rules == ()
        assert in_force(shop.connection) is None
        assert safety(shop) == 0


def test_the_first_rules_are_in_force_at_the_start_and_edited_ones_wait(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=lambda at: tell(at, MUCH)) as shop:
        assert safety(shop) == 18_000
        tell(shop.hub.workspace.folder, LITTLE)
        settle(shop.connection, shop.hub.workspace)
        assert safety(shop) == 18_000
        works_alone(shop.connection)
        settle(shop.connection, shop.hub.workspace)
        assert safety(shop) == 2_000


def test_names_the_workspace_has_not_are_refused(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url) as shop, pytest.raises(RulesRefused) as refused:
        checked(shop.hub.workspace, MUCH.replace("warehouse", "moon"))
    assert refused.value.problems == [
        "rules/availability.toml:1: no location, group or kind 'moon'"
    ]


def test_a_replay_decides_by_the_rules_that_were_in_force_then(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=lambda at: tell(at, MUCH)) as shop:
        shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
        shop.web("orders/create", paid_order(2, [line(1)], "10.00"))
        shop.web("orders/create", paid_order(3, [line(1)], "10.00"))
        shop.connection.execute("alter table availability_rules disable trigger user")
        assert activate(shop.connection, LITTLE, "ann", "less is enough")
        shop.connection.commit()
        shop.web("orders/create", paid_order(4, [line(1)], "10.00"))
        kept = shop.rows("select key from reservation")
        assert {key for (key,) in kept} == {"order/web/1", "order/web/2", "order/web/4"}
        found = replay_log(shop.hub)
        assert found.same, found


def test_the_verbs_show_what_is_kept_back_and_put_rules_in_force(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url) as shop:
        assert "nothing is kept back" in shop.verb("stock", "rules", "show")
        tell(shop.hub.workspace.folder, MUCH)
        assert "tells other rules" in shop.verb("stock", "rules", "show")
        assert "in force" in shop.verb("stock", "rules", "activate")
        assert "safety_stock 18" in shop.verb("stock", "rules", "show")
        page = shop.verb("stock", "available", "P1", "--channel", "web").splitlines()
        assert page[-1].split()[:8] == ["wh-east", "20", "0", "18", "0", "0", "0", "2"]
        tell(shop.hub.workspace.folder, LITTLE)
        waits = shop.verb("stock", "rules", "activate", "--reason", "less is enough")
        assert "waits for a second person" in waits
        assert safety(shop) == 18_000
