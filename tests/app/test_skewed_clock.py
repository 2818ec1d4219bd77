"""A machine whose clock is off delays nothing: what it owes is due by the database's time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order
from tillbridge.app.hub import Hub
from tillbridge.atoms.clock import SystemClock


class Ahead(SystemClock):
    """A clock an hour ahead."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def test_what_a_machine_with_a_fast_clock_owes_is_due_at_once(shop: House) -> None:
    shop.web("orders/create", paid_order(4711, [line(1)], "10.00"), flow=False)
    with Hub(shop.hub.workspace, shop.hub.url, clock=Ahead()) as hub, hub.connect() as connection:
        assert hub.clock.now() - hub.agreed_clock.now() > timedelta(minutes=59)
        hub.runner(connection).drain()
    assert shop.rows("select due <= now() from outkey") == [(True,)]
    assert not shop.drain().moving
    assert set(shop.documents().values()) == {"accepted"}
