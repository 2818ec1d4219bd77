"""The story, the status and the metrics of a little trade."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.stories.shop import CANARIES, House, house, line, paid_order, shipment, tax
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.atoms.errors import Refused
from tillbridge.watch.metrics import collect
from tillbridge.watch.status import status
from tillbridge.watch.story import find, page, tell

ORDER_STORY = """\
order #4711 · shipped · 21.60 USD
=================================
key order/web/4711

what happened
  TIME      ID  Received orders/create from web
  TIME      ID  OrderPlaced version 2026-03-03T03:15:02Z: 1 lines, 21.60 USD
  TIME      ID  DepositReceived 21.60 USD
  TIME      ID  SubmitDocument sales_order to us
  TIME      ID  ReserveStock P1 x 2
  TIME      ID  StockReserved location wh-east, P1 x 2 at wh-east
  TIME      ID  Received fulfillments/create from web
  TIME      ID  GoodsShipped shipment 1, location wh-east, line 1 x 2, state shipped
  TIME      ID  SaleRecognised 21.60 USD
  TIME      ID  SubmitDocument invoice to us
  TIME      ID  ReserveStock
  TIME      ID  MoveStock kind sale, P1 x -2 at wh-east
  TIME      ID  StockReserved
  TIME      ID  DocumentAccepted sales_order SO-000001
  TIME      ID  DocumentAccepted invoice INV-000001

stock
  sale    P1 x -2 at wh-east

money book
  2026-03-02  us  order/web/4711/deposit/1  (rule R)
      clearing/shop-pay                                 21.60 USD
      customer-deposits                                -21.60 USD
  2026-03-03  us  order/web/4711/recognise/1  (rule R)
      customer-deposits                                 21.60 USD
      sales/unassigned                                 -20.00 USD
      sales-tax/us-ny                                   -1.60 USD

documents
  erp      invoice      accepted  INV-000001, ledger move M
  erp      sales_order  accepted  SO-000001"""

SALE_STORY = """\
SaleRung store-nyc till 4 no. 1 of 2026-03-02 · 10.80 USD
=========================================================
key sale/stores/12/4/2026-03-02/1

what happened
  TIME      ID  Received poslog/transaction from stores
  TIME      ID  SaleRung location store-nyc, till 4, sequence 1, 10.80 USD, P2 x 1, cash 10.80 USD

stock
  sale    P2 x -1 at store-nyc

money book
  2026-03-02  us  sale/stores/12/4/2026-03-02/1  (rule R)
      sales/unassigned                                 -10.00 USD
      sales-tax/us-ny                                   -0.80 USD
      till/store-nyc/cash                               10.80 USD

