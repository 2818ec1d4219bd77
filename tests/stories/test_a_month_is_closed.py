"""March of a store and a web shop: from a list of troubles to a month that proves itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.one_person import works_alone
from tests.stories.shop import House, house, line, paid_order, refund, shipment
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.app.ledger_ties import tie_month
from tillbridge.watch.evidence.proof import prove

CLOSE = ("--json", "close", "us", "2026-03")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def sale(number: int) -> str:
    return receipt(number, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")


def what_blocks(shop: House, code: int = 1) -> dict[str, str]:
    """Kind and owner of everything on the list."""
    rows = json.loads(shop.verb(*CLOSE, code=code))["blockers"]
    assert all(row["remedy"] and row["words"] for row in rows)
    return {row["kind"]: row["owner"] for row in rows}


def test_march_is_closed_by_an_empty_list(shop: House, tmp_path: Path) -> None:
    works_alone(shop.connection)
    # a month with its troubles: an unknown product, a refusal, a till number that never came
    shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
    shop.web("fulfillments/create", shipment(1, 1, {1: 1}))
    shop.web("orders/create", paid_order(2, [line(1, sku="SKU-9")], "10.00"))
    shop.drain()
    shop.fault("refuse", count=1)
    shop.web("orders/create", paid_order(3, [line(1)], "10.00"))
    shop.drain()
    shop.file("stores", poslog(sale(1), sale(3)))
    assert what_blocks(shop) == {
        "unposted": "ecommerce",
        "document": "integration",
        "journal": "finance",
        "till": "stores",
    }
    assert "still block it" in shop.verb("periods", "lock", "us", "2026-03", code=1)

    # each owner does what the list says
    shop.verb("xref", "set", "web", "product", "SKU-9", "P1")
    (refused,) = shop.rows(
        "select id from exception_case where state = 'open' and reason = 'document_refused'"
    )
    shop.verb("cases", "replay", str(refused[0]), "--yes")
    shop.file("stores", poslog(sale(2)))
    assert not shop.drain().moving
    assert what_blocks(shop, code=0) == {}
    tied = tie_month(shop.hub, shop.connection, "us", "2026-03")
    shop.connection.rollback()
    assert tied.agrees, tied

    # soft-closed: one late parcel is let in, another late fact goes to the next month
    shop.verb("periods", "soft-close", "us", "2026-03")
    shop.verb("periods", "admit", "us", "2026-03", "order/web/3", "--reason", "parcel told late")
    shop.web("fulfillments/create", shipment(2, 3, {1: 1}))
    shop.web("refunds/create", refund(4, 1, [], "5.00"))
    assert not shop.drain().moving
    posted = shop.rows(
        "select fact_type, min(posted_date)::text from entry"
        " where (fact_type, key) in"
        " (('SaleRecognised', 'order/web/3'), ('RefundPaid', 'order/web/1'))"
        " group by 1 order by 1"
    )
    assert posted == [("RefundPaid", "2026-04-01"), ("SaleRecognised", "2026-03-03")]

    # locked, and the file of it proves itself to somebody who has no hub
    shop.verb("periods", "lock", "us", "2026-03", "--reason", "March is done")
    file = tmp_path / "us-2026-03.jsonl"
    shop.verb("audit", "export", "us", "2026-03", str(file))
    with file.open("rb") as lines:
        proof = prove(lines)
    assert (proof.problems, proof.facts_gone) == ([], 0)
    assert b'"state":"locked"' in file.read_bytes().splitlines()[0]
    margin = shop.verb("ledger", "margin", "--since", "2026-03-01", "--through", "2026-03-31")
    assert "web" in margin
    assert "store-nyc" in margin or "stores" in margin
    assert shop.lies() == []
