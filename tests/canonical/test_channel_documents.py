"""Documents for channels are read back as they were written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tillbridge.canonical import registry
from tillbridge.canonical.channel_documents import (
    CHANNEL_KINDS,
    FulfilmentDocument,
    OrderCancelDocument,
    RefundDocument,
)
from tillbridge.canonical.documents import DOCUMENT_KINDS, SubmitDocument
from tillbridge.canonical.returns import RefundPayment
from tillbridge.canonical.shipments import ShippedLine

HEAD: dict[str, Any] = {
    "reference": "450789469",
    "number": "#1001",
    "channel": "web",
    "currency": "USD",
}
BODIES: dict[str, Any] = {
    "fulfilment": FulfilmentDocument(
        **HEAD,
        fulfilment="wms/P1",
        state="shipped",
        happened_at=datetime(2026, 3, 3, tzinfo=UTC),
        lines=(ShippedLine("11", 1000),),
    ),
    "refund": RefundDocument(**HEAD, total=500, payments=(RefundPayment("", "shop-pay", 500),)),
    "order_cancel": OrderCancelDocument(**HEAD, cancel_date=date(2026, 3, 3)),
}


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_a_document_of_each_kind_has_its_body(kind: str) -> None:
    assert kind in DOCUMENT_KINDS
    told = SubmitDocument(
        key="order/web/450789469", id="1", kind=kind, entity="us", connection="web",
        **{kind: BODIES[kind]},
    )  # fmt: skip
    assert told.body == BODIES[kind]
    assert registry.decode("SubmitDocument", 1, registry.encode(told)) == told
