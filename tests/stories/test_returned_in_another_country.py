"""Sold by one entity, brought back to a store of another one, in its country: the store rings what
its own law asks, once for the whole receipt; the seller's tax is the one of its sale, and in the
store's books nothing stays but what it is owed. A store with another currency is a case.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.returning import NAMES as MORE
from tests.stories.returning import brought_back, furnished
from tests.stories.shop import NAMES, House, house, line, paid_order, shipment, tax
from tests.stories.test_returned_in_another_store import NEW_ENGLAND
from tests.stories.till_files import poslog

LINES = (line(1, quantity=2, price="30.00", tax_lines=[tax("4.80", 0.08)]),)
KEY = "order/web/4711"


def new_england(text: str) -> str:
    boston = '[[location]]\ncode = "store-bos"\nentity = "us"\n'
    assert boston in text
    return text.replace(boston, NEW_ENGLAND)


def sold(shop: House) -> None:
    shop.names(
        (*NAMES, *MORE, ("stores", "tax", "MA", "us-ma"), ("stores", "location", "15", "store-tor"))
    )
    shop.web("orders/create", paid_order(4711, LINES, "64.80"))
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))


def taxed_once(text: str, authority: str) -> str:
    """The receipt with its tax on a line of its own, for all of it."""
    begin, end = text.index("<Tax>"), text.index("</Tax>") + len("</Tax>")
    told = text[begin:end].replace("NY", authority)
    place = text.index("<Total ")
    own = f"<LineItem><SequenceNumber>9</SequenceNumber>{told}</LineItem>"
    return text[:begin] + text[end:place] + own + text[place:]


@pytest.mark.parametrize("authority", ["NY", "MA"])
def test_the_tax_is_the_sellers_whoever_takes_it_back(
    tmp_path: Path, database_url: str, authority: str
) -> None:
    furnish = furnished(change=new_england)
    with house(tmp_path / "house", database_url, furnish=furnish) as shop:
        sold(shop)
        back = brought_back(7, "14", "A1", "30.00", "2.40", "32.40", KEY)
        shop.file("stores", poslog(taxed_once(back, authority)))
        assert shop.cases() == []
        assert shop.stock("P1", "store-bos") == (1, 0)
        assert shop.balances("us") == {
            "clearing/shop-pay": 6480,
            "due-to/ne": -3240,
            "sales/unassigned": -6000 + 3000,
            "sales-tax/us-ny": -480 + 240,
        }
        assert shop.balances("ne") == {"till/store-bos/cash": -3240, "due-from/us": 3240}
        assert not shop.drain(60.0).moving
        totals = dict(shop.rows("select op, total from document where key = %s", KEY))
        assert totals[f"{KEY}/credit_note/1"] == 3240
        assert shop.lies() == []


def test_another_currency_is_a_case_and_never_a_rate_of_one(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        sold(shop)
        back = brought_back(7, "15", "A1", "40.00", "3.20", "43.20", KEY)
        shop.file("stores", poslog(back.replace(">USD<", ">CAD<")))
        assert shop.cases() == ["return_in_other_currency"]
        assert shop.balances("us") == {
            "clearing/shop-pay": 6480,
            "sales/unassigned": -6000,
            "sales-tax/us-ny": -480,
        }
        assert shop.stock("P1", "store-tor") == (1, 0)
        assert not shop.drain(60.0).moving
        assert shop.lies() == []
