"""The hub's threads together, files by name, and what an ingest says no to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order
from tillbridge.app import registry
from tillbridge.app.ingest import ingest
from tillbridge.app.pending import pending
from tillbridge.app.text_table import table
from tillbridge.app.worker import Worker
from tillbridge.app.xref_files import proposals, read_rows
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.stock import StockLine
from tillbridge.mapping.names import NameRow
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.desk import Ask, answer_group


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def _until(shop: House, query: str, wanted: object, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while shop.rows(query) != wanted:
        assert time.monotonic() < end, shop.rows(query)
        time.sleep(0.02)


def test_a_running_worker_carries_delivers_and_takes_dropped_files(shop: House) -> None:
    worker = Worker(shop.hub)
    worker.start()
    try:
        shop.web("orders/create", paid_order(4711, [line(1)], "10.00"), flow=False)
        _until(shop, "select state from document", [("accepted",)])
        # the name comes while the worker runs: what waited for it goes on by itself
        strange = paid_order(4712, [line(1, sku="SKU-9")], "10.00")
        shop.web("orders/create", strange, flow=False)
        _until(shop, "select count(*) from parked_key", [(1,)])
        shop.names([("web", "product", "SKU-9", "P2")])
        _until(shop, "select count(*) from document where state = 'accepted'", [(2,)])
        drop = shop.hub.workspace.folder / "drop" / "feed" / "more.csv"
        drop.write_bytes(b"product,location,quantity,counted\nP1,store-nyc,9,\n")
        _until(
            shop,
            "select on_hand from stock where product = 'P1' and location = 'store-nyc'",
            [(9000,)],
        )
    finally:
        worker.stop()
    assert not pending(shop.connection).moving
    assert shop.cases() == []
    assert shop.lies() == []


def test_a_running_worker_ends_reservations_whose_time_is_over(shop: House) -> None:
    now = shop.hub.clock.now()
    cart = Ask(
        key="hold/web/cart",
        verb="hold",
        channel="web",
        lines=(StockLine("1", "P1", 1000),),
        locations=("wh-east",),
        expires_at=now + timedelta(seconds=1),
    )
    (told,) = answer_group(shop.connection, [cart], RulesInForce(), now)
    shop.connection.commit()
    assert told.status == "held"
    reserved = "select reserved from stock where location = 'wh-east' and product = 'P1'"
    assert shop.rows(reserved) == [(1000,)]
    worker = Worker(shop.hub)
    worker.start()
    try:
        _until(shop, reserved, [(0,)])
    finally:
        worker.stop()


def test_an_ingest_says_what_it_cannot_take(shop: House, tmp_path: Path) -> None:
    for name, path, words in (
        ("nowhere", tmp_path, r"no connection 'nowhere' \(there are web, stores, feed, "),
        ("erp", tmp_path, r"connection erp \(sandbox\) reads no files"),
        ("web", tmp_path / "none.json", "no such file"),
    ):
        with pytest.raises(Refused, match=words):
            ingest(shop.hub, name, [path], "")


def test_a_table_of_names_is_read_with_the_place_of_every_mistake(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("connection,table,theirs,ours,hint\nweb,product,A,P1,Mug\n")
    assert read_rows(path) == [NameRow("web", "product", "A", "P1")]
    path.write_text("connection,table,theirs,ours\nweb,produkt,A,P1\nweb,product,B,\n")
    with pytest.raises(Refused) as refused:
        read_rows(path)
    first, second = refused.value.words.splitlines()
    assert first.startswith(f"{path}:2: no table 'produkt'")
    assert second == f"{path}:3: product 'B' has no name of ours"
    path.write_text("connection,theirs\n")
    with pytest.raises(Refused, match=":1: no column table, ours"):
        read_rows(path)


def test_names_are_proposed_from_files_and_what_cannot_be_read_is_told(
    shop: House, tmp_path: Path
) -> None:
    good, bad = tmp_path / "order.json", tmp_path / "bad.json"
    good.write_text('{"id": 1, "name": 2}')
    bad.write_text("{")
    rows, unread = proposals(shop.hub.workspace, "web", [good, bad], "orders/create")
    assert rows == []
    assert len(unread) == 2


def test_a_connector_nobody_has_is_refused_with_those_there_are() -> None:
    assert {"shopify", "poslog", "sandbox"} <= set(registry.names())
    with pytest.raises(Refused, match=r"there is no connector 'none' \(there are"):
        registry.connector("none")


def test_numbers_of_a_table_stand_to_the_right() -> None:
    shown = table(("name", "count"), [("a", 7), ("bb", 1234)])
    assert shown.splitlines() == ["name  count", "----  -----", "a         7", "bb     1234"]
