"""A store sells below its minimum, is sent goods from the warehouse, and gets fewer than left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.app import replenishment
from tillbridge.app.replay.whole_log import replay_log
from tillbridge.app.worker import chores
from tillbridge.canonical.supply import ReplenishmentProposed

RULES = """
demand_days = 366

[[replenish]]
locations = ["store-nyc"]
product = ["P1"]
min = 4
max = 12
pack = 6
transfer_from = "wh-east"
lead_days = 2

[[replenish]]
locations = ["warehouse"]
product = ["P2"]
min = 12
max = 30
pack = 10
buy_from = "Acme"
lead_days = 5
"""
FEEDS = """
[connection.sent]
connector = "feed"
entity = "us"
timezone = "America/New_York"
settings = { mapping = "feeds/sent.toml" }

[connection.came]
connector = "feed"
entity = "us"
timezone = "America/New_York"
settings = { mapping = "feeds/came.toml" }
"""
MAPPING = """kind = "{kind}"
identity = ["load"]

[file]
format = "csv"

[head]
number = "load"
transfer = "transfer"
origin = "from"
destination = "to"
at = "at"

[[line]]
product = "sku"
quantity = "qty"
"""
NAMES = [
    (connection, kind, name, name)
    for connection in ("sent", "came")
    for kind, name in (("product", "P1"), ("location", "wh-east"), ("location", "store-nyc"))
]


def _furnish(folder: Path) -> None:
    file = folder / "tillbridge.toml"
    file.write_text(file.read_text(encoding="utf-8") + FEEDS, encoding="utf-8")
    for name, kind in (("sent", "dispatch"), ("came", "arrival")):
        (folder / "feeds" / f"{name}.toml").write_text(MAPPING.format(kind=kind), encoding="utf-8")
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "stock.toml").write_text(RULES, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=_furnish) as found:
        found.names(NAMES)
        yield found


def sell(shop: House, pieces: int) -> None:
    """Customers buy P1 at the till of the store."""
    sale = receipt(
        1, [goods("A1", "60.00", "0", pieces=str(pieces)), tender("60.00")], "60.00", "0"
    )
    shop.file("stores", poslog(sale), "day.xml")


def load(transfer: str, pieces: int) -> bytes:
    head = "load,transfer,from,to,at,sku,qty\n"
    row = f"L-1,{transfer},wh-east,store-nyc,2026-03-03T09:00:00-05:00,P1,{pieces}\n"
    return (head + row).encode()


def run(shop: House) -> str:
    """What the worker's schedule does every so many hours."""
    said = chores(shop.hub)["replenishment"](shop.connection, shop.hub.clock.now())
    shop.connection.commit()
    shop.flow()
    return said


def proposed(shop: House) -> list[tuple[Any, ...]]:
    columns = "kind, source, location, status, number"
    return shop.rows(f"select {columns} from proposal_state order by kind desc, status")


def sellable(shop: House, product: str) -> dict[str, tuple[int, int]]:
    rows = shop.rows(
        "select location, on_hand / 1000, reserved / 1000 from stock"
        " where product = %s and condition = 'sellable'",
        product,
    )
    return {place: (held, reserved) for place, held, reserved in rows}


def in_transit(shop: House) -> int:
    rows = shop.rows("select sum(on_hand) / 1000 from stock where condition = 'in_transit'")
    return int(rows[0][0] or 0)


