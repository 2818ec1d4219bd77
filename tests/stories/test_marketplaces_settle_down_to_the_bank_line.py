"""What marketplaces keep and send, from their own files down to the line of the bank, to the cent.

Orders come by a feed. One marketplace settles in Amazon's flat file and its money stands in an
MT940 statement; another has a file of its own, read by a mapping, and its money stands in BAI2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.stories.click_and_collect import FEEDS
from tests.stories.shop import House, house
from tillbridge.atoms.clock import FixedClock
from tillbridge.reconciliation.settlement.report import tie_outs

CONNECTIONS = """
[connection.orders]
connector = "feed"
entity = "us"
channel = "web"
settings = { mapping = "feeds/orders.toml" }

[connection.money]
connector = "feed"
entity = "us"
channel = "web"
settings = { mapping = "feeds/money.toml" }

[connection.amazon]
connector = "amazon"
entity = "us"
[connection.amazon.settle]
tenders = ["card"]
orders = ["orders"]
bank = "one-bank"
bank_texts = ["AMAZON"]

[connection.one-bank]
connector = "mt940"
entity = "us"

[connection.market]
connector = "feed"
entity = "us"
settings = { mapping = "feeds/market.toml" }
[connection.market.settle]
tenders = ["card"]
orders = ["orders"]
bank = "other-bank"
bank_texts = ["MARKET"]

