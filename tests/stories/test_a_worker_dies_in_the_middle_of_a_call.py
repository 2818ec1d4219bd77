"""A worker dies, or is frozen, while the ERP works on its call: nobody restarts or requeues jobs.

The complaint elsewhere: jobs stand in `started` for good and block the channel; requeued by hand
they run twice.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.stories.shop import House, house, line, paid_order
from tillbridge.app.hub import Hub
from tillbridge.app.worker import drain
from tillbridge.atoms.clock import FixedClock
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport

WORKER = """
import sys
from pathlib import Path
from tillbridge.app.hub import Hub
from tillbridge.app.settings import load_workspace
from tillbridge.app.worker import drain
folder, url, erp = sys.argv[1:]
drain(Hub(load_workspace(Path(folder)), url, overrides={"erp": {"url": erp}}), 60)
"""
LEASED = "select count(*) from outkey where lease_until is not null"


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


class Night:
    """Another worker, for whom time passes when it is told to."""

    def __init__(self, shop: House) -> None:
        self.clock = FixedClock(datetime.now(UTC))
        self.transport = HttpTransport(LOOPBACK)
        self.hub = Hub(
            shop.hub.workspace,
            shop.hub.url,
            clock=self.clock,
            transport=self.transport,
            overrides={"erp": {"url": shop.erp.address}},
        )

    def begin(self) -> None:
        """It is told the present time, and from now on only its own clock counts."""
        with self.hub.connect() as connection:
            self.hub.agreed_clock.set(connection)

    def after(self, seconds: float) -> int:
        """Wait, then work for a second at most; documents still on their way."""
        self.clock.sleep(seconds)
        return drain(self.hub, 1.0).documents


@pytest.fixture
def night(shop: House) -> Iterator[Night]:
    found = Night(shop)
    yield found
    found.transport.close()


def _until(shop: House, what: str) -> None:
    end = time.monotonic() + 30
    while shop.erp.store.counts() == {} or shop.rows(LEASED) == [(0,)]:
        assert time.monotonic() < end, what
        time.sleep(0.02)


def test_what_a_killed_worker_had_sent_is_found_and_nothing_is_sent_twice(
    shop: House, night: Night
) -> None:
    for number in range(3):
        shop.web("orders/create", paid_order(4711 + number, [line(1)], "10.00"))
    shop.fault("slow", seconds=60.0)
    child = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(shop.hub.workspace.folder), shop.hub.url,
         shop.erp.address]
    )  # fmt: skip
    try:
        _until(shop, "the ERP has the documents, the worker waits for its answer")
    finally:
        child.kill()
        child.wait()
    assert shop.erp.store.counts() == {"sales_order": 3}
    night.begin()
    assert night.after(0) == 3, "the call may still be at work"
    assert night.after(5) == 3
    assert night.after(26) == 0, "half a minute after its last sign of life others go on"
    assert set(shop.documents().values()) == {"accepted"}
    assert shop.erp.store.counts() == {"sales_order": 3}
    assert shop.erp.store.duplicates() == {}
    creates = [call for call in shop.erp.store.calls() if call.method == "POST"]
    assert len(creates) <= 1, "the only create is that of the dead worker"
    assert shop.lies() == []


def test_the_answer_of_a_worker_that_wakes_up_late_changes_nothing(
    shop: House, night: Night
) -> None:
    """Its lease ran out while it was frozen; meanwhile another one looked the document up."""
    shop.web("orders/create", paid_order(4711, [line(1)], "10.00"))
    shop.fault("slow", seconds=3.0)
    with shop.hub.connect() as frozen, capture_logs() as lines:
        (target,) = [one for one in shop.hub.targets(frozen) if one.far.name == "erp"]
        dispatcher = shop.hub.dispatcher(frozen, target)  # nobody renews its leases
        thread = threading.Thread(target=dispatcher.run_once)
        thread.start()
        _until(shop, "the ERP has the document, its answer is on the way")
        night.begin()
        assert night.after(31) == 0
        assert shop.rows("select state, remote_id from document") == [("accepted", "1")]
        thread.join()
    (late,) = [one for one in lines if one["event"] == "late_answer_fenced_off"]
    assert (late["operation"], late["state"]) == ("order/web/4711/sales_order", "accepted")
    facts = shop.rows("select count(*) from record where type = 'DocumentAccepted'")
    assert facts == [(1,)], "told once"
    assert shop.erp.store.counts() == {"sales_order": 1}
    assert shop.lies() == []
