"""Tax documents count what they are on and what they name."""

from __future__ import annotations

from datetime import date

import msgspec

from tillbridge.canonical.orders import TaxLine
from tillbridge.canonical.taxes import TaxDocument, TaxItem


def test_amount_and_tax_are_sums_and_survive_being_stored() -> None:
    taxes = (TaxLine("us-ny", "us-ny", 80), TaxLine("us-nyc", "us-nyc", 45))
    document = TaxDocument(
        code="tax/order/web/1/sale-1",
        number="#1",
        channel="web",
        currency="USD",
        direction="sale",
        document_date=date(2026, 3, 2),
        tax_date=date(2026, 3, 2),
        items=(
            TaxItem(line="1", kind="goods", product="P1", quantity=1000, amount=1000, taxes=taxes),
            TaxItem(line="2", kind="fee", product="", quantity=1000, amount=-100),
        ),
    )
    assert (document.amount, document.tax) == (900, 125)
    assert msgspec.json.decode(msgspec.json.encode(document), type=TaxDocument) == document
