"""Every named crash point is on the way of the hub's work: a whole day passes each of them."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

from tests.inbox.test_polls import SOURCE, NoNetwork, Vendor
from tests.publishing.availability.counter import Counter
from tests.publishing.test_connector_defects import Brittle, target_of
from tests.stories.shop import STOCK, House, house, line, paid_order
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.ids import SystemIds
from tillbridge.canonical.intake import RereadObject
from tillbridge.canonical.registry import encode
from tillbridge.durable import accounts, jobs, schedules
from tillbridge.durable.crash_points import POINTS, heard_by
from tillbridge.durable.messages import Incoming
from tillbridge.durable.postgres.folder import Folder, Record
from tillbridge.durable.postgres.retell import tell_restored
from tillbridge.inbox.files import DropFolder
from tillbridge.inbox.group_commit import IntakeWriter
from tillbridge.inbox.polls import Poller
from tillbridge.mapping.names import NameTables
from tillbridge.publishing.dispatch import Dispatcher

CLOCK = SystemClock()


def _webhook(url: str) -> None:
    writer = IntakeWriter(url)
    writer.start()

    async def one() -> None:
        await writer.submit(
            Incoming(connection="web", topic="t", delivery="d", body=b"{}", received_at=CLOCK.now())
        )

    asyncio.run(one())
    writer.stop()


def _dropped_file(shop: House) -> None:
    registry: Any = shop.hub.drop_folders()["feed"]
    folder, archive = shop.hub.workspace.folder / "drop" / "feed", shop.hub.workspace.folder / "a"
    (folder / "stock.csv").write_bytes(STOCK + b"P1,store-bos,1\n")
    drop = DropFolder(
        registry._connector, registry._source, folder, archive, clock=CLOCK, settle_seconds=0.0
    )
    assert drop.look(shop.connection).files == 1


def _read_again(shop: House) -> None:
    dest = accounts.make_dest(shop.connection, "vendor", accounts.Budget())
    asked = RereadObject(
        key="reread/vendor/5", id="r/1", connection="vendor", topic="reread/order", reference="5"
    )
    kind = type(asked).__name__
    owed = jobs.Owed(dest, asked.key, "r/1", "reread", kind, encode(asked), 0, date(2026, 1, 4))
    jobs.enqueue(shop.connection, [owed], CLOCK.now())
    shop.connection.commit()
    connector = Brittle()
    connector.mended = True
    target = target_of(dest, connector)
    assert Dispatcher(shop.connection, target, NameTables(), CLOCK, SystemIds()).run_once().accepted


def _chore(shop: House) -> None:
    schedules.make(shop.connection, {"nothing": 60})
    shop.connection.execute("update schedule set next_at = '2020-01-01'")
    shop.connection.commit()
    assert schedules.run_due(shop.connection, {"nothing": lambda *_: "done"}, CLOCK.now())


def _numbers(shop: House) -> None:
    counter = Counter(shop.connection)
    counter.stock("P1", 9)
    assert counter.run()


def _restored(folder: Path, url: str) -> None:
    place = Folder.of(folder)
    place.make()
    place.write_record(Record(data="data", port=20000, hook_due=True))
    assert tell_restored(place, url) is not None


def test_the_hubs_work_passes_every_crash_point(tmp_path: Path, database_url: str) -> None:
    passed: set[str] = set()
    with heard_by(passed.add), house(tmp_path / "house", database_url) as shop:
        shop.web("orders/create", paid_order(4711, [line(1)], "10.00"))
        shop.drain()
        assert shop.documents()
        _webhook(database_url)
        _dropped_file(shop)
        poller = Poller(Vendor(3), SOURCE, {}, NoNetwork(), clock=CLOCK)
        poller.run_due(shop.connection)
        _read_again(shop)
        _chore(shop)
        _numbers(shop)
        _restored(tmp_path / "restored", database_url)
    assert sorted(POINTS.keys() - passed) == [], "nothing comes by there"
