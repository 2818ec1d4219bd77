"""A receipt of the tests' own and how five tills write it, each in its own dialect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import NamedTuple

from tillbridge.canonical.sales import SaleRung
from tillbridge.connectors.poslog import connector
from tillbridge.connectors.poslog.config import PoslogSettings
from tillbridge.contract.names import Proposals
from tillbridge.contract.promises import Connection, Item, Message, Translation

RECEIVED = datetime(2026, 3, 3, tzinfo=UTC)
CONNECTION = Connection(
    name="stores",
    entity="us",
    channel="stores",
    currency="USD",
    timezone="America/New_York",
    settings=PoslogSettings(),
)


class Thing(NamedTuple):
    """A line: pieces at a price in cents, discount of the line, tax of the line, voided or not."""

    item: str
    pieces: int
    price: int
    discount: int = 0
    tax: int = 0
    voided: bool = False

    @property
    def gross(self) -> int:
        return self.pieces * self.price

    @property
    def paid(self) -> int:
        return self.gross - self.discount


class Slip(NamedTuple):
    """A receipt. back: everything comes back. given: more cash than due, change is handed out."""

    things: tuple[Thing, ...]
    back: bool = False
    given: int = 0

    @property
    def counting(self) -> tuple[Thing, ...]:
        return tuple(thing for thing in self.things if not thing.voided)

    @property
    def sign(self) -> int:
        return -1 if self.back else 1

    @property
    def paid(self) -> int:
        return sum(thing.paid for thing in self.counting)

    @property
    def tax(self) -> int:
        return sum(thing.tax for thing in self.counting)

    @property
    def discount(self) -> int:
        return sum(thing.discount for thing in self.counting)


def money(cents: int) -> str:
    """Cents as a till writes them."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def transaction(inner: str, flags: str = "") -> str:
    """A transaction around what happened."""
    return (
        f"<Transaction{flags}><RetailStoreID>12</RetailStoreID><WorkstationID>4</WorkstationID>"
        "<SequenceNumber>77</SequenceNumber><BusinessDayDate>2026-03-02</BusinessDayDate>"
        "<EndDateTime>2026-03-02T10:00:00</EndDateTime><CurrencyCode>USD</CurrencyCode>"
        f"{inner}</Transaction>"
    )


def retail(lines: list[str], totals: dict[str, int], more: str = "") -> str:
    """A receipt of LineItems (their insides, a leading `@...|` holds attributes) and totals."""
    found = []
    for number, line in enumerate(lines, 1):
        attributes, _, inside = line.rpartition("|")
        found.append(
            f"<LineItem {attributes}><SequenceNumber>{number}</SequenceNumber>{inside}</LineItem>"
        )
    told = "".join(
        f'<Total TotalType="{name}">{money(value)}</Total>' for name, value in totals.items()
    )
    return transaction(f"<RetailTransaction>{''.join(found)}{told}{more}</RetailTransaction>")


def sale(
    item: str,
    amount: int,
    *,
    pieces: str = "1",
    element: str = "Sale",
    more: str = "",
    of: str = "",
) -> str:
    """A Sale or Return."""
    kind = f' ItemType="{of}"' if of else ""
    return (
        f"<{element}{kind}><ItemID>{item}</ItemID><ExtendedAmount>{money(amount)}</ExtendedAmount>"
        f"<Quantity>{pieces}</Quantity>{more}</{element}>"
    )


def tender(amount: int, kind: str = "Cash", code: str = "Sale", more: str = "") -> str:
    """A Tender."""
    return (
        f'<Tender TenderType="{kind}" TypeCode="{code}"><Amount>{money(amount)}</Amount>{more}'
        "</Tender>"
    )


def tax(amount: int, base: int = 0, *, code: str = "Sale", more: str = "") -> str:
    """A Tax."""
    return (
        f'<Tax TypeCode="{code}"><TaxAuthority>NY</TaxAuthority>'
        f"<TaxableAmount>{money(base)}</TaxableAmount><Amount>{money(amount)}</Amount>{more}</Tax>"
    )