documents
  erp      journal      accepted  JRN-000001, ledger move M"""


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def _order(shop: House) -> None:
    taxed = line(1, quantity=2, tax_lines=[tax("1.60", 0.08)])
    shop.web("orders/create", paid_order(4711, [taxed], "21.60"))
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))


def _sale(shop: House) -> None:
    sold = [goods("A2", "10.00", "0.80"), tender("10.80")]
    shop.file("stores", poslog(receipt(1, sold, "10.80", "0.80")), "day.xml")


def _masked(text: str) -> str:
    text = re.sub(r"  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  +\d+  ", "  TIME      ID  ", text)
    text = re.sub(r"\(rule .*\)", "(rule R)", text)
    return re.sub(r"ledger move \S+", "ledger move M", text)


def test_the_story_of_an_order_is_told_whole(shop: House) -> None:
    _order(shop)
    shop.drain()
    assert {find(shop.connection, text) for text in ("#4711", "4711", "order/web/4711")} == {
        "order/web/4711"
    }
    told = page(tell(shop.connection, "order/web/4711"))
    assert _masked(told) == ORDER_STORY
    assert not any(word in told for word in CANARIES)


def test_the_story_of_a_sale_leads_to_the_journal_that_took_it(shop: House) -> None:
    _sale(shop)
    shop.drain()
    told = page(tell(shop.connection, "sale/stores/12/4/2026-03-02/1"))
    assert _masked(told) == SALE_STORY


def test_what_stands_in_the_ledger_of_the_erp_leads_back_to_its_sales(shop: House) -> None:
    _order(shop)
    _sale(shop)
    shop.drain()
    papers = shop.rows("select kind, number, op, key from document order by kind")
    for kind, number, op, key in papers:
        if kind in ("invoice", "journal"):
            assert find(shop.connection, number) == find(shop.connection, op) == key
    (journal,) = [key for kind, _, _, key in papers if kind == "journal"]
    told = page(tell(shop.connection, journal))
    assert re.search(r"summed up\n  \S+ +10.80 USD  (sale/stores/12/4/2026-03-02/1)  \1", told), (
        told
    )
    for entry, fact, key in shop.rows("select id::text, fact, key from entry"):
        assert find(shop.connection, entry) == find(shop.connection, fact) == key


def test_a_story_shows_what_is_held_waiting_and_wrong(shop: House) -> None:
    shop.fault("refuse", words="no such customer")
    shop.web("orders/create", paid_order(4711, [line(1)], "10.00"))
    shop.drain()
    told = page(tell(shop.connection, find(shop.connection, "#4711")))
    assert "held    P1 x 1 at wh-east" in told
    assert "sales_order  refused   waiting" in told
    assert re.search(r"open +document_refused: .*no such customer", told)


def test_what_nobody_knows_or_what_may_be_many_is_said(shop: House) -> None:
    with pytest.raises(Refused, match="nothing is known of '4711'"):
        find(shop.connection, "4711")
    for number in (1, 2):
        shop.web("orders/create", paid_order(number, [line(1)], "10.00", name="#7"))
    with pytest.raises(Refused, match="may be any of: order/web/1, order/web/2"):
        find(shop.connection, "#7")


def test_the_status_counts_what_the_tables_hold(shop: House) -> None:
    _order(shop)
    _sale(shop)
    shop.web("orders/create", paid_order(2, [line(1, sku="SKU-9")], "10.00"), "twice")
    shop.web("orders/create", paid_order(2, [line(1, sku="SKU-9")], "10.00"), "twice")
    found = status(shop.connection)
    assert (found.messages, found.duplicates) == (4 + 4, 1)  # four rows of the stock file
    assert (found.pending_records, found.oldest_pending) == (0, None)
    assert found.orders == {"shipped": 1}
    assert found.documents == {"invoice": {"owed": 1}, "sales_order": {"owed": 1}}
    assert found.open_cases == {"mapping_missing": 1}
    assert (found.entries, found.parked_keys) == (3, 1)
    assert found.orders_pending_acknowledgement == 1
    (erp,) = [one for one in found.destinations if one.name == "erp"]
    assert (erp.keys, erp.documents, erp.failures, erp.account) == (1, 2, 0, "erp")


def test_metrics_can_be_parsed_and_agree_with_the_status(shop: House) -> None:
    _order(shop)
    shop.web("orders/create", paid_order(2, [line(1, sku="SKU-9")], "10.00"))
    text = collect(shop.connection)
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    found = status(shop.connection)
    assert samples[("tillbridge_messages", ())] == found.messages
    assert samples[("tillbridge_entries", ())] == found.entries
    assert samples[("tillbridge_parked_keys", ())] == 1
    assert samples[("tillbridge_open_cases", (("reason", "mapping_missing"),))] == 1
    waiting = ("tillbridge_documents_waiting", (("connection", "erp"),))
    assert samples[waiting] == 2
    assert samples[("tillbridge_documents", (("kind", "invoice"), ("state", "owed")))] == 1
    assert samples[("tillbridge_oldest_pending_seconds", ())] == 0
    assert samples[("tillbridge_till_numbers_missing", ())] == found.till_numbers_missing == 0
    assert not any(word in text for word in CANARIES)
