"""A gift card and a voucher pay one order: the card ends at nothing, not at 25 left.

The split over the tenders is told, never worked out anew; a card is an open item of the liability,
so its balance is what is booked, whoever tells of it and in whatever order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import pytest

from tests.stories.checkout import Checkout, checkout
from tests.stories.shop import House, house
from tillbridge.app.worker import chores

CARD = "GC-7700-1234-5678"
HEAD = "id,type,card,amount,cur,when,order,reason\n"
ISSUED = f"C1,ISSUE,{CARD},25.00,USD,2026-03-01T15:00:00+00:00,order/callcentre/S-1,sold\n"
REDEEMED = f"C2,REDEEM,{CARD},25.00,USD,2026-03-02T09:31:00+00:00,order/callcentre/V-1,\n"
CONNECTION = """
[connection.cards]
connector = "feed"
entity = "us"
channel = "phone"
timezone = "America/New_York"
settings = { mapping = "feeds/cards.toml" }
"""
SAMPLE = Path(__file__).parents[2] / "src/tillbridge/connectors/feed/samples/cards.toml"


def furnish(folder: Path) -> None:
    settings = folder / "tillbridge.toml"
    settings.write_text(settings.read_text() + CONNECTION)
    (folder / "feeds" / "cards.toml").write_text(SAMPLE.read_text())


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=furnish) as found:
        found.names([("cards", "tender", "gift_card", "gift-card")])
        yield found


def card_is_sold(web: Checkout) -> None:
    """An order that buys the card; the order does not say which one."""
    line = {"line": "1", "kind": "gift_card", "quantity": "1", "list": "25.00", "ships": False}
    web.order("S-1", "25.00", lines=[line])
    web.payment("S-1", "captured", "ch_s", "25.00")


def used_with_a_voucher(web: Checkout) -> None:
    """Goods for 40.00, a voucher over 15.00, the rest by the card."""
    line = {"line": "1", "product": "P1", "quantity": "1", "list": "40.00", "discount": "15.00"}
    web.order("V-1", "25.00", lines=[{**line, "promotion": "voucher"}])
    web.payment("V-1", "captured", "p-1", "25.00", tender="gift-card", card=CARD)


def test_the_card_ends_at_zero_whoever_tells_first(tmp_path: Path, shop: House) -> None:
    with checkout(shop) as web:
        steps: tuple[Callable[[], object], ...] = (
            lambda: shop.file("cards", (HEAD + REDEEMED).encode(), "redeemed.csv"),
            lambda: used_with_a_voucher(web),
            lambda: card_is_sold(web),
            lambda: shop.file("cards", (HEAD + ISSUED).encode(), "issued.csv"),
            lambda: shop.file("cards", (HEAD + ISSUED + REDEEMED).encode(), "again.csv"),
        )
        for tell in steps:
            tell()
    assert shop.cases() == []
    books = {"clearing/card": 2500, "customer-deposits": -2500}  # the goods have not left yet
    assert shop.balances() == books
    told = shop.verb("cards", "show", CARD)
    assert told.splitlines()[-1] == "*************5678: 0.00 USD"
    assert CARD not in told
    assert not shop.drain().moving
    assert shop.documents()["order/callcentre/V-1/sales_order"] == "accepted"
    assert shop.lies() == []


def test_the_balance_never_depends_on_the_order_of_arrival(shop: House) -> None:
    with checkout(shop) as web:
        events: dict[str, Callable[[str], object]] = {
            "issued": lambda n: row(shop, f"I{n},ISSUE,G-{n},50.00,USD", ",given"),
            "redeemed": lambda n: row(
                shop, f"R{n},REDEEM,G-{n},30.00,USD", f"order/callcentre/B-{n},"
            ),
            "adjusted": lambda n: row(shop, f"A{n},ADJUST,G-{n},-5.00,USD", ",typed twice"),
            "order": lambda n: web.order(f"B-{n}", "30.00"),
        }
        for n, names in enumerate(permutations(events)):
            for name in names:
                events[name](f"{n:04}")
    held = shop.rows(
        "select distinct -sum(l.amount)::int from entry_line l where item like 'card/G-%%'"
        " group by item"
    )
    assert held == [(1500,)]
    tie = shop.verb("cards", "tie").splitlines()[-1].split()
    assert tie == ["us", "gift-card-liability", "24", "360.00", "0.00", "360.00", "USD"]
    assert shop.lies(quiesced=False) == []


def row(shop: House, start: str, end: str) -> None:
    """One movement of the card service, in a file of its own."""
    content = f"{HEAD}{start},2026-03-02T09:00:00+00:00,{end}\n"
    shop.file("cards", content.encode(), f"{start.split(',', maxsplit=1)[0]}.csv")


def test_a_card_that_is_overdrawn_is_a_case_until_its_issue_is_told(shop: House) -> None:
    with checkout(shop) as web:
        used_with_a_voucher(web)
        look(shop)
        assert shop.rows("select reason, owner, amount, words from exception_case") == [
            (
                "card_overdrawn",
                "finance",
                2500,
                "card *************5678: 25.00 USD more was spent than is known to have been on it",
            )
        ]
        card_is_sold(web)
        shop.file("cards", (HEAD + ISSUED).encode(), "issued.csv")
        look(shop)
    assert (shop.cases(), shop.cases("resolved")) == ([], ["card_overdrawn"])
    assert shop.lies(quiesced=False) == []


def look(shop: House) -> None:
    """What the worker's schedule does every few minutes."""
    chores(shop.hub)["cards"](shop.connection, shop.hub.clock.now())
    shop.connection.commit()