def _regular(thing: Thing) -> str:
    return f"<RegularSalesUnitPrice>{money(thing.price)}</RegularSalesUnitPrice>"


def rewarding(slip: Slip) -> str:
    """Taxes and discounts as lines of their own, a reward told in detail and in sum, voids by a
    flagged negative line, change as a negative tender, returns with negative amounts.
    """
    sign, lines = slip.sign, []
    for thing in slip.things:
        element = "Return" if slip.back else "Sale"
        told = sale(
            thing.item, sign * thing.gross, pieces=str(sign * thing.pieces), element=element
        )
        lines.append(told)
        if thing.voided:
            back = sale(
                thing.item, -sign * thing.gross, pieces=str(-sign * thing.pieces), element=element
            )
            lines.append(f'VoidFlag="true"|{back}')
    if slip.tax:
        lines.append(tax(sign * slip.tax, sign * slip.paid, code="Refund" if slip.back else "Sale"))
    for thing in slip.counting:
        if thing.discount:
            lines.append(_reward(-sign * thing.discount, 'detailedData="true"'))
    if slip.discount:
        lines.append(_reward(-sign * slip.discount, 'summarizedActivity="true"'))
    total = sign * (slip.paid + slip.tax)
    lines.append(tender(total + slip.given, code="Refund" if slip.back else "Sale"))
    if slip.given:
        change = f"<TenderChange><Amount>{money(-slip.given)}</Amount></TenderChange>"
        lines.append(tender(-slip.given, more=change))
    return retail(lines, {"TransactionGrandAmount": total, "TransactionTaxAmount": sign * slip.tax})


def _reward(amount: int, attributes: str) -> str:
    return (
        f"<LoyaltyReward {attributes}><PromotionID>9</PromotionID>"
        "<RewardCategory>Monetary</RewardCategory>"
        f"<ExtendedRewardAmount>{money(amount)}</ExtendedRewardAmount></LoyaltyReward>"
    )


def included_in_lines(slip: Slip) -> str:
    """Prices after discount hold the tax, told in each line; a void names its line and has the same
    positive amount; change inside of the tender; Return elements with positive amounts.
    """
    lines: list[str] = []
    for thing in slip.things:
        price = thing.paid + thing.tax
        more = f"<ExtendedDiscountAmount>{money(thing.discount)}</ExtendedDiscountAmount>"
        more += tax(thing.tax, thing.paid)
        element = "Return" if slip.back else "Sale"
        told = sale(thing.item, price, pieces=str(thing.pieces), element=element, more=more)
        lines.append(told)
        if thing.voided:
            named = f"<VoidsLineItem>{len(lines)}</VoidsLineItem>"
            lines.append(f'VoidFlag="true"|{named}{told}')
    total = slip.paid + slip.tax
    change = f"<TenderChange><Amount>{money(slip.given)}</Amount></TenderChange>"
    lines.append(
        tender(
            total + slip.given,
            code="Refund" if slip.back else "Sale",
            more=change if slip.given else "",
        )
    )
    totals = {"TransactionGrandAmount": total, "TransactionTaxAmount": slip.tax}
    return retail(lines, {name: slip.sign * value for name, value in totals.items()})


def header_only(slip: Slip) -> str:
    """Only the header tells the tax, prices hold it; voided lines are left out; a return has
    negative quantities and positive amounts; change is a line of its own.
    """
    lines = [
        sale(thing.item, thing.paid + thing.tax, pieces=str(slip.sign * thing.pieces))
        for thing in slip.counting
    ]
    total = slip.paid + slip.tax
    lines.append(tender(total + slip.given, code="Refund" if slip.back else "Sale"))
    if slip.given:
        lines.append(
            '<TenderChange TypeCode="Refund"><TenderChange TenderType="Cash">'
            f"<Amount>{money(slip.given)}</Amount></TenderChange></TenderChange>"
        )
    totals = {
        "TransactionGrandAmount": total,
        "TransactionNetAmount": slip.paid,
        "TransactionTaxAmount": slip.tax,
    }
    return retail(lines, {name: slip.sign * value for name, value in totals.items()})


