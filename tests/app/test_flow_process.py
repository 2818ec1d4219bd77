"""The flow in processes of their own: lanes shared, the dead replaced, nobody left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order
from tillbridge.app.flow_process import FlowProcesses, share_of
from tillbridge.durable.log import ALL_LANES


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def _taken(shop: House, orders: int, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while shop.rows("select count(*) from order_state") != [(orders,)]:
        assert time.monotonic() < end, shop.rows("select key, status from order_state")
        time.sleep(0.02)


@pytest.mark.parametrize("count", [1, 2, 3, 64])
def test_every_lane_is_somebodys_share_and_nobody_elses(count: int) -> None:
    shares = [lane for number in range(count) for lane in share_of(number, count)]
    assert sorted(shares) == list(ALL_LANES)


def test_a_killed_flow_process_is_replaced_and_its_lanes_go_on(shop: House) -> None:
    flows = FlowProcesses(shop.hub.workspace.folder, shop.hub.url, 2)
    flows.start()
    try:
        shop.web("orders/create", paid_order(4711, [line(1)], "10.00"), flow=False)
        _taken(shop, 1)
        for pid in flows.pids:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
        flows.look()
        for number in (4712, 4713, 4714):
            shop.web("orders/create", paid_order(number, [line(1)], "10.00"), flow=False)
        _taken(shop, 4)
    finally:
        pids = flows.pids
        flows.stop()
    assert all(not Path(f"/proc/{pid}").exists() for pid in pids)
    assert shop.lies() == []
