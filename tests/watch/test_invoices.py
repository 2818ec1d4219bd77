"""Invoices as objects: found by order, buyer, entity, key and number, and by age."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest

from tillbridge.atoms.errors import Refused
from tillbridge.watch.invoices import Aged, Wanted, bucket_of, invoice, invoices, page, sums_of


def test_papers_of_orders_paid_as_placed_are_objects_too(tables: psycopg.Connection) -> None:
    found = invoices(tables, Wanted(order="order/web/1"))
    assert [(one.kind, one.total, one.open) for one in found] == [
        ("credit_note", 1000, None),
        ("invoice", 2000, None),
    ]
    paper = found[1]
    assert (paper.entity, paper.currency, paper.order) == ("us", "USD", "#1")
    assert [(one.product, one.quantity, one.net) for one in paper.lines] == [("P1", 2000, 2000)]
    assert paper.number in page(paper)
    assert invoice(tables, paper.number) == paper
    assert invoice(tables, paper.key) == paper
    assert len(invoices(tables, Wanted(party=paper.party))) >= 2


def test_nobody_sees_papers_of_other_entities(tables: psycopg.Connection) -> None:
    assert invoices(tables, Wanted(entities=("ca",))) == []
    with pytest.raises(Refused, match="nothing is known"):
        invoice(tables, "order/web/1/invoice/1", ("ca",))
    with pytest.raises(Refused, match="nothing is known"):
        invoice(tables, "none")
    assert invoices(tables, Wanted(open=True)) == [], "nothing is on account"


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(-5, "not due"), (0, "not due"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (90, "61-90"),
     (91, "over 90")],
)  # fmt: skip
def test_the_day_it_is_due_is_not_past_due(days: int, bucket: str) -> None:
    assert bucket_of(days) == bucket


def test_what_is_open_is_summed_by_currency_and_age() -> None:
    rows = [
        Aged(key="k", number="n", order="o", order_key="ok", entity="us", party="", currency=money,
             issued_on=date(2026, 1, 1), due_on=date(2026, 1, 31), open=amount, bucket=bucket)
        for money, amount, bucket in (("USD", 5, "1-30"), ("USD", 7, "1-30"), ("EUR", 1, "over 90"))
    ]  # fmt: skip
    sums = sums_of(rows)
    assert (sums["USD"]["1-30"], sums["EUR"]["over 90"], sums["EUR"]["1-30"]) == (12, 1, 0)
