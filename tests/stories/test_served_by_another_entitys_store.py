"""A web order served from the seller's warehouse and from a store of another entity, abroad: that
is owed the transfer price the two agreed on, in its own money, and nothing for what came back to
its shelf. The ERP has it of both, and the books of both agree with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment, tax
from tillbridge.app.ledger_ties import tie_month
from tillbridge.atoms.clock import FixedClock

KEY = "order/web/4711"
NAMES = (
    ("web", "location", "5503", "store-tor"),
    ("feed", "location", "store-tor", "store-tor"),
)
POLICIES = """[[policy]]
from = 2026-01-01
entity = "us"
transfer_price = { ca = "54.83" }
"""
LINES = (
    line(1, quantity=2, price="50.00", tax_lines=[tax("8.00", 0.08)]),
    line(2, quantity=2, price="30.01", tax_lines=[tax("4.80", 0.08)]),
)
EACH, BOTH = 1_645, 3_291  # 54.83 % of 30.01 and of 60.02: the second parcel takes the remainder


def furnish(folder: Path) -> None:
    file = folder / "tillbridge.toml"
    wanted = 'fulfil_from = ["wh-east", "store-tor"]\nsplit_most = 2\n'
    text = file.read_text()
    assert 'fulfil_from = ["wh-east"]\n' in text
    file.write_text(text.replace('fulfil_from = ["wh-east"]\n', wanted, 1))
    (folder / "rules" / "policies.toml").write_text(POLICIES)
    (folder / "rates.csv").write_text("from,to,day,rate\nUSD,CAD,2026-03-01,1.40\n")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    clock = FixedClock(datetime(2026, 3, 6, 12, tzinfo=UTC))
    place = tmp_path / "house"
    with house(place, database_url, clock=clock, furnish=furnish, payments="journals") as found:
        found.names(NAMES)
        counted = "P2,wh-east,0,2026-03-01T01:00:00Z\nP2,store-tor,3,2026-03-01T01:00:00Z\n"
        found.file("feed", f"product,location,quantity,counted\n{counted}".encode(), "tor.csv")
        yield found


def between(shop: House) -> dict[str, tuple[int, int]]:
    """What each of the two has of it: with the other one, and as cost or income."""
    us, ca = shop.balances("us"), shop.balances("ca")
    assert set(ca) <= {"due-from/us", "intercompany-sales"}
    return {
        "us": (us.get("due-to/ca", 0), us.get("intercompany-cost", 0)),
        "ca": (ca.get("due-from/us", 0), ca.get("intercompany-sales", 0)),
    }


def in_cad(amount: int) -> int:
    return (amount * 14 + 5) // 10


def back(number: int) -> dict[str, object]:
    one = {"id": 50 + number, "line_item_id": 2, "quantity": 1, "subtotal": "30.01"}
    one |= {"total_tax": "2.40", "restock_type": "return", "location_id": 5503}
    return refund(number, 4711, [{**one, "line_item": LINES[1]}], "32.41")


def test_it_is_owed_for_what_it_sent_and_not_for_what_came_back(shop: House) -> None:
    shop.web("orders/create", paid_order(4711, LINES, "172.82"))
    assert (shop.stock("P1"), shop.stock("P2", "store-tor")) == ((20, 2), (3, 2))
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
    assert between(shop) == {"us": (0, 0), "ca": (0, 0)}
    shop.web("fulfillments/create", shipment(2, 4711, {2: 1}, location_id=5503))
    assert between(shop)["us"] == (-EACH, EACH)
    shop.web("fulfillments/create", shipment(3, 4711, {2: 1}, location_id=5503))
    cad = in_cad(EACH) + in_cad(BOTH - EACH)
    assert between(shop) == {"us": (-BOTH, BOTH), "ca": (cad, -cad)}
    told = " ".join(shop.verb("policies", "show", "4711").split())
    assert "transfer_price ca 54.83 % rules/policies.toml:1" in told
    shop.web("refunds/create", back(3))
    assert between(shop)["us"] == (-EACH, EACH)
    shop.web("refunds/create", back(4))
    assert between(shop) == {"us": (0, 0), "ca": (0, 0)}
    assert shop.stock("P2", "store-tor") == (3, 0)
    assert shop.cases() == []
    assert shop.lies() == []


def test_both_entities_have_it_in_the_erp(shop: House) -> None:
    shop.web("orders/create", paid_order(4711, LINES, "172.82"))
    shop.web("fulfillments/create", shipment(2, 4711, {2: 2}, location_id=5503))
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
    assert between(shop)["us"] == (-BOTH, BOTH)
    assert not shop.drain(60.0).moving
    for entity in ("us", "ca"):
        found = tie_month(shop.hub, shop.connection, entity, "2026-03")
        shop.connection.rollback()
        assert found.agrees, found
    assert shop.erp_balances()["due-to/ca"] == -BOTH
    assert shop.erp_balances("CAD") == {
        "due-from/us": in_cad(BOTH),
        "intercompany-sales": -in_cad(BOTH),
    }
    assert shop.cases() == []
    assert shop.lies() == []
