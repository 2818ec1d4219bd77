"""The pages of a month's end: nothing that differs is left out of them."""

from __future__ import annotations

from datetime import date

from tillbridge.app.finance_pages import close_page, payout_page, tie_page
from tillbridge.reconciliation.blocking import Blocker
from tillbridge.reconciliation.settlement.report import PayoutView
from tillbridge.reconciliation.tie_outs import Part, TieOut


def test_a_difference_is_shown_with_its_parts_and_what_none_of_them_explains() -> None:
    one = TieOut(
        name="clearing/card",
        entity="us",
        currency="USD",
        books=1000,
        theirs=900,
        parts=(Part("line 7", 60),),
        open=(Part("order/web/1", 900),),
    )
    page = tie_page([one])
    assert "10.00  9.00    1.00" in page
    assert "0.60  line 7" in page
    assert "0.40  unexplained" in page
    assert "9.00  order/web/1" in page


def test_a_list_says_whose_each_row_is_and_an_empty_one_that_it_can_be_closed() -> None:
    row = Blocker(
        kind="payout",
        owner="finance",
        key="payout/shop-pay/91",
        words="off by 0.10 USD",
        remedy="reconcile show",
        amount=10,
        currency="USD",
    )
    page = close_page("us", "2026-03", "open", [row])
    assert "payout  finance" in page
    assert "0.10 USD" in page
    assert page.endswith("us 2026-03 is open: 1 thing(s) block it")
    assert close_page("us", "2026-03", "open", []).endswith("it can be closed")
    assert close_page("us", "2026-03", "locked", []).endswith("nothing blocks it")


def test_a_payout_is_shown_down_to_the_bank() -> None:
    found = PayoutView(
        key="payout/shop-pay/91",
        account="shop-pay",
        payout="91",
        entity="us",
        currency="USD",
        amount=None,
        state="",
        paid_on=None,
        tied=False,
        types=[("sale", 1, 10_000, 320, 9_680)],
        lines=[("801", "sale", "charge", 10_000, "open", "", 0)],
        entries=[("fees/shop-pay", date(2026, 3, 5), "USD", 320)],
        bank=[("house-bank", "S1", date(2026, 3, 6), 9_680, "SHOPIFY")],
    )
    page = payout_page(found)
    assert page.startswith("shop-pay 91 of us: not told USD, state not told, for some day; held")
    for words in ("100.00  3.20  96.80", "2026-03-05  fees/shop-pay  3.20", "S1", "SHOPIFY"):
        assert words in page
