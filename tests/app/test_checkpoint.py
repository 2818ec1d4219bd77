"""Checkpoints: a kept copy of the state, proven when loaded, from which the log is replayed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.app.test_replay_log import a_day
from tests.stories.shop import House, house, line, paid_order, shipment
from tillbridge.app.hub import Hub
from tillbridge.app.replay.checkpoint import Checkpoint, safe_below, take
from tillbridge.app.replay.findings import Replayed, page
from tillbridge.app.replay.whole_log import replay_log
from tillbridge.app.settings import load_workspace
from tillbridge.app.worker import chores
from tillbridge.atoms.errors import Refused
from tillbridge.durable import retention


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def replayed(shop: House) -> Replayed:
    shop.connection.rollback()
    return replay_log(shop.hub, from_checkpoint=True)


def checkpoint(shop: House) -> Checkpoint:
    shop.connection.rollback()
    return take(shop.hub)


def trouble(shop: House) -> None:
    """Something parked, something not taken yet, something owed."""
    strange = paid_order(4712, [line(1, sku="SKU-9", quantity=2)], "20.00")
    shop.web("orders/create", strange)
    shop.web("fulfillments/create", shipment(2, 4712, {1: 1}))
    shop.web("orders/create", paid_order(4711, [line(1, quantity=2)], "20.00"), flow=False)


def test_the_log_is_replayed_from_a_checkpoint_on(shop: House) -> None:
    trouble(shop)
    taken = checkpoint(shop)
    a_day_later = paid_order(4720, [line(1)], "10.00")
    shop.names([("web", "product", "SKU-9", "P1")])
    shop.web("orders/create", a_day_later)
    shop.drain()
    found = replayed(shop)
    assert (found.same, found.findings) == (True, []), page(found)
    assert found.from_record == taken.position > 0
    assert replay_log(shop.hub).from_record == 0


def test_nothing_personal_is_in_a_checkpoint(shop: House) -> None:
    trouble(shop)
    taken = checkpoint(shop)
    folder = shop.hub.workspace.folder / "checkpoints" / taken.folder
    text = b"".join(gzip.decompress(file.read_bytes()) for file in folder.glob("*.gz"))
    assert b"order/web/4712" in text
    for word in (b"Canaria", b"Yellowbird", b"birds.example"):
        assert word not in text
        assert word.hex().encode() not in text
    assert folder.stat().st_mode & 0o077 == 0


def test_a_checkpoint_that_was_changed_is_refused(shop: House) -> None:
    a_day(shop)
    taken = checkpoint(shop)
    file = shop.hub.workspace.folder / "checkpoints" / taken.folder / "stock.copy.gz"
    rows = gzip.decompress(file.read_bytes())
    file.write_bytes(gzip.compress(rows.replace(b"P1", b"P3")))
    with pytest.raises(Refused, match="is damaged: stock"):
        replayed(shop)


def test_a_log_that_an_older_release_began_is_replayed_from_a_checkpoint(shop: House) -> None:
    a_day(shop)
    shop.connection.execute("delete from record where type = 'RecordsTaken'")
    shop.connection.execute("update hub set log_told_from = (select max(id) from record)")
    shop.connection.commit()
    with pytest.raises(Refused, match="tillbridge db checkpoint"):
        replay_log(shop.hub)
    checkpoint(shop)
    shop.web("orders/create", paid_order(4799, [line(1)], "10.00"))
    shop.drain()
    assert replay_log(shop.hub).same


def test_only_the_newest_checkpoints_are_kept(shop: House) -> None:
    for number in range(4):
        shop.web("orders/create", paid_order(4800 + number, [line(1)], "10.00"))
        checkpoint(shop)
    kept = sorted(int(f.name) for f in (shop.hub.workspace.folder / "checkpoints").iterdir())
    assert [(n,) for n in kept] == shop.rows("select position from checkpoint order by position")
    assert len(kept) == 3


def test_the_log_is_dropped_only_behind_a_checkpoint(shop: House) -> None:
    shop.web("orders/create", paid_order(4711, [line(1)], "10.00"))
    shop.drain()
    shop.connection.execute("select setval(pg_get_serial_sequence('record', 'id'), 1000001)")
    shop.connection.commit()
    shop.web("orders/create", paid_order(4712, [line(1)], "10.00"))
    shop.drain()
    settings = shop.hub.workspace.folder / "tillbridge.toml"
    words = settings.read_text("utf-8").replace("[hub]", "[hub]\nkeep_records_days = 1", 1)
    settings.write_text(words, "utf-8")
    forget = chores(Hub(load_workspace(settings.parent), shop.hub.url))["retention"]
    later = datetime.now(UTC) + timedelta(days=2)
    assert forget(shop.connection, later).endswith("0 of the log")
    shop.connection.commit()
    taken = checkpoint(shop)
    assert safe_below(shop.connection, shop.hub.workspace.folder) == taken.position + 1
    assert forget(shop.connection, later).endswith("1 of the log")
    shop.connection.commit()
    assert retention.first_kept(shop.connection, "record") == 1_000_000
    shop.web("orders/create", paid_order(4713, [line(1)], "10.00"))
    shop.drain()
    found = replay_log(shop.hub)
    assert (found.same, found.from_record) == (True, taken.position), page(found)
