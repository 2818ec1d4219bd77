"""What a story says of each record: enough for whoever asks, without machine words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from tillbridge.canonical.documents import DocumentAccepted, DocumentRefused
from tillbridge.canonical.fact import Command, Entities, Fact
from tillbridge.canonical.markers import RecordParked
from tillbridge.canonical.payments import PaymentCaptured
from tillbridge.canonical.shipments import GoodsShipped, ShippedLine
from tillbridge.canonical.stock import MoveStock, PickFailed, StockLine, StockShort
from tillbridge.canonical.valued import DepositReceived, ValuedTender
from tillbridge.watch.telling import said

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
WHERE: dict[str, Any] = {
    "key": "order/web/1",
    "id": "x",
    "source": "web",
    "mapping": "shopify/1",
    "occurred_at": AT,
    "business_date": date(2026, 3, 2),
    "entities": Entities("us"),
}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            DocumentAccepted(
                operation="o",
                kind="fulfilment_cancel",
                remote_id="4001",
                number="4001",
                destination="wms",
                answer="too_late",
                words="it is on the cart",
                **WHERE,
            ),
            "DocumentAccepted fulfilment_cancel 4001: too_late: it is on the cart",
        ),
        (
            PickFailed(
                failure="hub/7",
                location="store-nyc",
                reason="no_pick",
                lines=(StockLine("1", "SOCK", 2_000, unit="PACK"),),
                **WHERE,
            ),
            "PickFailed failure hub/7, location store-nyc, reason no_pick, SOCK x 2 PACK",
        ),
        (
            StockShort(version=2, product="SOCK", wanted=2_500, free=0, **WHERE),
            "StockShort product SOCK, wanted 2.5, free 0",
        ),
        (
            MoveStock(
                key="k", id="m", kind="sale", occurred_at=AT,
                lines=(StockLine("1", "SOCK", -1_000, "wh"),),
            ),
            "MoveStock kind sale, SOCK x -1 at wh",
        ),
        (
            GoodsShipped(
                shipment="F1", version="v1", state="shipped", location="wh",
                lines=(ShippedLine("1", 1_000),), **WHERE,
            ),
            "GoodsShipped shipment F1, location wh, line 1 x 1, state shipped",
        ),
        (
            PaymentCaptured(reference="T1", tender="card", amount=1_050, currency="USD", **WHERE),
            "PaymentCaptured reference T1, tender card, 10.50 USD",
        ),
        (
            DepositReceived(
                currency="JPY", order="order/web/1", tenders=(ValuedTender("card", 500),), **WHERE
            ),
            "DepositReceived 500 JPY",
        ),
        (
            DocumentRefused(
                operation="o", kind="invoice", destination="erp", words="no tax", **WHERE
            ),
            "DocumentRefused invoice: no tax",
        ),
        (RecordParked(key="k", id="", room="posting.money"), "RecordParked in posting.money"),
    ],
)  # fmt: skip
def test_a_record_is_told_with_what_people_ask_for(body: Fact | Command, words: str) -> None:
    told = msgspec.json.decode(msgspec.json.encode(body))
    assert said({"type": type(body).__name__, "body": told}) == words
