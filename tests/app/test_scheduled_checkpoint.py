"""The scheduled checkpoint: only where the log is dropped, at its time, and once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.stories.shop import House, house, line, paid_order
from tillbridge.app.hub import Hub
from tillbridge.app.scheduled_checkpoint import keep_running, run_due
from tillbridge.app.settings import Workspace


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def _keeping(hub: Hub, days: int) -> Hub:
    settings = hub.workspace.settings
    kept = msgspec.structs.replace(settings.hub, keep_records_days=days)
    changed = msgspec.structs.replace(settings, hub=kept)
    return Hub(Workspace(hub.workspace.folder, changed), hub.url)


def _one_look(hub: Hub) -> None:
    rests = iter((False, True))
    keep_running(hub, lambda _: next(rests))


def test_where_the_log_is_kept_for_ever_no_copy_is_made(shop: House) -> None:
    _one_look(_keeping(shop.hub, 0))
    assert shop.rows("select count(*) from schedule where name = 'checkpoint'") == [(0,)]


def test_a_copy_is_made_when_it_is_due_and_not_again(shop: House) -> None:
    hub = _keeping(shop.hub, 30)
    shop.web("orders/create", paid_order(4711, [line(1)], "10.00"))
    _one_look(hub)
    assert shop.rows("select count(*) from checkpoint") == [(0,)], "the first one has time"
    shop.connection.execute("update schedule set next_at = '2000-01-01' where name = 'checkpoint'")
    shop.connection.commit()
    assert run_due(hub)
    assert not run_due(hub)
    ((position, words),) = shop.rows(
        "select c.position, s.last_words from checkpoint c, schedule s where s.name = 'checkpoint'"
    )
    assert words.startswith(f"record {position},")
    assert (hub.workspace.folder / "checkpoints" / str(position)).is_dir()
