"""Translating: what has no name waits, personal data goes to the vault and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.one_person import works_alone
from tests.stories.shop import CANARIES, House, house, line, paid_order, refund, shipment, tax
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.mapping.names import NameRow, set_names

GAPS = paid_order(
    5,
    [line(1, sku="SKU-8", tax_lines=[tax("1.00", 0.1, "Moon Tax")]), line(2, sku="SKU-8")],
    "21.00",
    payment_gateway_names=["barter's"],
)
# where raw deliveries and the vault stand: the only places that may know a person
PERSONAL = {"message", "party"}


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def test_one_case_lists_every_missing_name_once_with_the_commands(shop: House) -> None:
    shop.web("orders/create", GAPS)
    ((words, owner, remedy, details),) = shop.rows(
        "select words, owner, remedy, details from exception_case"
    )
    gaps = {(gap["table"], gap["theirs"]) for gap in details["missing"]}
    assert gaps == {("product", "SKU-8"), ("tax", "Moon Tax"), ("tender", "barter's")}
    assert len(details["missing"]) == 3
    assert "(and 2 more)" in words
    assert "line" in words
    first, second, third = remedy.split(" && ")
    assert {first, second, third} == {
        "tillbridge xref set web product SKU-8 OUR-NAME",
        "tillbridge xref set web tax 'Moon Tax' OUR-NAME",
        """tillbridge xref set web tender 'barter'"'"'s' OUR-NAME""",
    }
    assert owner in ("finance", "ecommerce")
    assert shop.rows("select count(*) from order_state") == [(0,)]


def test_names_given_one_by_one_let_the_key_go_on_in_order_when_the_last_is_there(
    shop: House,
) -> None:
    shop.web("orders/create", GAPS)
    newer = {**GAPS, "updated_at": "2026-03-02T23:00:00-05:00"}
    shop.web("orders/updated", newer)
    shop.web("fulfillments/create", shipment(1, 5, {1: 1, 2: 1}))
    gaps = (("product", "SKU-8", "P1"), ("tax", "Moon Tax", "moon"), ("tender", "barter's", "swap"))
    for table, theirs, ours in gaps:
        assert shop.rows("select count(*) from parked") == [(3,)]
        assert shop.cases() == ["mapping_missing"]
        shop.names([("web", table, theirs, ours)])
        shop.flow()
    assert shop.cases() == []
    assert shop.rows("select count(*) from parked") == [(0,)]
    told = shop.rows(
        "select type from record where key = 'order/web/5' and type in"
        " ('OrderPlaced', 'OrderChanged', 'GoodsShipped') order by id"
    )
    assert [kind for (kind,) in told] == ["OrderPlaced", "OrderChanged", "GoodsShipped"]
    assert shop.balances() == {
        "clearing/swap": 2100,
        "sales/unassigned": -2000,
        "sales-tax/moon": -100,
    }


def test_a_name_of_another_connection_wakes_nobody(shop: House) -> None:
    shop.web("orders/create", GAPS)
    shop.names([("stores", "product", "SKU-8", "P1")])
    assert shop.rows("select ready from parked_key") == [(False,)]


def test_a_body_that_does_not_parse_is_a_case_and_mends_nothing_else(shop: House) -> None:
    shop.web("orders/create", {"id": 6, "name": 7})
    shop.web("orders/create", paid_order(7, [line(1)], "10.00"))
    assert len(shop.cases()) == 1
    assert shop.rows("select key from order_state") == [("order/web/7",)]
    assert shop.rows("select key from parked_key") == [("order/web/6",)]


def test_every_fact_of_a_connection_names_the_version_of_its_mapping(shop: House) -> None:
    shop.web("orders/create", paid_order(7, [line(1)], "10.00"))
    versions = shop.rows(
        "select distinct convert_from(body, 'UTF8')::json ->> 'mapping' from record"
        " where type in ('OrderPlaced', 'StockCounted') order by 1"
    )
    assert [v.split("/")[0] for (v,) in versions] == ["feed", "shopify"]


def test_personal_data_stand_in_the_vault_and_in_no_other_table(shop: House) -> None:
    shop.fault("refuse", count=1)
    shop.web("orders/create", paid_order(7, [line(1)], "10.00"))
    shop.web("fulfillments/create", shipment(1, 7, {1: 1}))
    back = {"id": 5, "line_item_id": 1, "quantity": 1, "subtotal": "10.00", "total_tax": "0"}
    back |= {"restock_type": "return", "location_id": 5501, "line_item": line(1)}
    shop.web("refunds/create", refund(3, 7, [back], "10.00"))
    shop.web("orders/create", {**GAPS, "email": "canaria@birds.example"})
    shop.web("orders/create", {**paid_order(8, [line(1)], "10.00"), "total_price": "10.99"})
    shop.drain()
    assert len(shop.cases()) == 3  # refused, unnamed, contradicting itself: their words count too
    tables = shop.rows(
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition"
    )
    seen: dict[str, set[str]] = {}
    for (table,) in tables:
        for (row,) in shop.rows(f"select row_to_json(t)::text from {table} t"):
            # bytea columns are shown in hexadecimal
            told = row.lower()
            found = {w for w in CANARIES if w.lower() in told or w.encode().hex() in told}
            seen.setdefault(table, set()).update(found)
    leaks = {table: words for table, words in seen.items() if words and table not in PERSONAL}
    assert leaks == {}
    assert seen["message"] == set(CANARIES)
    (details,) = {bytes(row[0]) for row in shop.rows("select details from party")}
    person = msgspec.json.decode(details, type=PartyDetails)
    assert (person.city, person.country) == ("Albany", "US")
    assert all(word in details.decode() for word in ("Canaria", "Yellowbird"))


def test_a_person_once_erased_stays_erased(shop: House) -> None:
    shop.web("orders/create", paid_order(7, [line(1)], "10.00"))
    shop.connection.execute("update party set details = null, erased_at = now()")
    shop.connection.commit()
    shop.web("orders/create", paid_order(8, [line(1)], "10.00"))
    assert shop.rows("select distinct details from party") == [(None,)]
    assert not shop.drain().moving
    assert shop.erp.store.counts() == {"sales_order": 2}


def test_names_that_mean_nothing_are_refused(shop: House) -> None:
    with pytest.raises(Refused, match="'colour' is no cross-reference table"):
        set_names(shop.connection, [NameRow("web", "colour", "a", "b")])
    with pytest.raises(Refused, match="needs a name of ours"):
        set_names(shop.connection, [NameRow("web", "product", "a", "")])
    assert set_names(shop.connection, [NameRow("web", "product", "SKU-1", "P1")]) == 0
    works_alone(shop.connection)
    assert set_names(shop.connection, [NameRow("web", "product", "SKU-1", "P9")]) == 1
