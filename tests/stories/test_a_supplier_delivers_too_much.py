"""A purchase is proposed, ordered, and comes in parts: too much, too little, late, or never.

What was bought stands in the ERP of the retailer, which tells it by file under its own number; the
warehouse tells what came. Whatever was ordered, goods that came are in stock.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.stories.shop import House, house
from tillbridge.app.replay.whole_log import replay_log
from tillbridge.app.worker import chores

RULES = """
demand_days = 366

[[replenish]]
locations = ["warehouse"]
product = ["P2"]
min = 12
max = 30
pack = 10
buy_from = "Acme"

[[delivery]]
supplier = "Acme"
over_percent = 10
under_pieces = 1
late_days = 3
"""
FEEDS = """
[connection.buying]
connector = "feed"
entity = "us"
timezone = "America/New_York"
settings = { mapping = "feeds/buying.toml" }

[connection.goods_in]
connector = "feed"
entity = "us"
timezone = "America/New_York"
settings = { mapping = "feeds/goods_in.toml" }
"""
BUYING = """kind = "purchase"
identity = ["po", "rev"]

[file]
format = "csv"

[head]
supply = "po"
version = "rev"
supplier = "vendor"
location = "site"
due_at = "due"
closed = "done"
proposal = "asked_by"

[[line]]
product = "sku"
quantity = "qty"
"""
GOODS_IN = """kind = "receipt"
identity = ["note"]

[file]
format = "csv"

[head]
number = "note"
at = "at"
supply = "po"
complete = "last"

[[line]]
product = "sku"
location = "site"
quantity = "qty"
"""
NAMES = [
    (connection, kind, name, name)
    for connection in ("buying", "goods_in")
    for kind, name in (("product", "P1"), ("product", "P2"), ("location", "wh-east"))
]


def _furnish(folder: Path) -> None:
    file = folder / "tillbridge.toml"
    file.write_text(file.read_text(encoding="utf-8") + FEEDS, encoding="utf-8")
    (folder / "feeds" / "buying.toml").write_text(BUYING, encoding="utf-8")
    (folder / "feeds" / "goods_in.toml").write_text(GOODS_IN, encoding="utf-8")
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "stock.toml").write_text(RULES, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=_furnish) as found:
        found.names(NAMES)
        yield found


def bought(shop: House, rev: int, pieces: int, *, asked_by: str = "", done: str = "no") -> None:
    """The ERP tells purchase PO-7: so many of P2 for the warehouse, in a week."""
    due = (shop.hub.clock.now() + timedelta(days=7)).isoformat()
    head = "po,rev,vendor,site,due,done,asked_by,sku,qty\n"
    row = f"PO-7,{rev:04},Acme,wh-east,{due},{done},{asked_by},P2,{pieces}\n"
    shop.file("buying", (head + row).encode())


def came(shop: House, note: str, pieces: int, *, sku: str = "P2", last: str = "no") -> None:
    """The warehouse tells a delivery note."""
    head = "note,at,po,last,site,sku,qty\n"
    row = f"{note},2026-03-05T09:00:00-05:00,PO-7,{last},wh-east,{sku},{pieces}\n"
    shop.file("goods_in", (head + row).encode())


def look(shop: House, days: int = 0) -> str:
    """What the worker's schedule does every few minutes, so many days from now."""
    now = shop.hub.clock.now() + timedelta(days=days)
    said = chores(shop.hub)["supply"](shop.connection, now)
    shop.connection.commit()
    shop.flow()
    return said


def replenished(shop: House) -> str:
    said = chores(shop.hub)["replenishment"](shop.connection, shop.hub.clock.now())
    shop.connection.commit()
    shop.flow()
    return said


def standing(shop: House, number: str = "PO-7") -> dict[str, Any]:
    """What people see of a purchase."""
    found: dict[str, Any] = msgspec.json.decode(shop.verb("--json", "purchases", "show", number))
    return found


