"""Twelve stores of two legal entities tell their sales every few minutes, goods come back wherever
the buyer likes, and in the evening every entity's takings and taxes are those of its own tills.

Logs overlap, come twice and in any order; what is right is known to a model that only adds up.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.stories.shop import NAMES, House, house, line, paid_order, refund, shipment
from tests.stories.till_files import close, goods, poslog, receipt, tender
from tillbridge.app.ledger_ties import tie_month

STORES = {
    **{f"us-{n:02}": ("us", "USD", "NY") for n in range(1, 8)},
    **{f"ca-{n:02}": ("ca", "CAD", "ON") for n in range(1, 6)},
}
TAX = {"us": "us-ny", "ca": "ca-on-hst"}
TIMES, SHORT = 4, "us-03"
PLACE = """
[[location]]
code = "{code}"
entity = "{entity}"
timezone = "America/New_York"
"""


class Day(msgspec.Struct):
    """What the model adds up per store: minor units by what they are, pieces of P1."""

    cash: int = 0
    card: int = 0
    net: int = 0
    tax: int = 0
    pieces: int = 0


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    """A house with twelve more stores."""

    def furnish(folder: Path) -> None:
        settings = folder / "tillbridge.toml"
        places = "".join(PLACE.format(code=c, entity=e) for c, (e, _, _) in STORES.items())
        settings.write_text(settings.read_text() + places)

    with house(tmp_path / "house", database_url, furnish=furnish) as found:
        given = [("stores", "location", f"S-{code}", code) for code in STORES]
        found.names([*NAMES, *given, ("stores", "tax", "ON", "ca-on-hst")])
        yield found


def here(store: str, *transactions: str) -> bytes:
    """A log of that store, in its currency, with its tax."""
    _, currency, levy = STORES[store]
    text = poslog(*transactions).decode()
    text = text.replace("<RetailStoreID>12<", f"<RetailStoreID>S-{store}<")
    return text.replace("USD", currency).replace("Authority>NY<", f"Authority>{levy}<").encode()


def sale(number: int, minor: int, kind: str) -> str:
    """One piece; tax of ten per cent."""
    tax = minor // 10
    part = goods("A1", f"{minor / 100:.2f}", f"{tax / 100:.2f}")
    total = f"{(minor + tax) / 100:.2f}"
    return receipt(number, [part, tender(total, kind)], total, f"{tax / 100:.2f}")


def back(number: int, minor: int) -> str:
    """A piece comes back for cash, bought wherever."""
    tax = minor // 10
    part = goods("A1", f"{minor / 100:.2f}", f"{tax / 100:.2f}", element="Return")
    total = f"{(minor + tax) / 100:.2f}"
    paid = tender(total, code="Refund")
    return receipt(number, [part, paid], f"-{total}", f"-{tax / 100:.2f}")


def trade(dice: random.Random) -> tuple[dict[str, Day], list[bytes], dict[str, list[str]]]:
    """The model's day, the logs as they are sent, and every store's whole day."""
    days, logs, whole = {store: Day() for store in STORES}, [], {}
    for store, day in days.items():
        told: list[str] = []
        for _ in range(TIMES):
            begin = max(len(told) - 1, 0)  # each log repeats the newest sale of the one before
            for _ in range(2):
                number, minor = len(told) + 1, dice.randrange(5, 90) * 100
                kind = dice.choice(["Cash", "CreditDebit"])
                told.append(sale(number, minor, kind))
                day.net, day.tax, day.pieces = (
                    day.net + minor,
                    day.tax + minor // 10,
                    day.pieces - 1,
                )
                if kind == "Cash":
                    day.cash += minor + minor // 10
                else:
                    day.card += minor + minor // 10
            logs.append(here(store, *told[begin:]))
        minor = dice.randrange(5, 40) * 100
        told.append(back(len(told) + 1, minor))  # bought in another store, or another country
        day.net, day.tax = day.net - minor, day.tax - minor // 10
        day.pieces += 1
        day.cash -= minor + minor // 10
        counted = day.cash - (100 if store == SHORT else 0)
        kinds = {"Cash": f"{counted / 100:.2f}", "CreditDebit": f"{day.card / 100:.2f}"}
        told.append(close(len(told) + 1, **kinds))
        logs.append(here(store, *told[-2:]))
        whole[store] = told
    return days, logs, whole


def test_every_entity_has_the_takings_and_the_taxes_of_its_own_tills(shop: House) -> None:
    dice = random.Random(12)  # noqa: S311 - a seeded test
    days, logs, whole = trade(dice)
    # a web order goes out and comes back at a store
    sold = line(1, price="30.00")
    shop.web("orders/create", paid_order(1, [sold], "30.00"))
    shop.web("fulfillments/create", shipment(1, 1, {1: 1}))
    given = {"id": 5, "line_item_id": 1, "quantity": 1, "subtotal": "30.00", "total_tax": "0.00"}
    given |= {"restock_type": "return", "location_id": 5501, "line_item": sold}
    sent = [*logs, *dice.sample(logs, 6)]
    dice.shuffle(sent)
    for number, log in enumerate(sent):
        shop.file("stores", log, f"log-{number}.xml")
    shop.web("refunds/create", refund(3, 1, [given], "30.00"))
    shop.look_at_tills()
    assert shop.cases() == []
    # at night each store sends its whole day, too: it is known already
    before = shop.rows("select count(*) from entry")
    for store, told in whole.items():
        shop.file("stores", here(store, *told), f"night-{store}.xml")
    shop.look_at_tills()
    assert shop.rows("select count(*) from entry") == before

    for entity in ("us", "ca"):
        own = [day for store, day in days.items() if STORES[store][0] == entity]
        books = Counter(shop.balances(entity))
        assert books[f"sales-tax/{TAX[entity]}"] == -sum(day.tax for day in own)
        assert books["clearing/card"] == sum(day.card for day in own)
        goods_sold = sum(amount for name, amount in books.items() if name.startswith("sales/"))
        assert goods_sold == -sum(day.net for day in own)
        assert not [name for name in books if name.endswith(TAX["ca" if entity == "us" else "us"])]
    for store, day in days.items():
        short = 100 if store == SHORT else 0
        held = shop.balances(STORES[store][0])
        assert held.get(f"till/{store}/cash", 0) == day.cash - short
        assert shop.stock("P1", store) == (day.pieces, 0)
    assert shop.balances()["cash-over-short/us-03"] == 100
    assert "clearing/shop-pay" not in shop.balances()  # the web order went back as it came

    # a journal per store and day (one more for the count), and the ERP's ledger is ours
    assert not shop.drain().moving
    journals = shop.rows(
        "select split_part(key, '/', 4), count(*) from document where kind = 'journal'"
        " and state = 'accepted' group by 1"
    )
    assert {store for store, _ in journals} >= STORES.keys()
    for entity in ("us", "ca"):
        assert tie_month(shop.hub, shop.connection, entity, "2026-03").agrees
        shop.connection.rollback()
        assert "nothing blocks it" in shop.verb("close", entity, "2026-03")
    assert shop.statuses() == {"#1": "refunded"}
    assert shop.lies(quiesced=False) == []
