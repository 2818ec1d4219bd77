"""One of three pieces was sent as something else, and that one comes back: to the warehouse by a
returns service, or to a till. Stock, credit note and count are of what was sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.click_and_collect import bag, furnish, names, ordered, rows
from tests.stories.returning import MAPPING as RETURNS
from tests.stories.returning import brought_back
from tests.stories.shop import House, house
from tests.stories.till_files import poslog

KEY = "order/app/S-1"
TERMS = '\n[[policy]]\nchannel = "web"\nsubstitution = "as_told"\n'
CONNECTION = """
[connection.rma]
connector = "feed"
entity = "us"
channel = "web"
timezone = "America/New_York"
settings = { mapping = "feeds/returns.toml" }
"""


def furnished(folder: Path) -> None:
    furnish(folder, TERMS)
    mapping = RETURNS.replace('{ constant = "web" }', '{ constant = "app" }')
    (folder / "feeds" / "returns.toml").write_text(f'{mapping}product = "sku"\n')
    with (folder / "tillbridge.toml").open("a", encoding="utf-8") as settings:
        settings.write(CONNECTION)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=furnished) as found:
        names(found)
        found.names([("rma", "location", "wh-east", "wh-east"), ("rma", "product", "P2", "P2")])
        ordered(found, "S-1", [("1", "P1", 3, "60.00")], collect="")
        swap = {"no": "W1", "order": "S-1", "store": "wh-east", "line": "1", "instead": "P2"}
        rows(found, "swaps", {**swap, "pieces": "1", "price": "20.00",
                              "at": "2026-03-02T15:00:00-05:00"})  # fmt: skip
        parcel = [("1", "2", ""), ("1", "1", "P2")]
        at = "2026-03-03T09:00:00-05:00"
        bag(found, "B1", "S-1", "shipped", at, *parcel, place="wh-east")
        assert (found.stock("P1"), found.stock("P2")) == ((18, 0), (9, 0))
        assert found.cases() == []
        yield found


def returned(shop: House) -> dict[str, int]:
    """What the order counts as returned, by line."""
    ((found,),) = shop.rows(
        "select convert_from(body, 'UTF8')::json -> 'returned' from order_state where key = %s", KEY
    )
    return dict(found)


def test_to_the_warehouse(shop: House) -> None:
    head = "rma,state,order,at,store,line,quantity,fate,sku\n"
    row = "R-1,received,S-1,2026-03-05T10:00:00-05:00,wh-east,1,1,restock,P2\n"
    shop.file("rma", (head + row).encode())
    assert (shop.stock("P1"), shop.stock("P2")) == ((18, 0), (10, 0))
    assert returned(shop) == {"1": 1000}
    assert shop.cases() == []
    assert not shop.drain(60.0).moving
    papers = shop.rows("select kind, total, state from document where key = %s order by op", KEY)
    assert papers == [("invoice", 6000, "accepted"), ("sales_order", 6000, "accepted")]
    assert shop.lies() == []


def test_to_a_till_that_rings_it_by_its_own_name(shop: House) -> None:
    back = brought_back(7, "12", "A2", "20.00", "0.00", "20.00", KEY)
    shop.file("stores", poslog(back))
    assert returned(shop) == {"1": 1000}
    assert shop.cases() == []
    assert (shop.stock("P2"), shop.stock("P2", "store-nyc")) == ((9, 0), (6, 0))
    assert shop.balances() == {
        "clearing/card": 6000,
        "till/store-nyc/cash": -2000,
        "sales/unassigned": -6000 + 2000,
    }
    assert not shop.drain(60.0).moving
    assert shop.lies() == []
