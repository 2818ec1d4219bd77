"""A person is found, exported and erased: no canary anywhere, and everything still adds up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import Connection, sql

from tests.stories.shop import CANARIES, House, house, line, paid_order, refund, shipment
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import party_id
from tillbridge.durable import audit
from tillbridge.triage import cases, people

PARTY = party_id("web", "77")
TODAY = date(2026, 3, 4)
REDACT = {
    "shop_id": 9,
    "shop_domain": "birds.example",
    "customer": {"id": 77, "email": "canaria@birds.example", "phone": "+15185550142"},
    "orders_to_redact": [4711],
}


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def canaries(connection: Connection) -> list[str]:
    """Tables and columns in which a word of the person stands, whatever its type."""
    columns = connection.execute(
        "select c.relname, a.attname, format_type(a.atttypid, null) from pg_attribute a"
        " join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'public' and c.relkind in ('r', 'p') and a.attnum > 0"
        " and not a.attisdropped and not c.relispartition"
    ).fetchall()
    found = []
    for table, column, kind in columns:
        if kind not in ("text", "bytea", "jsonb", "json", "text[]"):
            continue
        for word in CANARIES:
            value = sql.Identifier(column)
            text = (
                sql.SQL("position({}::bytea in {}) > 0").format(word.encode(), value)
                if kind == "bytea"
                else sql.SQL("{}::text ilike {}").format(value, f"%{word}%")
            )
            query = sql.SQL("select exists (select from {} where {})")
            row = connection.execute(query.format(sql.Identifier(table), text)).fetchone()
            if row and row[0]:
                found.append(f"{table}.{column}: {word}")
    connection.rollback()
    return sorted(found)


def buys(shop: House) -> None:
    """An order, its shipment, a refund, a change of address told apart, and a closed case."""
    shop.web("orders/create", paid_order(4711, [line(1, quantity=2)], "20.00"))
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
    back = [{"id": 9, "line_item_id": 1, "quantity": 1, "subtotal": "10.00", "total_tax": "0.00"}]
    shop.web("refunds/create", refund(5, 4711, back, "10.00", note="Canaria Featherstone rang"))
    shop.web("customers/update", {"id": 77, "email": "canaria@birds.example"})
    shop.web("orders/create", paid_order(4712, [line(1, sku="SKU-9")], "10.00"))
    for one in cases.list_cases(shop.connection):
        cases.resolve(shop.connection, one.id, "ann", "Canaria Featherstone wants it no more")
        shop.connection.commit()
    assert not shop.drain().moving


def erase(shop: House, party: str = PARTY, **options: Any) -> people.Erased:
    done = people.erase(shop.connection, party, "asked by mail", "ann", TODAY, **options)
    shop.connection.commit()
    return done


def test_after_erasing_no_word_of_the_person_is_in_any_table(shop: House) -> None:
    buys(shop)
    assert {found.partition(".")[0] for found in canaries(shop.connection)} == {
        "exception_case",
        "message",
        "party",
    }
    before = shop.rows("select key, body from order_state order by key")
    done = erase(shop)
    assert (done.waits_for, done.messages >= 5, done.kept["entries"] >= 2) == ("", True, True)
    assert canaries(shop.connection) == []
    assert shop.lies() == []
    assert audit.verify(shop.connection).problems == []
    assert shop.rows("select key, body from order_state order by key") == before
    (one,) = people.erasures(shop.connection)
    assert (one.state, one.kept["documents"] >= 2) == ("done", True)


@pytest.mark.parametrize(
    "named", [{"name": "true null"}, {"postcode": "1234"}, {"name": "amount"}, {"name": 'Al "Cat"'}]
)
def test_a_name_that_is_a_word_or_number_of_json_is_erased_from_an_open_case(
    shop: House, named: dict[str, str]
) -> None:
    shop.web("orders/create", paid_order(4711, [line(1, sku="SKU-9")], "10.00"))
    details = {"party": PARTY, "country": "", **named}
    who = next(iter(named.values()))
    told = {
        "party": PARTY,
        "amount": 123456,
        "paid": True,
        "who": who,
        "of": [None, "x"],
    }
    shop.connection.execute(
        "insert into party (party, connection, details) values (%s, 'web', %s)",
        (PARTY, msgspec.json.encode(details)),
    )
    shop.connection.execute(
        "update exception_case set details = %s", (msgspec.json.encode(told).decode(),)
    )
    erase(shop, now=True)
    ((after,),) = shop.rows("select details from exception_case where state = 'open'")
    assert {**after, "who": ""} == {**told, "who": ""}
    assert people.ERASED in after["who"]
    assert not any(word in after["who"] for word in who.split() if len(word) >= 4)


def test_what_is_told_again_does_not_fill_the_vault(shop: House) -> None:
    buys(shop)
    erase(shop)
    again = paid_order(4711, [line(1, quantity=2)], "20.00", updated_at="2026-03-09T09:00:00-05:00")
    shop.web("orders/updated", again)
    assert shop.rows("select details from party where party = %s", PARTY) == [(None,)]
    assert {found.partition(".")[0] for found in canaries(shop.connection)} == {"message"}
    erase(shop)
    assert canaries(shop.connection) == []
    assert shop.lies(quiesced=False) == []


def test_it_waits_for_what_is_under_way_and_is_then_carried_out(shop: House) -> None:
    shop.web("orders/create", paid_order(4711, [line(1, quantity=2)], "20.00"))
    done = erase(shop)
    assert done.waits_for == "under way: 0 records, 0 parked, 1 documents owed"
    assert canaries(shop.connection) != []
    assert people.erase_waiting(shop.connection, TODAY) == "erased 0 of 1 persons waiting"
    shop.drain()
    assert people.erase_waiting(shop.connection, TODAY) == "erased 1 of 1 persons waiting"
    shop.connection.commit()
    assert canaries(shop.connection) == []
    assert people.erase_waiting(shop.connection, TODAY) == "erased 0 of 0 persons waiting"


def test_without_waiting_a_parked_telling_is_lost_and_says_so(shop: House) -> None:
    shop.web("orders/create", paid_order(4712, [line(1, sku="SKU-9")], "10.00"))
    (case,) = cases.list_cases(shop.connection)
    customer = {"id": 77, "email": "canaria@birds.example", "first_name": "Canaria"}
    shop.web("orders/create", paid_order(4711, [line(1)], "10.00", customer=customer))
    shop.drain()
    assert "under way" in erase(shop).waits_for or case.parked == 1
    erase(shop, now=True)
    assert [c for c in canaries(shop.connection) if not c.startswith("message")] == []


def test_a_legal_hold_wins_until_it_is_over(shop: House) -> None:
    buys(shop)
    with pytest.raises(Refused, match="which law"):
        people.hold(shop.connection, PARTY, TODAY, "", "ann")
    with pytest.raises(Refused, match="nobody is known as"):
        people.hold(shop.connection, f"{PARTY}x", TODAY, "dispute 81", "ann")
    people.hold(shop.connection, PARTY, TODAY, "dispute 81", "ann")
    shop.connection.commit()
    assert erase(shop, now=True).waits_for == "held until 2026-03-04: dispute 81"
    assert canaries(shop.connection) != []
    later = TODAY + timedelta(days=1)
    assert people.erase_waiting(shop.connection, later) == "erased 1 of 1 persons waiting"
    people.release(shop.connection, PARTY, "over", "ann")
    with pytest.raises(Refused, match="is not held"):
        people.release(shop.connection, PARTY, "over", "ann")


@pytest.mark.parametrize(
    "word",
    [PARTY, "4711", "#4711", "order/web/4711", "Canaria@Birds.example", "+1 518 555-0142"],
)
def test_a_person_is_found_by_what_people_ask_with(shop: House, word: str) -> None:
    buys(shop)
    assert people.find(shop.connection, word) == [(PARTY, "web")]
    assert people.find(shop.connection, f"{word}0") == []


def test_an_export_holds_what_is_known_and_is_recorded(shop: House) -> None:
    buys(shop)
    found = people.export(shop.connection, PARTY, "ann")
    assert found["details"].email == "canaria@birds.example"
    assert [order["number"] for order in found["orders"]] == ["#4711"]
    assert "Featherstone" in "".join(one["body"] for one in found["messages"])
    assert audit.acts(shop.connection)[-1].action == "people.export"
    with pytest.raises(Refused, match="nobody is known as"):
        people.export(shop.connection, "p-0", "ann")
    with pytest.raises(Refused, match="say why"):
        people.erase(shop.connection, PARTY, "", "ann", TODAY)


def test_the_shops_own_requests_are_cases_with_the_command_that_answers(shop: House) -> None:
    buys(shop)
    shop.web("customers/data_request", {**REDACT, "orders_requested": [4711]})
    shop.web("customers/redact", REDACT)
    shop.web("shop/redact", {"shop_id": 9, "shop_domain": "birds.example"})
    found = cases.list_cases(shop.connection, reason="privacy_request")
    assert [case.remedy.split()[2] for case in found] == ["export", "erase", "erase"]
    assert PARTY in found[0].words
    assert not any(word in str(found) for word in CANARIES)
    for case in found:
        assert timedelta(days=29) < case.due_at - datetime.now(UTC) <= timedelta(days=30)
    assert people.requests(shop.connection, PARTY) == [found[0].id, found[1].id]
    assert erase(shop).waits_for == ""
    assert canaries(shop.connection) == []
    for number in people.requests(shop.connection, PARTY):
        cases.resolve(shop.connection, number, "ann", "carried out")
        shop.connection.commit()
    assert people.parties_of(shop.connection, "web") == []
