"""Trade of every kind, so that books and ERP can be compared to the last account: web orders, a
refund, a return in a store of another entity, a gift card, a till's day, a payout at the bank.

`us` sells in the web shop, `ne` runs a store; both have the same ERP, which is told of payments.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.stories.returning import NAMES as RETURNS
from tests.stories.returning import brought_back, furnished
from tests.stories.shop import NAMES, House, line, paid_order, refund, shipment, tax
from tests.stories.test_payout_down_to_the_bank_line import (
    CONNECTIONS,
    lines,
    payouts,
    sold,
    statement,
    transaction,
)
from tests.stories.test_returned_in_another_store import NEW_ENGLAND
from tests.stories.till_files import cash, close, goods, poslog, receipt, tender

CARDS = """
[connection.cards]
connector = "feed"
entity = "us"
channel = "web"
timezone = "America/New_York"
settings = { mapping = "feeds/cards.toml" }
"""
SAMPLE = Path(__file__).parents[2] / "src/tillbridge/connectors/feed/samples/cards.toml"
MORE = (
    ("cards", "tender", "gift_card", "gift-card"),
    ("web", "tender", "gift_card", "gift-card"),
    ("stores", "tax", "MA", "us-ma"),
)
BOTH = (line(1, quantity=2, price="30.00", tax_lines=[tax("4.80", 0.08)]),)
CARD = "shopify-77"


def _two_entities(text: str) -> str:
    """The store in Boston is run by another entity."""
    boston = '[[location]]\ncode = "store-bos"\nentity = "us"\n'
    assert boston in text
    told = NEW_ENGLAND.replace("gl = {", 'payments = "journals"\ngl = {')
    return text.replace(boston, told)


def furnish(folder: Path) -> None:
    """The workspace: two entities, provider, bank and the service that keeps the cards."""
    furnished(change=_two_entities)(folder)
    settings = folder / "tillbridge.toml"
    settings.write_text(settings.read_text() + CONNECTIONS + CARDS)
    (folder / "feeds" / "cards.toml").write_text(SAMPLE.read_text())


def play(shop: House) -> None:
    """Everything that happens, up to the bank's statement."""
    shop.names((*NAMES, *RETURNS, *MORE))
    payment = sold(shop, 1001, "100.00")
    shop.web("fulfillments/create", shipment(1, 1001, {10010: 1}))
    shop.web("refunds/create", refund(7, 1001, [], "25.00"))
    shop.web("orders/create", paid_order(4711, BOTH, "64.80"))
    shop.web("fulfillments/create", shipment(2, 4711, {1: 2}))
    back = brought_back(7, "14", "A1", "30.00", "2.40", "32.40", "order/web/4711")
    shop.file("stores", poslog(back))
    _paid_by_gift_card(shop)
    _a_day_at_the_till(shop)
    shop.file(
        "shop-pay",
        lines(
            transaction(801, "charge", "100.00", "3.20", payment),
            transaction(803, "refund", "-25.00", "0.00", 70),
        ),
    )
    shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "71.80")))
    shop.settle()
    sent = [("71.80", "2026-03-06", "SHOPIFY TRANSFER")]
    shop.file("house-bank", statement("S1", "1000.00", "1071.80", sent))
    shop.settle()


def _paid_by_gift_card(shop: House) -> None:
    """A card over 50.00 is given for nothing; 30.00 of it pay for an order that leaves at once."""
    issued = f"C1,ISSUE,{CARD},50.00,USD,2026-03-01T15:00:00+00:00,,given\n"
    shop.file("cards", b"id,type,card,amount,cur,when,order,reason\n" + issued.encode())
    gateways = {"payment_gateway_names": ["gift_card"]}
    order = paid_order(1003, [line(3, sku="SKU-1", price="30.00")], "30.00", **gateways)
    told: dict[str, Any] = {
        "id": 61, "order_id": 1003, "kind": "sale", "status": "success", "amount": "30.00",
        "currency": "USD", "gateway": "gift_card", "created_at": "2026-03-02T22:15:03-05:00",
        "receipt": {"gift_card_id": 77},
    }  # fmt: skip
    shop.web("orders/create", {**order, "transactions": [told]})
    shop.web("fulfillments/create", shipment(3, 1003, {3: 1}))


def _a_day_at_the_till(shop: House) -> None:
    """Two receipts, window cleaning out of the till, and a dollar too few when it is counted."""
    sales = [
        receipt(1, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60"),
        receipt(2, [goods("A1", "20.00", "1.60"), tender("21.60", "CreditDebit")], "21.60", "1.60"),
    ]
    day = poslog(*sales, cash(3, "PaidOut", "5.00"), close(4, Cash="15.60", CreditDebit="21.60"))
    shop.file("stores", day)
    shop.look_at_tills()
