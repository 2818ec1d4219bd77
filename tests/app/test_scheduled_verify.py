"""The scheduled verify: at its time, kept, cases that come and go, and the worker's own thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.stories.shop import House, house
from tillbridge.app.hub import Hub
from tillbridge.app.scheduled_verify import keep_running, run_due
from tillbridge.app.settings import Workspace
from tillbridge.app.worker import Worker
from tillbridge.durable import schedules

LIE = "update stock set on_hand = on_hand + 1 where product = 'P1' and location = 'wh-east'"
TRUTH = "update stock set on_hand = on_hand - 1 where product = 'P1' and location = 'wh-east'"


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        schedules.make(found.connection, {"verify": 3600})
        found.connection.commit()
        yield found


def _due(shop: House, change: str = "") -> bool:
    """Change something, then let the chore run as if its time had come."""
    if change:
        shop.connection.execute(change.encode())
    shop.connection.execute("update schedule set next_at = '2000-01-01'")
    shop.connection.commit()
    return run_due(shop.hub)


def test_it_runs_when_it_is_due_and_not_again(shop: House) -> None:
    assert _due(shop)
    assert not run_due(shop.hub)
    ((broken, deep, lies),) = shop.rows("select broken, deep, lies from verification")
    assert (broken, deep) == (0, True)
    assert lies["every entry balances"] == 0
    ((words,),) = shop.rows("select last_words from schedule where name = 'verify'")
    assert " 0 broken" in words


def test_a_broken_invariant_is_a_case_until_it_holds_again(shop: House) -> None:
    _due(shop, LIE)
    _due(shop)
    rows = shop.rows("select reason, owner, key, copies, remedy from exception_case")
    assert rows == [
        (
            "invariant_broken",
            "integration",
            "verify/on_hand_is_the_sum_of_movements",
            1,
            "tillbridge verify --explain on_hand_is_the_sum_of_movements",
        )
    ]
    _due(shop, TRUTH)
    assert (shop.cases(), shop.cases("resolved")) == ([], ["invariant_broken"])
    assert shop.rows("select broken from verification order by id") == [(1,), (1,), (0,)]


def test_a_worker_runs_it_in_a_thread_of_its_own(shop: House) -> None:
    shop.connection.execute("update schedule set next_at = '2000-01-01'")
    shop.connection.commit()
    worker = Worker(shop.hub)
    worker.start()
    try:
        end = time.monotonic() + 30
        while not shop.rows("select 1 from verification"):
            assert time.monotonic() < end
            time.sleep(0.1)
    finally:
        worker.stop()


def test_hours_of_zero_mean_never(shop: House) -> None:
    settings = shop.hub.workspace.settings
    never = msgspec.structs.replace(
        settings, hub=msgspec.structs.replace(settings.hub, verify_hours=0.0)
    )
    hub = Hub(Workspace(shop.hub.workspace.folder, never), shop.hub.url)
    shop.connection.execute("update schedule set next_at = '2000-01-01'")
    shop.connection.commit()
    rests = iter([False, True])
    keep_running(hub, lambda _: next(rests))
    hub.close()
    assert shop.rows("select 1 from verification") == []