[connection.other-bank]
connector = "bai2"
entity = "us"
"""
MEANT = '{ sale = "sale", commission = "commission", "*" = "unknown" }'
MARKET = """
kind = "settlement"
[file]
format = "csv"
[row]
when = { column = "what", is = ["sale", "commission", "odd"] }
payout = "settlement"
type = { from = "what", do = [{ map = MEANT }] }
gross = "amount"
fee = { from = "fee", default = "0" }
line = "id"
order = "order"
[total]
when = { column = "what", is = "payout" }
payout = "settlement"
amount = "amount"
""".replace("MEANT", MEANT)
MONEY = """
kind = "payment"
identity = ["id"]
[file]
format = "csv"
[row]
reference = "id"
tender = { constant = "card" }
amount = "amount"
at = "at"
order = "order"
"""
NAMES = (
    ("money", "tender", "card", "card"),
    ("orders", "product", "P1", "P1"),
    ("orders", "location", "wh-east", "wh-east"),
    ("orders", "tender", "card", "card"),
)
AMAZON = (
    "settlement-id\tdeposit-date\ttotal-amount\tcurrency\ttransaction-type\torder-id\t"
    "marketplace-name\tamount-type\tamount-description\tamount\tposted-date-time\n"
)
FIRST, SECOND = "111-0000001-0000001", "M-2"


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    """A house that sells on two marketplaces and has an account at two banks."""

    def furnish(folder: Path) -> None:
        (folder / "feeds").mkdir(exist_ok=True)
        (folder / "feeds" / "orders.toml").write_text(FEEDS["app"])
        (folder / "feeds" / "market.toml").write_text(MARKET)
        (folder / "feeds" / "money.toml").write_text(MONEY)
        settings = folder / "tillbridge.toml"
        settings.write_text(settings.read_text() + CONNECTIONS)

    clock = FixedClock(datetime(2026, 3, 6, 12, tzinfo=UTC))
    with house(tmp_path / "shop", database_url, clock=clock, furnish=furnish) as found:
        found.names(NAMES)
        yield found


def sold(shop: House, number: str, total: str) -> None:
    """An order of a marketplace, paid there."""
    items = [{"id": "1", "sku": "P1", "qty": 1, "price": total}]
    at = "2026-03-03T10:00:00Z"
    order = {"no": number, "placed": at, "changed": at, "total": total, "items": items}
    shop.file("orders", json.dumps(order).encode() + b"\n")
    paid = f"id,amount,at,order\npaid-{number},{total},{at},order/orders/{number}\n"
    shop.file("money", paid.encode())


def amazon(
    *rows: tuple[str, str, str, str, str], total: str, name: str = "S1", day: str = "2026-03-05"
) -> bytes:
    """A settlement: transaction, order, kind, description, amount."""
    head = f"{name}\t{day}\t{total}\tUSD" + "\t" * 7 + "\n"
    body = "".join(
        f"{name}\t\t\tUSD\t{what}\t{order}\tamazon.com\t{kind}\t{words}\t{amount}\t"
        "2026-03-03 10:00:00 UTC\n"
        for what, order, kind, words, amount in rows
    )
    return (AMAZON + head + body).encode()


def mt940(amount: str, closing: str, mark: str = "C") -> bytes:
    """A statement with one credit, or one debit (`D`), on an account that was empty."""
    return (
        ":20:A\n:25:US00/1\n:28C:1/1\n:60F:C260305USD0,00\n"
        f":61:2603060306{mark}{amount},00NTRFNONREF//B1\n:86:AMAZON PAYMENTS\n"
        f":62F:{mark}260306USD{closing},00\n-\n"
    ).encode()


def bai2(amount: int, closing: int) -> bytes:
    """A statement with one credit."""
    total = 0 + closing + amount
    return (
        "01,BANK,US,260307,0600,1,,,2/\n02,US,BANK,1,260306,,USD,2/\n"
        f"03,0123456789,,010,0,,,015,{closing},,/\n16,142,{amount},,C1,,MARKET PLACE INC/\n"
        f"49,{total},3/\n98,{total},1,5/\n99,{total},1,7/\n"
    ).encode()


def market(*rows: Sequence[str]) -> bytes:
    """A settlement of the other marketplace: id, order, what, amount, fee."""
    head = "settlement,id,order,what,amount,fee\n"
    return (head + "".join(f"M-09,{','.join(row)}\n" for row in rows)).encode()


def test_a_marketplace_that_collects_the_tax_is_reconciled_to_the_bank_line(shop: House) -> None:
    sold(shop, FIRST, "105.00")
    assert shop.balances()["clearing/card"] == 10_500
    rows = [
        ("Order", FIRST, "ItemPrice", "Principal", "100.00"),
        ("Order", FIRST, "ItemPrice", "Shipping", "5.00"),
        ("Order", FIRST, "ItemPrice", "Tax", "8.25"),
        ("Order", FIRST, "ItemWithheldTax", "MarketplaceFacilitatorTax-Principal", "-8.25"),
        ("Order", FIRST, "ItemFees", "Commission", "-15.00"),
        ("Order", FIRST, "ItemFees", "FBAPerUnitFulfillmentFee", "-4.00"),
    ]
    shop.file("amazon", amazon(*rows, total="86.00"))
    shop.settle()
    assert shop.cases() == []
    balances = shop.balances()
    assert balances.get("clearing/card", 0) == 0
    assert balances["payouts-in-transit"] == 8_600
    assert [amount for name, amount in balances.items() if "commission" in name] == [1_500]
    assert [amount for name, amount in balances.items() if "fulfilment" in name] == [400]

    shop.file("one-bank", mt940("86", "86"))
    shop.settle()
    assert shop.cases() == []
    balances = shop.balances()
    assert "payouts-in-transit" not in balances
    assert balances["bank/one-bank"] == 8_600
    assert shop.lies() == []


ADS = ("CostOfAdvertising", "", "CostOfAdvertising", "TransactionTotalAmount", "-30.00")
BACK = (
    "other-transaction",
    "",
    "other-transaction",
    "Repayment of negative Amazon balance",
    "-30.00",
)
EARNED = ("Order", FIRST, "ItemPrice", "Principal", "105.00")


def ties(shop: House) -> dict[str, tuple[int, int, list[tuple[str, int]]]]:
    """What the status says of the one marketplace: books, theirs and what is open, where any is."""
    found = tie_outs(shop.connection, [one for one in shop.hub.accounts if one.name == "amazon"])
    shop.connection.rollback()
    assert [one.name for one in found if one.difference] == []
    return {
        one.name: (one.books, one.theirs, [(part.what, part.amount) for part in one.open])
        for one in found
        if one.books
    }


@pytest.mark.parametrize("told", [(), (BACK,)], ids=["in its total", "in a row"])
def test_a_settlement_below_zero_is_taken_by_the_next_one(
    shop: House, told: tuple[tuple[str, str, str, str, str], ...]
) -> None:
    shop.file("amazon", amazon(ADS, total="-30.00", name="S0", day="2026-02-19"))
    shop.settle()
    assert shop.cases() == []
    assert shop.balances()["clearing/card"] == -3_000
    assert "payouts-in-transit" not in shop.balances()
    carried = [("carried forward to the next payout", -3_000)]
    assert ties(shop)["clearing/card"] == (-3_000, -3_000, carried)
    assert "carried forward to the next payout" in shop.verb("reconcile", "status")
    assert "carried forward" in shop.verb("reconcile", "show", "payout/amazon/S0")

    sold(shop, FIRST, "105.00")
    shop.file("amazon", amazon(EARNED, *told, total="75.00"))
    shop.settle()
    assert shop.cases() == []
    assert shop.balances().get("clearing/card", 0) == 0
    shop.file("one-bank", mt940("75", "75"))
    shop.settle()
    assert shop.cases() == []
    assert ties(shop) == {
        "payouts/amazon": (4_500, 4_500, []),
        "bank/one-bank": (7_500, 7_500, []),
    }
    assert shop.lies() == []


def test_a_settlement_below_zero_that_the_bank_is_debited_for(shop: House) -> None:
    shop.file("amazon", amazon(ADS, total="-30.00"))
    shop.settle()
    shop.file("one-bank", mt940("30", "30", "D"))
    shop.settle()
    assert shop.cases() == []
    assert shop.balances().get("clearing/card", 0) == 0
    assert shop.balances()["bank/one-bank"] == -3_000
    assert "payouts-in-transit" not in shop.balances()
    assert shop.lies() == []


def test_a_fee_is_not_put_on_the_order_whose_number_its_row_borrows(shop: House) -> None:
    """What a row says it is decides, not the number in its order column: storage names none, the
    removal names a shipment, a subscription names the order of somebody else's sale.
    """
    sold(shop, FIRST, "105.00")
    rows = [
        ("Order", FIRST, "ItemPrice", "Principal", "105.00"),
        ("Order", FIRST, "ItemFees", "Commission", "-15.00"),
        ("other-transaction", "", "other-transaction", "Storage Fee", "-7.31"),
        ("other-transaction", "FBA17X0Y9Z", "other-transaction", "RemovalComplete", "-2.40"),
        ("other-transaction", FIRST, "other-transaction", "Subscription Fee", "-39.99"),
        ("other-transaction", "", "other-transaction", "Never Seen Before", "-0.30"),
    ]
    shop.file("amazon", amazon(*rows, total="40.00"))
    shop.settle()
    lines = shop.rows(
        "select l.told, l.gross::int, m.how, m.key from settlement_line l"
        " join settlement_match m on m.line = l.id order by l.gross desc"
    )
    assert sum(gross for _, gross, _, _ in lines) == 4_000  # all of the deposit, each row typed
    about = {told.rpartition("/")[2]: (how, key) for told, _, how, key in lines}
    assert about["Principal"] == ("order", f"order/orders/{FIRST}")
    named = {words for words, (_, key) in about.items() if key}
    assert named == {"Principal"}, about
    waits = {words for words, (how, _) in about.items() if how == "unknown"}
    assert "Never Seen Before" in waits
    assert "of unknown type" in shop.verb("reconcile", "status")
    balances = shop.balances()
    # what has a meaning is booked as that; what has none stands open in the account, by its amount
    open_ = sum(gross for _, gross, how, _ in lines if how == "unknown")
    assert balances["clearing/card"] == -open_
    assert shop.cases() == ["settlement_line_unknown"]
    assert balances["payouts-in-transit"] == 4_000
    assert shop.lies() == []


def test_a_settlement_by_a_mapping_waits_with_its_exact_difference(shop: House) -> None:
    sold(shop, SECOND, "80.00")
    rows = [("1", SECOND, "sale", "80.00", "9.60"), ("2", "", "commission", "-0.40", "")]
    shop.file("market", market(*rows, ("", "", "payout", "70.01", "")))
    shop.settle()
    assert shop.cases() == ["payout_does_not_tie"]
    assert shop.balances()["clearing/card"] == 8_000
    shop.file("market", market(("", "", "payout", "70.00", "")))
    shop.settle()
    assert shop.cases() == []
    assert shop.balances()["payouts-in-transit"] == 7_000

    shop.file("other-bank", bai2(7_000, 7_000))
    shop.settle()
    assert shop.cases() == []
    assert shop.balances()["bank/other-bank"] == 7_000
    assert shop.balances().get("clearing/card", 0) == 0
    assert shop.lies() == []


def test_a_row_of_no_known_word_is_held_until_a_person_types_it(shop: House) -> None:
    rows = [("1", "", "odd", "3.00", ""), ("", "", "payout", "3.00", "")]
    shop.file("market", market(*rows))
    shop.settle()
    assert len(shop.cases()) == 1
    assert shop.lies() == []
