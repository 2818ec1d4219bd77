"""Every invariant can be broken, and then it and nothing else says so."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.stories.shop import House, house, line, paid_order, shipment
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.durable.session import connect
from tillbridge.watch.verify import QUERIES, verify

_numbers = itertools.count(1)

# invariant -> what a defect would have to do to the tables
LIES = {
    "every_delivery_has_its_body": """
        update delivery set message = 999999 where message = (select max(message) from delivery)""",
    "every_body_is_as_it_came": "update message set body = body || ' ' where id = 2",
    "every_message_is_in_the_log_once": """
        delete from record where type = 'Received' and key = 'order/web/1'""",
    "no_cursor_is_ahead_of_the_log": "update cursor set pos = 999999 where lane = 1",
    "every_entry_balances": """
        update entry_line set amount = amount + 1
        where n = 1 and entry = (select entry from entry_line order by entry limit 1)""",
    "no_entry_line_without_entry": """
        insert into entry_line (entry, n, account, amount, txn_amount, txn_currency)
        values (gen_random_uuid(), 1, 'sales/x', 0, 0, 'USD')""",
    "one_entry_per_fact_and_entity": """
        alter table entry drop constraint entry_fact_entity_key;
        create temp table twin as select * from entry where gl = 'documents' limit 1;
        insert into entry_line
        select '00000000-0000-0000-0000-000000000001', l.n, l.account, l.amount, l.txn_amount,
          l.txn_currency, l.item from entry_line l join twin on twin.id = l.entry;
        update twin set id = '00000000-0000-0000-0000-000000000001';
        insert into entry select * from twin""",
    "on_hand_is_the_sum_of_movements": """
        update stock set on_hand = on_hand + 1 where location = 'wh-east' and product = 'P1'""",
    "no_movement_without_a_stock_row": """
        delete from stock where location = 'store-nyc' and product = 'P2'""",
    "reserved_is_the_sum_of_reservations": """
        update stock set reserved = reserved + 1 where location = 'wh-east' and product = 'P1'""",
    "nothing_promised_beyond_stock_unnoticed": """
        update reservation set quantity = 500000 where product = 'P2';
        update stock set reserved = 500000 where product = 'P2' and location = 'wh-east'""",
    "no_reservation_without_its_answer": "delete from hold where key = 'order/web/2'",
    "outbound_counts_match_jobs": "update outkey set n = n + 1",
    "owed_documents_have_a_job": """
        update document set state = 'owed', remote_id = null where op = 'order/web/1/invoice/1'""",
    "answered_documents_have_no_job": """
        update document set state = 'dropped' where state = 'refused'""",
    "accepted_documents_have_a_remote_id": """
        update document set remote_id = '' where op = 'order/web/1/invoice/1'""",
    "one_remote_document_per_operation": """
        insert into document (dest, op, key, kind, state, remote_id, day)
        select dest, op || '/twin', key, kind, state, remote_id, day from document
        where op = 'order/web/1/invoice/1'""",
    "ledger_moves_agree_with_documents": """
        update document set move_total = total + 1 where op = 'order/web/1/invoice/1'""",
    "parked_keys_have_records_and_an_open_case": """
        update exception_case set state = 'resolved' where reason = 'mapping_missing'""",
    "journal_entries_reach_the_erp_once": "delete from journal_summary",
    "no_journal_for_what_the_erp_books_itself": """
        insert into journal_summary (op, entry)
        select 'journal/x/1', id::text from entry where gl = 'documents' limit 1""",
    "refunded_never_exceeds_captured": """
        update order_state set body = convert_to(jsonb_set(convert_from(body, 'UTF8')::jsonb,
          '{refunded}', '{"shop-pay": 99999}')::text, 'UTF8') where key = 'order/web/1'""",
    "till_sales_are_booked_or_parked": """
        insert into sale_state (key, type, fact_hash, source, total)
        values ('sale/stores/12/4/2026-03-02/99', 'SaleRung', 'x', 'stores', 100)""",
    "order_revision_never_negative": """
        update order_state set revision = 0 where key = 'order/web/1'""",
    "the_audit_is_one_chain": """
        insert into audit values (7, now(), 'eve', 'names.set', 'web', '', '', '', '', '')""",
    "every_record_is_in_its_lane": """
        update record set lane = 63 - lane
        where id = (select max(id) from record where fused)""",
    "nothing_is_pending": """
        update record set fused = false
        where id = (select max(r.id) from record r join cursor c using (lane)
                    where r.fused and r.id > c.pos)""",
}


@pytest.fixture(scope="module")
def trade(
    server_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Name of a database after some trade: shipped, reserved, parked, refused, sold at a till."""
    name = f"tillbridge_trade_{os.getpid()}"
    url = create_database(server_url, name, template=template_database)
    folder: Path = tmp_path_factory.mktemp("watch") / "house"
    with house(folder, url) as shop:
        _trade(shop)
        assert shop.lies() == []
    yield name
    drop_database(server_url, name)


def _trade(shop: House) -> None:
    shop.web("orders/create", paid_order(1, [line(1, quantity=2)], "20.00"))
    shop.web("fulfillments/create", shipment(1, 1, {1: 2}))
    sold = [goods("A2", "10.00", "0.80"), tender("10.80")]
    shop.file("stores", poslog(receipt(1, sold, "10.80", "0.80")), "day.xml")
    shop.drain()
    shop.fault("refuse", count=1)
    shop.web("orders/create", paid_order(2, [line(1), line(2)], "20.00"))
    shop.web("orders/create", paid_order(3, [line(1, sku="SKU-9")], "10.00"))
    shop.drain()
    assert sorted(shop.cases()) == ["document_refused", "mapping_missing"]


@pytest.fixture
def tables(server_url: str, trade: str) -> Iterator[psycopg.Connection]:
    """A copy of that database whose triggers and keys look away."""
    name = f"tillbridge_lie_{os.getpid()}_{next(_numbers)}"
    with connect(create_database(server_url, name, template=trade)) as connection:
        connection.execute("set session_replication_role = replica")
        connection.commit()
        yield connection
    drop_database(server_url, name)


def test_there_is_a_lie_for_every_invariant() -> None:
    computed = {"every_record_is_in_its_lane", "nothing_is_pending"}
    assert set(LIES) == {name for name, _ in QUERIES.items()} | computed


@pytest.mark.parametrize("invariant", LIES)
def test_a_lie_breaks_its_invariant_and_no_other(
    tables: psycopg.Connection, invariant: str
) -> None:
    changed = 0
    for statement in LIES[invariant].split(";"):
        changed = tables.execute(statement.encode()).rowcount
    assert changed != 0, "the tables were not changed at all"
    tables.commit()
    verdict = verify(tables, quiesced=True)
    broken = {one.name.replace(" ", "_"): one for one in verdict.invariants if one.lies}
    assert list(broken) == [invariant]
    assert not verdict.ok
    assert verdict.broken == 1
    assert broken[invariant].rows


def test_what_is_true_only_at_rest_is_asked_only_at_rest(tables: psycopg.Connection) -> None:
    assert verify(tables).ok
    tables.execute("delete from journal_summary")
    tables.commit()
    assert verify(tables).ok
    assert not verify(tables, quiesced=True).ok
    assert tables.read_only is None
