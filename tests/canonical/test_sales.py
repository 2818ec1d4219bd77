"""Taxes that only a receipt tells, brought down to what they are of."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.orders import TaxLine
from tillbridge.canonical.sales import SaleLine, SaleRung, with_receipt_taxes


def rung(nets: list[int], tax: int, rate: int | None = None, **words: TaxLine) -> SaleRung:
    lines = tuple(
        SaleLine(str(n), "goods", "return" if net < 0 else "sale", "p", 1000, net,
                 taxes=(words[f"own{n}"],) if f"own{n}" in words else ())
        for n, net in enumerate(nets)
    )  # fmt: skip
    return SaleRung(
        key="sale/1",
        id="sale/1",
        source="stores",
        mapping="x/1",
        occurred_at=datetime(2026, 3, 2, tzinfo=UTC),
        business_date=date(2026, 3, 2),
        entities=Entities(selling="us"),
        location="store",
        channel="stores",
        till="1",
        sequence="1",
        currency="USD",
        total=sum(nets) + tax,
        lines=lines,
        tenders=(),
        taxes=(TaxLine("t", "us-ny", tax, rate_ppm=rate),),
    )


def taxes(sale: SaleRung) -> list[int]:
    return [sum(tax.amount for tax in line.taxes) for line in with_receipt_taxes(sale)]


@pytest.mark.parametrize(
    ("nets", "tax", "rate", "found"),
    [
        ([-3000], -240, None, [-240]),
        ([-3000, -1000], -320, None, [-240, -80]),
        ([7000, -5000], 400, 200_000, [1400, -1000]),
        ([7000, -5000], 400, None, [1400, -1000]),
        ([5000, -5000], 0, 200_000, [1000, -1000]),
        ([5000, -5000], 0, None, [0, 0]),
        ([0, -333], -27, None, [0, -27]),
    ],
)
def test_a_line_has_its_part(nets: list[int], tax: int, rate: int | None, found: list[int]) -> None:
    assert taxes(rung(nets, tax, rate)) == found


def test_a_line_that_tells_its_own_tax_keeps_it() -> None:
    own = TaxLine("t", "us-ny", -80)
    assert taxes(rung([-3000, -1000], -240, own1=own)) == [-240, -80]


@given(st.lists(st.integers(-9999, 9999), min_size=1, max_size=5), st.integers(-999, 999))
def test_no_cent_is_lost(nets: list[int], tax: int) -> None:
    assert sum(taxes(rung(nets, tax))) == (tax if sum(nets) else 0)
