"""What channels show, as status, metrics and the command line tell it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.publishing.availability.counter import Counter
from tests.stories.test_a_channel_that_sells_meanwhile import trading
from tillbridge.watch.metrics import collect
from tillbridge.watch.publication import channels, figures

EVERYTHING = {"everything": True, "locations": []}


@pytest.fixture
def desk(connection: psycopg.Connection) -> Counter:
    made = Counter(connection)
    made.stock("P1", 9)
    made.run()
    return made


def test_the_lag_of_a_channel_is_that_of_its_newest_changes(desk: Counter) -> None:
    desk.stock("P1", 8)
    desk.run(4.0)
    desk.stock("P2", 8)
    desk.plan()
    (one,) = channels(desk.connection, desk.clock.now())
    assert (one.name, one.figures, one.waiting) == ("shop", 2, 1)
    assert [one.p50, one.p99] == pytest.approx([4.0, 4.0])
    assert one.oldest is not None


def test_figures_show_what_waits_and_what_is_held_back(desk: Counter) -> None:
    desk.shelves.levels["L1", "P1"] = 7000
    desk.stock("P1", 8)
    desk.run()
    (one,) = figures(desk.connection, "shop", "P1", 10, EVERYTHING)
    assert (one.available, one.shown, one.untold, one.offers) == (8000, 6000, 2000, 4)
    assert figures(desk.connection, "other", "", 10, EVERYTHING) == []
    (lag,) = channels(desk.connection, desk.clock.now())
    assert (lag.held_back, lag.drifts, lag.waiting) == (1, 1, 0)


def test_metrics_tell_lag_and_what_waits_per_channel(desk: Counter) -> None:
    desk.stock("P1", 8)
    desk.run()
    desk.stock("P2", 8)
    desk.plan()
    told = collect(desk.connection)
    assert 'tillbridge_publication_waiting{connection="shop"} 1.0' in told
    assert 'tillbridge_publication_lag_seconds{connection="shop",quantile="0.99"}' in told


def test_the_command_line_shows_channels_and_their_figures(
    tmp_path: Path, database_url: str
) -> None:
    with trading(tmp_path / "house", database_url, '{ locations = ["wh-east"] }') as trade:
        assert "figures waiting for web" in trade.at.verb("status")
        told = trade.at.verb("stock", "publication", "--product", "P1")
        (line,) = [row for row in told.splitlines() if "wh-east" in row]
        assert line.split() == ["web", "P1", "wh-east", "20", "20", "0"]