def told_twice(slip: Slip) -> str:
    """Amounts before discount; discount and tax stand in the lines and again as lines; the voided
    line itself is flagged; header totals of a return are positive.
    """
    lines: list[str] = []
    for thing in slip.things:
        more = _regular(thing)
        more += f"<ExtendedDiscountAmount>{money(thing.discount)}</ExtendedDiscountAmount>"
        more += tax(thing.tax, thing.paid)
        told = sale(
            thing.item,
            thing.gross,
            pieces=str(thing.pieces),
            element="Return" if slip.back else "Sale",
            more=more,
        )
        lines.append(f'VoidFlag="true"|{told}' if thing.voided else told)
    if slip.discount:
        lines.append(f"<Discount><Amount>{money(slip.discount)}</Amount></Discount>")
    if slip.tax:
        lines.append(tax(slip.tax, slip.paid))
    total = slip.paid + slip.tax
    lines.append(tender(total + slip.given, code="Refund" if slip.back else "Sale"))
    if slip.given:
        lines.append(
            f'<TenderChange TenderType="Cash"><Amount>{money(slip.given)}</Amount></TenderChange>'
        )
    return retail(lines, {"TransactionGrandAmount": total})


def unsigned_tenders(slip: Slip) -> str:
    """Taxes on top in each line; modifiers tell the discount; tenders never tell a refund."""
    lines: list[str] = []
    for thing in slip.things:
        more = (
            f'<RetailPriceModifier><Amount Action="Subtract">{money(thing.discount)}</Amount>'
            "<PromotionID>P</PromotionID></RetailPriceModifier>"
        )
        told = sale(
            thing.item,
            slip.sign * thing.paid,
            pieces=str(slip.sign * thing.pieces),
            more=more + tax(thing.tax, thing.paid),
        )
        lines.append(f'VoidFlag="1"|{told}' if thing.voided else told)
    total = slip.paid + slip.tax
    lines.append(f'<Tender TenderType="Check"><Amount>{money(total)}</Amount></Tender>')
    totals = {"TransactionGrandAmount": total, "TransactionTaxAmount": slip.tax}
    return retail(lines, {name: slip.sign * value for name, value in totals.items()})


DIALECTS: tuple[Callable[[Slip], str], ...] = (
    rewarding,
    included_in_lines,
    header_only,
    told_twice,
    unsigned_tenders,
)


def document(*transactions: str) -> bytes:
    """A file of transactions."""
    return f"<POSLog>{''.join(transactions)}</POSLog>".encode()


def items(data: bytes, connection: Connection = CONNECTION) -> list[Item]:
    """Items of a file."""
    return list(connector.split(BytesIO(data), "day.xml", connection))


def translated(body: bytes, connection: Connection = CONNECTION) -> Translation:
    """Translation of one message."""
    message = Message(
        connection=connection.name,
        topic="poslog/transaction",
        delivery="1",
        body=body,
        received_at=RECEIVED,
    )
    return connector.translate(message, connection, Proposals(connection.name))


def rung(text: str, connection: Connection = CONNECTION) -> SaleRung:
    """The sale a transaction tells."""
    fact = translated(document(text), connection).facts[0]
    assert isinstance(fact, SaleRung)
    return fact


def proof(fact: SaleRung) -> tuple[int, int]:
    """(lines and taxes less total, tenders less total): the second is the cash rounding."""
    inside = sum(line.net + sum(each.amount for each in line.taxes) for line in fact.lines)
    value = inside + sum(each.amount for each in fact.taxes)
    return value - fact.total, sum(each.amount for each in fact.tenders) - fact.total