def figures(shop: House) -> tuple[str, int, int, int]:
    """Status, pieces ordered, received, still on order."""
    told = standing(shop)
    return (told["status"], *(told[name] // 1000 for name in ("expected", "received", "on_order")))


def agrees(shop: House) -> None:
    """No invariant is broken, and the log alone gives the same state."""
    assert not shop.drain().moving
    assert shop.lies() == []
    shop.connection.rollback()
    assert replay_log(shop.hub).same


def test_too_much_is_in_stock_and_a_case_until_it_was_ordered(shop: House) -> None:
    assert replenished(shop) == "1 proposals of 1 lines"
    ((number,),) = shop.rows("select number from proposal_state")
    shop.verb("stock", "accept", number)
    assert not shop.drain().moving
    assert shop.erp.store.counts() == {"purchase_proposal": 1}
    # the ERP has it, and nobody said yet what was bought: nothing is proposed twice
    assert replenished(shop) == "0 proposals of 0 lines"

    bought(shop, 1, 30, asked_by=number)
    assert figures(shop) == ("ordered", 30, 0, 30)
    assert "PO-7" in shop.verb("purchases", "list")
    assert "PO-7: 0 of 30" in shop.verb("stock", "proposals", "--all")
    assert replenished(shop) == "0 proposals of 0 lines"

    came(shop, "N-1", 12)
    assert figures(shop) == ("part-received", 30, 12, 18)
    assert shop.stock("P2") == (22, 0)
    came(shop, "N-2", 21)
    look(shop)
    # three more than ordered are within a tenth
    assert (figures(shop), shop.cases()) == (("received", 30, 33, 0), [])
    came(shop, "N-3", 4)
    look(shop)
    assert shop.stock("P2") == (47, 0)
    assert shop.cases() == ["purchase_over"]
    ((words,),) = shop.rows("select words from exception_case where state = 'open'")
    assert "P2 at wh-east 37 of 30 (+7)" in words
    look(shop)
    assert shop.cases() == ["purchase_over"]
    # the buyers keep them
    bought(shop, 2, 37)
    look(shop)
    assert shop.cases() == []
    agrees(shop)


def test_what_hardly_lacks_is_waited_for_no_longer(shop: House) -> None:
    bought(shop, 1, 20)
    came(shop, "N-1", 18)
    look(shop)
    assert figures(shop) == ("part-received", 20, 18, 2)
    came(shop, "N-2", 1)
    assert "1 purchases are as good as whole" in look(shop)
    assert figures(shop) == ("closed", 20, 19, 0)
    assert standing(shop)["reason"] == "within tolerance"
    assert shop.cases() == []
    # a changed order is waited for again
    bought(shop, 2, 24)
    assert figures(shop) == ("part-received", 24, 19, 5)
    agrees(shop)


def test_a_purchase_that_ends_short_is_a_case(shop: House) -> None:
    # the last delivery is told before the order it is of
    came(shop, "N-1", 12, last="yes")
    assert shop.stock("P2") == (22, 0)
    bought(shop, 1, 20)
    look(shop)
    assert figures(shop) == ("closed", 20, 12, 0)
    assert shop.cases() == ["purchase_short"]
    came(shop, "N-2", 8)
    look(shop)
    assert shop.cases() == []
    agrees(shop)


def test_what_is_late_is_a_case_until_a_person_waits_no_more(shop: House) -> None:
    bought(shop, 1, 20)
    look(shop, days=9)
    assert shop.cases() == []
    look(shop, days=11)
    assert shop.cases() == ["supply_late"]
    came(shop, "N-1", 5, sku="P1")
    look(shop, days=11)
    # other goods came too, which nobody ordered
    assert sorted(shop.cases()) == ["purchase_over", "supply_late"]
    assert shop.stock("P1") == (25, 0)
    shop.verb("purchases", "close", "PO-7", "--reason", "cancelled")
    shop.flow()
    look(shop, days=11)
    assert shop.cases() == ["purchase_over"]
    assert figures(shop) == ("closed", 20, 5, 0)
    agrees(shop)


def test_what_the_buyers_never_bought_is_told(shop: House) -> None:
    replenished(shop)
    ((number,),) = shop.rows("select number from proposal_state")
    shop.verb("stock", "accept", number)
    assert not shop.drain().moving
    look(shop, days=1)
    assert shop.cases() == []
    look(shop, days=3)
    assert shop.cases() == ["purchase_unordered"]
    shop.verb("purchases", "close", number, "--reason", "not-bought")
    shop.flow()
    look(shop, days=3)
    assert shop.cases() == []
    assert replenished(shop) == "1 proposals of 1 lines"
    agrees(shop)


def test_a_person_tells_a_purchase_and_what_came_of_it(shop: House) -> None:
    words = ("Acme", "wh-east", "--line", "P2=6", "--due", "2026-03-09", "--number", "PO-9")
    shop.verb("purchases", "order", *words)
    shop.flow()
    shop.verb("purchases", "receive", "PO-9", "wh-east", "--line", "P2=4", "--complete")
    shop.flow()
    assert shop.stock("P2") == (14, 0)
    told = standing(shop, "PO-9")
    assert (told["status"], told["received"], told["on_order"]) == ("closed", 4000, 0)
    look(shop)
    assert shop.cases() == ["purchase_short"]
    agrees(shop)
