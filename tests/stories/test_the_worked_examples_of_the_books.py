"""What accountants agreed on, to the cent, told as it happens: an order shipped by two entities, a
card sold by one and used at another, an exchange, a marketplace, a chargeback, Swiss coins, two
rates. Nothing stays open on what is finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.orders import Order, OrderChanged, OrderLine, OrderPlaced, TaxLine
from tillbridge.canonical.payments import DisputeResolved, PaymentCaptured, PaymentDisputed
from tillbridge.canonical.returns import RefundIssued, RefundLine, RefundPayment
from tillbridge.canonical.sales import SaleLine, SaleRung, SaleTender
from tillbridge.canonical.settlement import SettledRow, SettlementMatched
from tillbridge.canonical.shipments import GoodsShipped, ShippedLine
from tillbridge.durable import log
from tillbridge.durable.rooms import Record

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ENTITIES = {"DE": "EUR", "AT": "EUR", "A": "USD", "B": "USD", "CH": "CHF", "US": "USD"}
CHANNELS = (("shop-de", "DE"), ("market", "US"), ("shop-us", "US"))


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    """A group of six entities."""

    def furnish(folder: Path) -> None:
        file = folder / "tillbridge.toml"
        told = [
            f'[[entity]]\ncode = "{code}"\ncurrency = "{cur}"' for code, cur in ENTITIES.items()
        ]
        told += [f'[[channel]]\ncode = "{code}"\nentity = "{owner}"' for code, owner in CHANNELS]
        told.append('[[location]]\ncode = "store-vie"\nentity = "AT"')
        text = file.read_text() + "\n".join(told)
        file.write_text(text + '\n[tender_kinds]\namazon = "other"\nstripe = "card"\n')
        rates = "from,to,day,rate\nEUR,USD,2026-03-02,1.10\nEUR,USD,2026-03-20,1.20\n"
        (folder / "rates.csv").write_text(rates)
        price = 'from = 2026-01-01\nentity = "DE"\ntransfer_price = { AT = "54.83" }\n'
        (folder / "rules" / "policies.toml").write_text(f"[[policy]]\n{price}")

    with house(tmp_path / "house", database_url, furnish=furnish) as found:
        yield found


class Teller:
    """Facts of one key as connectors tell them, one minute after the other."""

    def __init__(self, shop: House, key: str, entity: str, **roles: str) -> None:
        self._shop, self._key, self._told = shop, key, 0
        self._entities = Entities(entity, **roles)
        self._currency = ENTITIES[entity]

    def tell(self, kind: type[Fact], day: int = 2, **words: Any) -> None:
        """One fact, carried through all rooms."""
        self._told += 1
        about: dict[str, Any] = {
            "key": self._key,
            "id": f"{self._key}#{self._told}",
            "source": "web",
            "mapping": "test/1",
            "occurred_at": NOON + timedelta(days=day - 2, minutes=self._told),
            "business_date": date(2026, 3, day),
            "entities": self._entities,
        }
        record = Record(self._key, kind.__name__, kind(**about, **words), lane_of(self._key))
        log.append_and_commit(self._shop.connection, [record])
        self._shop.flow()

    def ordered(self, channel: str, *lines: OrderLine, again: bool = False, **words: Any) -> None:
        """The order, or what it is now."""
        told = Order(
            number="1", channel=channel, version=f"2026-03-02T12:{self._told:02}:00Z",
            placed_at=NOON, lines=lines,
            **{"currency": self._currency, "total": sum(one.gross for one in lines), **words},
        )  # fmt: skip
        self.tell(OrderChanged if again else OrderPlaced, order=told)

    def paid(self, amount: int, tender: str, currency: str = "") -> None:
        """Money was taken."""
        money: dict[str, Any] = {"amount": amount, "currency": currency or self._currency}
        self.tell(PaymentCaptured, reference=f"cap-{self._told}", tender=tender, **money)

    def sent(self, place: str, **lines: int) -> None:
        """A parcel left; thousandths by line."""
        rows = tuple(ShippedLine(name, quantity) for name, quantity in lines.items())
        name = f"parcel-{self._told}"
        version = f"2026-03-02T13:{self._told:02}:00Z"
        self.tell(
            GoodsShipped,
            shipment=name,
            version=version,
            state="shipped",
            location=place,
            lines=rows,
        )


def item(name: str, list_: int, tax: int, jurisdiction: str = "", **words: Any) -> OrderLine:
    """A line with one tax."""
    full: dict[str, Any] = {"kind": "goods", "product": "P1", "quantity": 1000, **words}
    collector = full.pop("collector", "seller")
    taxes = (TaxLine("t", jurisdiction, tax, collector=collector),) if tax else ()
    return OrderLine(line=name, list=list_, taxes=taxes, ships=full["kind"] == "goods", **full)


def rung(
    shop: House, number: int, entity: str, lines: Sequence[SaleLine], *tenders: SaleTender,
    location: str, liability: str = "",
) -> None:  # fmt: skip
    """A receipt of a till."""
    key = f"sale/tills/{location}/1/2026-03-02/{number}"
    total = sum(line.gross for line in lines)
    Teller(shop, key, entity, liability=liability).tell(
        SaleRung, location=location, channel="stores", till="1", sequence=str(number),
        currency=ENTITIES[entity], total=total, lines=tuple(lines), tenders=tenders,
    )  # fmt: skip


def sold(list_: int, tax: int, jurisdiction: str, *, back: bool = False, **words: Any) -> SaleLine:
    """A line of a receipt."""
    sign = -1 if back else 1
    full: dict[str, Any] = {"kind": "goods", "product": "P1", "quantity": sign * 1000, **words}
    taxes = (TaxLine("t", jurisdiction, sign * tax),) if tax else ()
    direction = "return" if back else "sale"
    return SaleLine(line="1", direction=direction, list=sign * list_, taxes=taxes, **full)


def still_open(shop: House) -> dict[str, int]:
    """Open items that are not at zero, of whatever account."""
    rows = shop.rows(
        "select l.account || ' ' || l.item, sum(l.amount)::int from entry_line l"
        " where l.item <> '' group by 1 having sum(l.amount) <> 0"
    )
    return dict(rows)


def right(shop: House) -> None:
    """No case of the money, and no broken sentence."""
    assert [case for case in shop.cases() if not case.startswith("stock")] == []
    assert shop.lies() == []


def test_1_an_order_with_tax_inside_shipped_by_two_entities(shop: House) -> None:
    order = Teller(shop, "order/shop-de/1001", "DE")
    order.ordered(
        "shop-de",
        item("shoes", 10_000, 1_710, "de-19", quantity=2000, discount=1_000, promotion="ten"),
        item("book", 2_803, 177, "de-7", discount=281, promotion="ten"),
        item("post", 412, 78, "de-19", kind="shipping", product=""),
    )
    order.paid(13_899, "stripe")
    assert shop.balances("DE") == {"clearing/stripe": 13_899, "customer-deposits": -13_899}
    order.sent("wh-east", shoes=1000)
    assert shop.balances("DE")["customer-deposits"] == -13_899 + 5_845
    order.sent("store-vie", shoes=1000, book=1000)
    assert shop.balances("DE") == {
        "clearing/stripe": 13_899,
        "sales/unassigned": -12_803,
        "discounts/ten": 1_281,
        "shipping-income": -412,
        "sales-tax/de-19": -1_788,
        "sales-tax/de-7": -177,
        "intercompany-cost": 3_850,
        "due-to/AT": -3_850,
    }
    assert shop.balances("AT") == {"due-from/DE": 3_850, "intercompany-sales": -3_850}
    assert still_open(shop) == {}
    right(shop)


def test_2_a_card_sold_by_one_entity_and_used_at_another(shop: House) -> None:
    card = sold(5_000, 0, "", kind="gift_card", product="", card="G-1")
    rung(shop, 1, "A", [card], SaleTender("cash", "cash", 5_000), location="store-nyc")
    assert still_open(shop) == {"gift-card-liability card/G-1": -5_000}
    rung(
        shop, 2, "B", [sold(7_400, 600, "us-ny")],
        SaleTender("visa", "card", 3_000),
        SaleTender("gift-card", "gift_card", 5_000, issuer="other", card="G-1"),
        location="store-bos", liability="A",
    )  # fmt: skip
    assert shop.balances("A") == {"till/store-nyc/cash": 5_000, "due-to/B": -5_000}
    assert shop.balances("B") == {
        "clearing/visa": 3_000,
        "due-from/A": 5_000,
        "sales/unassigned": -7_400,
        "sales-tax/us-ny": -600,
    }
    assert still_open(shop) == {}
    right(shop)


def test_3_an_exchange_for_something_dearer(shop: House) -> None:
    order = Teller(shop, "order/shop-de/3", "DE")
    first = item("a", 5_000, 1_000, "de-20")
    order.ordered("shop-de", first)
    order.paid(6_000, "stripe")
    order.sent("wh-east", a=1000)
    back = RefundLine("a", 1000, 5_000, (TaxLine("t", "de-20", 1_000),), "return", "wh-east")
    version = "2026-03-02T12:30:00Z"
    order.tell(RefundIssued, refund="r", version=version, currency="EUR", lines=(back,))
    order.ordered("shop-de", first, item("b", 7_000, 1_400, "de-20"), again=True)
    order.paid(2_400, "stripe")
    order.sent("wh-east", b=1000)
    assert shop.balances("DE") == {
        "clearing/stripe": 8_400,
        "sales/unassigned": -7_000,
        "sales-tax/de-20": -1_400,
    }
    assert still_open(shop) == {}
    right(shop)


def test_4_a_marketplace_that_collects_the_tax(shop: House) -> None:
    order = Teller(shop, "order/market/4", "US")
    theirs: dict[str, Any] = {"jurisdiction": "us-ca", "collector": "marketplace"}
    order.ordered(
        "market",
        item("toy", 10_000, 825, **theirs),
        item("post", 500, 0, kind="shipping", product=""),
    )
    order.paid(10_500, "amazon")
    order.sent("wh-east", toy=1000)
    kinds: dict[str, int] = {"commission": 1_500, "fulfilment": 400, "paid": 8_600}
    rows = tuple(
        SettledRow(kind=kind, amount=sum_, tender="amazon") for kind, sum_ in kinds.items()
    )
    Teller(shop, "payout/amazon/11", "US").tell(
        SettlementMatched, account="amazon", payout="11", currency="USD", version=1, rows=rows
    )
    assert shop.balances("US") == {
        "sales/unassigned": -10_000,
        "shipping-income": -500,
        "commissions/amazon": 1_500,
        "fulfilment-fees/amazon": 400,
        "payouts-in-transit": 8_600,
    }
    assert still_open(shop) == {"payouts-in-transit payout/amazon/11": 8_600}


def test_6_swiss_coins_and_a_return_without_receipt(shop: House) -> None:
    coins = SaleTender("cash", "cash", 1_295)
    rung(shop, 1, "CH", [sold(1_196, 97, "ch")], coins, location="store-nyc")
    assert shop.balances("CH")["cash-rounding"] == -2
    credit = SaleTender("store-credit", "store_credit", -1_000, card="S-9")
    rung(shop, 2, "CH", [sold(925, 75, "ch", back=True)], credit, location="store-nyc")
    assert shop.balances("CH") == {
        "till/store-nyc/cash": 1_295,
        "sales/unassigned": -1_196 + 925,
        "sales-tax/ch": -97 + 75,
        "cash-rounding": -2,
        "store-credit-liability": -1_000,
    }
    assert still_open(shop) == {"store-credit-liability card/S-9": -1_000}
    right(shop)


def matched(payouts: Teller, version: int, payout: str, **amounts: int) -> None:
    """What a payout of the provider came to, by kind."""
    rows = tuple(
        SettledRow(kind=kind, amount=sum_, tender="stripe") for kind, sum_ in amounts.items()
    )
    words: dict[str, Any] = {
        "account": "stripe",
        "payout": payout,
        "currency": "USD",
        "version": version,
    }
    payouts.tell(SettlementMatched, day=20, rows=rows, **words)


def test_5_a_chargeback_that_is_won_later(shop: House) -> None:
    order = Teller(shop, "order/shop-us/5", "US")
    order.ordered("shop-us", item("toy", 10_000, 0))
    order.paid(10_000, "stripe")
    order.sent("wh-east", toy=1000)
    sale = {"sales/unassigned": -10_000}
    matched(Teller(shop, "payout/stripe/po_0", "US"), 1, "po_0", paid=10_000)
    assert shop.balances("US") == {**sale, "payouts-in-transit": 10_000}
    dispute: dict[str, Any] = {"dispute": "dp_1", "currency": "USD"}
    money: dict[str, Any] = {
        "tender": "stripe",
        "amount": 10_000,
        "fee": 1_500,
        "reference": "cap-1",
    }
    order.tell(PaymentDisputed, **dispute, **money)
    matched(Teller(shop, "payout/stripe/po_1", "US"), 1, "po_1", paid=-11_500)
    assert still_open(shop)["disputes dispute/dp_1"] == 10_000
    order.tell(DisputeResolved, outcome="won", **dispute)
    matched(Teller(shop, "payout/stripe/po_2", "US"), 1, "po_2", paid=10_000)
    assert shop.balances("US") == {
        **sale,
        "fees/stripe": 1_500,
        "payouts-in-transit": 10_000 - 11_500 + 10_000,
    }
    assert still_open(shop) == {
        f"payouts-in-transit payout/stripe/{name}": amount
        for name, amount in (("po_0", 10_000), ("po_1", -11_500), ("po_2", 10_000))
    }


def test_7_paid_at_one_rate_and_refunded_at_another(shop: House) -> None:
    order = Teller(shop, "order/shop-us/7", "US")
    order.ordered("shop-us", item("toy", 10_000, 0), currency="EUR")
    order.paid(10_000, "stripe", "EUR")
    matched(Teller(shop, "payout/stripe/po_1", "US"), 1, "po_1", fee=320, paid=10_680)
    assert shop.balances("US").get("clearing/stripe", 0) == 0
    payment = RefundPayment("ref-1", "stripe", 10_000, "success")
    goods = RefundLine("toy", 1000, 10_000, restock="cancel")
    told: dict[str, Any] = {"refund": "r", "version": "2026-03-20T12:00:00Z", "currency": "EUR"}
    order.tell(RefundIssued, day=20, lines=(goods,), payments=(payment,), **told)
    matched(Teller(shop, "payout/stripe/po_2", "US"), 1, "po_2", paid=-12_000)
    assert shop.balances("US") == {
        "fees/stripe": 320,
        "fx-difference": 1_000,
        "payouts-in-transit": 10_680 - 12_000,
    }
    assert still_open(shop) == {
        "payouts-in-transit payout/stripe/po_1": 10_680,
        "payouts-in-transit payout/stripe/po_2": -12_000,
    }
