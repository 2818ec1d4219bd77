"""The preview of a replay shows what then happens, writes nothing, holds no more than a batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, shipment, tax
from tests.triage.test_plans import name_quietly
from tillbridge.app.replay.preview import Preview, preview
from tillbridge.app.replay.preview_page import page, plain
from tillbridge.app.replay.state import digests
from tillbridge.atoms.errors import Refused
from tillbridge.durable.session import connect
from tillbridge.triage import plans


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def seen(shop: House, most: int = 500) -> Preview:
    cases = plans.match(shop.connection, plans.Wanted())
    shop.connection.rollback()
    return preview(shop.hub, cases, most)


def told(shop: House) -> dict[str, int]:
    rows = shop.rows("select type, count(*) from record where cause is not null group by type")
    return {str(name): int(count) for name, count in rows}


def two_orders(shop: House) -> None:
    taxed = line(1, sku="SKU-9", quantity=2, price="10.00", tax_lines=[tax("1.60", 0.08)])
    shop.web("orders/create", paid_order(6001, [taxed], "21.60"))
    shop.web("fulfillments/create", shipment(1, 6001, {1: 2}))
    shop.web("orders/create", paid_order(6002, [line(1, sku="SKU-9")], "10.00"))


def test_a_preview_tells_what_then_happens_and_writes_nothing(shop: House) -> None:
    two_orders(shop)
    name_quietly(shop)
    before = digests(shop.connection), shop.rows("select count(*) from record")
    found = seen(shop)
    assert (found.matched, found.parked, found.previewed, found.whole) == (2, 3, 3, True)
    assert before == (digests(shop.connection), shop.rows("select count(*) from record"))
    shop.connection.rollback()
    earlier = told(shop)
    plans.make(shop.connection, plans.Wanted(), [1, 2], "pat")
    shop.connection.commit()
    shop.drain()
    followed = {name: n - earlier.get(name, 0) for name, n in told(shop).items()}
    assert dict(found.total.emitted) == {name: n for name, n in followed.items() if n}
    sums = {account: amount for (_, account, _), amount in found.total.sums.items() if amount}
    assert sums == shop.balances()
    assert dict(found.total.documents) == {("sales_order", "erp"): 2, ("invoice", "erp"): 1}
    assert found.total.totals[("invoice", "erp")] == 2160
    assert dict(found.total.moved) == {("wh-east", "P1"): -2000}
    assert (found.total.goes, found.total.behind, dict(found.total.stays)) == (3, 0, {})
    assert found.cases[1].entries == 2
    assert found.cases[2].entries == 1


def test_what_would_still_be_parked_says_why(shop: House) -> None:
    two_orders(shop)
    found = seen(shop)
    assert (found.total.goes, found.total.behind) == (0, 1)
    assert len(found.total.stays) == 2
    assert "stays: 2 mapping_missing: orders/create" in page(found)
    assert "1 wait behind one that would not" in page(found)
    assert shop.rows("select count(*) from parked") == [(3,)]


def test_cases_that_want_the_same_stock_are_seen_together(shop: House) -> None:
    for number in range(3):
        body = paid_order(6000 + number, [line(1, sku="SKU-9", quantity=9)], "90.00")
        shop.web("orders/create", body)
    name_quietly(shop)
    found = seen(shop)
    assert found.total.emitted["StockReserved"] == 2
    assert found.total.emitted["StockShort"] == 1
    assert found.total.reserved == {("wh-east", "P1"): 18_000}


def test_beyond_its_bound_a_preview_counts_and_says_so(shop: House) -> None:
    for number in range(4):
        shop.web("orders/create", paid_order(6000 + number, [line(1, sku="SKU-9")], "10.00"))
    name_quietly(shop)
    found = seen(shop, 3)
    assert (found.previewed, found.parked, found.total.goes) == (3, 4, 3)
    words = page(found)
    assert "previewed are the first 3 of 4 parked records" in words
    assert "about 1.3 times as much" in words
    assert plain(found)["whole"] is False


def test_a_record_that_the_database_refuses_does_not_hide_the_others(shop: House) -> None:
    two_orders(shop)
    name_quietly(shop)
    shop.connection.execute("alter table document add check (key <> 'order/web/6002')")
    shop.connection.commit()
    found = seen(shop)
    assert found.cases[1].goes == 2
    assert found.cases[2].goes == 0
    assert any("the database refused the write" in words for _, words in found.cases[2].stays)


def test_a_refused_document_is_told_as_sent_again(shop: House) -> None:
    shop.fault("refuse", count=1)
    shop.web("orders/create", paid_order(4713, [line(1)], "10.00"))
    shop.drain()
    found = seen(shop)
    assert dict(found.total.documents) == {("sales_order sent again", "erp"): 1}
    assert "looked up over there and sent again" in page(found)


def test_a_preview_gives_way_to_live_traffic(shop: House) -> None:
    two_orders(shop)
    name_quietly(shop)
    with connect(shop.hub.url) as other:
        other.execute("select from stock for update")
        with pytest.raises(Refused, match="try again in a moment"):
            seen(shop)
