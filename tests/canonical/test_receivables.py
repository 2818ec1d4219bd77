"""Facts of goods on account are read back as they were written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tillbridge.canonical.documents import DocumentLine
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.receivables import (
    BankPaymentMatched,
    CreditNoteIssued,
    InvoiceIssued,
    ReceivableSettled,
)
from tillbridge.canonical.registry import decode, encode
from tillbridge.canonical.valued import ValuedRow

COMMON: dict[str, Any] = {
    "key": "order/web/1",
    "source": "hub",
    "mapping": "hub/1",
    "occurred_at": datetime(2026, 3, 2, tzinfo=UTC),
    "business_date": date(2026, 3, 2),
    "entities": Entities(selling="us"),
    "currency": "USD",
    "order": "order/web/1",
}
LINE = DocumentLine(line="1", kind="goods", product="P1", quantity=1000, net=1000)
FACTS: tuple[Fact, ...] = (
    InvoiceIssued(
        id="a", invoice="i", number="1-1", total=1, due_on=date(2026, 4, 1), lines=(LINE,), **COMMON
    ),
    CreditNoteIssued(id="b", credit_note="c", number="1-C1", total=1, lines=(LINE,), **COMMON),
    ReceivableSettled(id="c", rows=(ValuedRow("credit", 1, "i"),), **COMMON),
    BankPaymentMatched(
        id="d", amount=1, bank="house-bank", tender="wire", reference="S-1/1", invoice="i", **COMMON
    ),
)


def test_what_is_written_is_read_back() -> None:
    for fact in FACTS:
        assert decode(type(fact).__name__, 1, encode(fact)) == fact
