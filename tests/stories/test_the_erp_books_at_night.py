"""An ERP whose ledger takes nothing by day: orders go to it at once, what it books waits for the
night, in order, and everybody can see until when.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, shipment
from tillbridge.app.hub import Hub
from tillbridge.app.settings import FILE, load_workspace
from tillbridge.app.worker import drain
from tillbridge.atoms.clock import FixedClock
from tillbridge.watch.status import status

NOON = datetime(2026, 3, 6, 17, tzinfo=UTC)
"""A Friday, 12:00 in New York."""
NIGHT = datetime(2026, 3, 7, 1, tzinfo=UTC)


def _with(folder: Path, *windows: str) -> None:
    path = folder / FILE
    said = json.dumps(list(windows))
    path.write_text(
        path.read_text().replace(
            "[connection.erp]\n",
            f'[connection.erp]\ntimezone = "America/New_York"\nposting_windows = {said}\n',
        )
    )  # fmt: skip


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def shop(tmp_path: Path, database_url: str, clock: FixedClock) -> Iterator[House]:
    def furnish(folder: Path) -> None:
        _with(folder, "mon-fri 20:00-06:00")

    with house(tmp_path / "house", database_url, clock=clock, furnish=furnish) as found:
        yield found


def _sell(shop: House, number: int) -> None:
    shop.web("orders/create", paid_order(number, [line(1)], "10.00"))
    shop.web("fulfillments/create", shipment(number, number, {1: 1}))


def test_invoices_of_the_day_are_booked_in_the_night(shop: House, clock: FixedClock) -> None:
    _sell(shop, 4711)
    began = clock.monotonic()
    left = shop.drain()
    assert (left.moving, left.documents, left.for_window, left.opens) == (False, 0, 1, NIGHT)
    assert clock.monotonic() - began < 1.0, "nobody waits for the night in a drain"
    assert shop.erp.store.counts() == {"sales_order": 1}
    assert shop.balances()["sales/unassigned"] == -1000, "our own books do not wait"
    found = status(shop.connection, clock.now())
    shop.connection.rollback()
    (erp,) = [one for one in found.destinations if one.name == "erp"]
    assert (erp.documents, erp.for_window, erp.opens) == (1, 1, NIGHT)
    assert found.waiting == [], "it is not late"
    clock.sleep((NIGHT - clock.now()).total_seconds() - 1)
    _sell(shop, 4712)
    assert (shop.drain().for_window, shop.erp.store.counts()) == (2, {"sales_order": 2})
    clock.sleep(1)
    left = shop.drain()
    assert (left.moving, left.for_window, left.opens) == (False, 0, None)
    assert shop.erp.store.counts() == {"sales_order": 2, "invoice": 2}
    assert set(shop.documents().values()) == {"accepted"}
    assert shop.lies() == []


def test_a_window_taken_out_of_the_settings_lets_go_what_waited_for_it(
    tmp_path: Path, database_url: str
) -> None:
    far = datetime.now(UTC) + timedelta(days=3)
    folder = tmp_path / "house"

    def furnish(place: Path) -> None:
        _with(place, f"{far:%a} 10:00-11:00".lower())

    with house(folder, database_url, furnish=furnish) as shop:
        _sell(shop, 4711)
        assert (shop.drain().for_window, shop.erp.store.counts()) == (1, {"sales_order": 1})
        told = shop.verb("status")
        assert "waiting for the posting window of erp" in told
        assert f"opens {far:%Y-%m-%d}" in told
        path = folder / FILE
        path.write_text(path.read_text().replace("posting_windows", "# posting_windows"))
        reached = {"erp": {"url": shop.hub.sources["erp"].settings.url}}
        with Hub(load_workspace(folder), database_url, overrides=reached) as hub:
            assert drain(hub, 10.0).for_window == 0
        assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 1}
        assert shop.lies() == []
