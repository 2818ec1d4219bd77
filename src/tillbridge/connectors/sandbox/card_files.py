"""What the example retailer's gift card service tells: the cards that were out there before the
day began, so that what the tills take of them has something to be taken from.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tillbridge.atoms.money import to_text
from tillbridge.canonical.cards import hashed
from tillbridge.connectors.sandbox.till_day import TillDay

FILLED = 5000  # each card held fifty
MAPPING = """\
# Movements of the gift card service; drop its files into drop/NAME
kind = "card"
identity = ["id"]

[file]
format = "csv"

[row]
reference = "id"
card = "card"
event = { from = "type", do = [{ map = { ISSUE = "issued", EXPIRE = "expired" } }] }
amount = "amount"
currency = "currency"
at = "at"
reason = "reason"
"""


def card_file(tills: Iterable[TillDay], day: date) -> bytes:
    """The cards these tills will take, as they were sold the day before."""
    lines = ["id,card,type,amount,currency,at,reason"]
    for till in tills:
        for receipt in till.receipts:
            for tender in receipt.tenders:
                if tender.card and not receipt.training:
                    amount = to_text(FILLED, till.location.currency)
                    token = hashed(tender.card)  # what both sides know a card by
                    lines.append(
                        f"open-{tender.card[-6:]},{token},ISSUE,{amount},"
                        f"{till.location.currency},{day.isoformat()}T00:00:00+00:00,sold"
                    )
    return ("\n".join(lines) + "\n").encode()
