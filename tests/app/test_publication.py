"""Publication put together: who publishes, under which rules, and what drain waits for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tests.stories.test_a_channel_that_sells_meanwhile import trading
from tillbridge.app.publication import Hand, outlets, promised_by, threads
from tillbridge.app.settings import SettingsRefused
from tillbridge.app.worker import Worker
from tillbridge.atoms.errors import Refused


def _publishing(connector: str, table: str) -> Callable[[Path], None]:
    def furnish(place: Path) -> None:
        path = place / "tillbridge.toml"
        head = f"[connection.{connector}]\n"
        path.write_text(path.read_text().replace(head, f"{head}publish = {table}\n", 1))

    return furnish


def test_nobody_publishes_unless_the_settings_say_so(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url) as shop:
        assert outlets(shop.hub, shop.connection) == []
        hand = Hand(shop.hub, shop.connection)
        assert (hand.plan(), hand.publish()) == (0, 0)
        assert not shop.drain().moving


def test_a_connection_that_cannot_publish_is_told(tmp_path: Path, database_url: str) -> None:
    with (
        house(tmp_path / "house", database_url, furnish=_publishing("stores", "{}")) as shop,
        pytest.raises(Refused, match="stores: poslog publishes no availability"),
    ):
        outlets(shop.hub, shop.connection)


def test_a_location_that_is_not_there_is_told_with_its_line(
    tmp_path: Path, database_url: str
) -> None:
    wrong = _publishing("web", '{ locations = ["moon"] }')
    with (
        pytest.raises(SettingsRefused, match=r"toml:\d+: connection web: publish: no location"),
        house(tmp_path / "house", database_url, furnish=wrong),
    ):
        pass


def test_what_is_promised_follows_the_rules_in_force(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url) as shop:
        promised = promised_by(shop.hub.availability_rules)
        now = shop.hub.clock.now()
        found = promised(shop.connection, "web", ["P1", "P9"], ["wh-east", "store-nyc"], now)
        assert found == {("wh-east", "P1"): 20_000, ("store-nyc", "P1"): 5000}


def test_drain_leaves_no_number_untold(tmp_path: Path, database_url: str) -> None:
    with trading(tmp_path / "house", database_url, '{ locations = ["wh-east"] }') as trade:
        trade.takes_from_the_shelf(5)
        left = trade.at.drain(30.0)
        assert (left.figures, left.moving, trade.shown) == (0, False, 15)


def test_the_worker_runs_a_planner_and_a_publisher_per_channel(
    tmp_path: Path, database_url: str
) -> None:
    with trading(tmp_path / "house", database_url, "{}") as trade:
        worker = Worker(trade.at.hub)
        assert sorted(threads(trade.at.hub, worker._stop)) == ["publication", "publish web"]


def test_the_worker_publishes_by_itself(tmp_path: Path, database_url: str) -> None:
    with trading(tmp_path / "house", database_url, '{ locations = ["wh-east"] }') as trade:
        house_: House = trade.at
        trade.takes_from_the_shelf(5)
        worker = Worker(house_.hub, flow=False)
        worker.start()
        try:
            for _ in range(200):
                trade.clock.sleep(0.1)
                worker._stop.wait(0.05)
                if trade.shown == 15:
                    break
        finally:
            worker.stop()
        assert trade.shown == 15