def test_a_store_sold_low_is_sent_goods_and_what_got_lost_is_written_off(shop: House) -> None:
    sell(shop, 3)
    assert sellable(shop, "P1") == {"wh-east": (20, 0), "store-nyc": (2, 0)}
    page = shop.verb("stock", "replenish", "--dry-run")
    assert "transfer from wh-east to store-nyc" in page
    row = next(line for line in page.splitlines() if line.startswith("P1"))
    # so many are proposed, on hand, reserved, on order, in transit, sold, minimum, maximum
    assert row.split() == ["P1", "12", "2", "0", "0", "0", "3", "4", "12"]
    assert proposed(shop) == []
    assert run(shop) == "2 proposals of 2 lines"
    (*told, number), _ = proposed(shop)
    assert told == ["transfer", "wh-east", "store-nyc", "proposed"]
    assert sellable(shop, "P1")["wh-east"] == (20, 0)

    assert run(shop) == "0 proposals of 0 lines"
    assert number in shop.verb("stock", "proposals")
    shop.verb("stock", "accept", number, "--reason", "spring sale")
    shop.flow()
    assert proposed(shop)[0][3] == "ordered"
    assert sellable(shop, "P1")["wh-east"] == (20, 12)
    assert run(shop) == "0 proposals of 0 lines"

    shop.file("sent", load(number, 8))
    assert sellable(shop, "P1") == {"wh-east": (12, 4), "store-nyc": (2, 0)}
    assert in_transit(shop) == 8
    shop.file("came", load(number, 7))
    # the store waits for no more: what was not sent is free again, and one piece lacks
    assert sellable(shop, "P1") == {"wh-east": (12, 0), "store-nyc": (9, 0)}
    assert in_transit(shop) == 1
    assert shop.cases() == ["transfer_short"]
    assert shop.lies(quiesced=False) == []

    shop.verb("transfers", "write-off", number, "--reason", "lost")
    shop.flow()
    assert shop.cases() == []
    assert in_transit(shop) == 0
    assert sellable(shop, "P1") == {"wh-east": (12, 0), "store-nyc": (9, 0)}
    assert run(shop) == "0 proposals of 0 lines"
    assert not shop.drain().moving
    assert shop.lies() == []
    shop.connection.rollback()
    assert replay_log(shop.hub).same


def test_buyers_are_asked_once_for_what_the_warehouse_lacks(shop: House) -> None:
    run(shop)
    ((*told, number),) = proposed(shop)
    assert told == ["purchase", "Acme", "wh-east", "proposed"]
    shop.verb("stock", "accept", number)
    assert not shop.drain().moving
    assert proposed(shop)[0][3] == "ordered"
    assert shop.documents() == {f"proposal/{number}/purchase_proposal": "accepted"}
    assert shop.erp.store.counts() == {"purchase_proposal": 1}
    (document,) = shop.erp.store.page(0, 10, "purchase_proposal")
    assert document.number.startswith("PP")
    # the ERP has it and nobody told yet what was ordered: it counts as on order
    assert run(shop) == "0 proposals of 0 lines"
    assert shop.cases() == []
    assert shop.lies() == []


def test_what_was_rejected_is_looked_at_again_the_next_day(shop: House) -> None:
    run(shop)
    ((*_, number),) = proposed(shop)
    shop.verb("stock", "reject", number, "--reason", "too much money")
    shop.flow()
    assert run(shop) == "0 proposals of 0 lines"
    hub = shop.hub
    tomorrow = hub.clock.now() + timedelta(days=1)
    found = replenishment.look(
        shop.connection, hub.workspace, replenishment.run_of(hub.workspace, hub.ids, tomorrow)
    )
    assert [type(fact) for fact in found] == [ReplenishmentProposed]
    assert shop.documents() == {}
    assert shop.lies() == []


def test_a_source_gives_what_it_has_and_small_needs_pass_alone(shop: House) -> None:
    rules = shop.hub.workspace.folder / "rules" / "stock.toml"
    more = (
        '[[replenish]]\nlocations = ["store"]\nproduct = ["P1"]\nmin = 4\nmax = 12\npack = 6\n'
        'transfer_from = "wh-east"\naccept_up_to = 12\n'
    )
    rules.write_text(more, encoding="utf-8")
    sell(shop, 3)
    assert run(shop) == "2 proposals of 2 lines"
    # two stores never had any and lack four each, the third lacks two: 20 are there, packs of six
    rows = shop.rows("select location, status from proposal_state order by location")
    assert rows == [("store-bos", "ordered"), ("store-tor", "ordered")]
    held = shop.rows("select sum(quantity) / 1000 from reservation")
    assert int(held[0][0]) == 18
