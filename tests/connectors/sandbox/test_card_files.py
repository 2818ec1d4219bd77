"""The gift card service: what the tills will take was on a card before."""

from __future__ import annotations

import csv
import io

from tillbridge.canonical.cards import hashed
from tillbridge.connectors.sandbox.card_files import FILLED, card_file
from tillbridge.connectors.sandbox.retailer import day_of_trade


def test_every_card_the_tills_take_was_filled_with_enough() -> None:
    day = day_of_trade(7)
    rows = list(csv.DictReader(io.StringIO(card_file(day.tills, day.day).decode())))
    taken = {
        hashed(tender.card): tender.amount
        for till in day.tills
        for receipt in till.receipts
        for tender in receipt.tenders
        if tender.card
    }
    assert {row["card"] for row in rows} == taken.keys()
    assert len({row["id"] for row in rows}) == len(rows)
    assert max(taken.values()) <= FILLED
    assert {row["currency"] for row in rows} == {"USD", "CAD"}
