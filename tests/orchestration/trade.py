"""A made-up order's whole evidence, and a model that books whatever the deciders emit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
from hypothesis import strategies as st

from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.orders import (
    Order,
    OrderCancelled,
    OrderChanged,
    OrderLine,
    OrderPlaced,
    TaxLine,
)
from tillbridge.canonical.payments import PaymentCaptured, PaymentRefunded
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import RefundAdjustment, RefundIssued, RefundLine, RefundPayment
from tillbridge.canonical.shipments import GoodsShipped, ShippedLine
from tillbridge.canonical.stock import MoveStock, ReserveStock, StockReserved
from tillbridge.canonical.valued import SaleRecognised, SaleReversed, Valued
from tillbridge.orchestration.orders.decide import decide
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.orders.status import status_of
from tillbridge.orchestration.policies import ChannelPolicy, Policies
from tillbridge.posting.money.book import RuleBook, load_book
from tillbridge.posting.money.engine import post
from tillbridge.posting.money.policy import Policy

KEY = "order/web/1"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICIES = Policies(
    channels={"web": ChannelPolicy(channel="web", entity="us", fulfil_from=("wh", "store"))},
)
MONEY = Policy({"us": "USD", "ca": "USD", "mx": "USD"})


@lru_cache(maxsize=1)
def book() -> RuleBook:
    """The rule book every workspace begins with."""
    return load_book()


def about(number: int) -> dict[str, Any]:
    """What every fact carries; number: minutes after noon."""
    return {
        "key": KEY,
        "id": f"{KEY}/fact/{number}",
        "source": "web",
        "mapping": "test/1",
        "occurred_at": NOON + timedelta(minutes=number),
        "business_date": date(2026, 3, 2),
        "entities": Entities(selling="us"),
    }


def version(number: int) -> str:
    """Sortable text of the n-th telling."""
    return f"2026-03-02T12:{number:02}:00Z"


class Unit(msgspec.Struct, frozen=True):
    """Fate of one piece: shipped, cancelled, return or no_restock; which parcel, which refund."""

    fate: str
    parcel: int
    refund: int


class Trade(msgspec.Struct, frozen=True):
    """All facts of one order in the order they happened, and whether it is over and paid."""

    facts: tuple[Fact, ...]
    order: Order
    finished: bool


def line(name: str, kind: str = "goods", **words: Any) -> OrderLine:
    """An order line; a piece for 10.00 with 1.00 of tax unless told otherwise."""
    full: dict[str, Any] = {
        "line": name,
        "kind": kind,
        "product": f"sku-{name}" if kind == "goods" else "",
        "quantity": 1000,
        "list": 1000,
        "taxes": (TaxLine("t", "us-ny", 100),),
        "ships": kind == "goods",
        **words,
    }
    return OrderLine(**full)


def order(lines: Sequence[OrderLine], at: int = 0, **words: Any) -> Order:
    """One version of the order."""
    full: dict[str, Any] = {
        "number": "#1001",
        "channel": "web",
        "currency": "USD",
        "version": version(at),
        "placed_at": NOON,
        "total": sum(one.gross for one in lines),
        "lines": tuple(lines),
        **words,
    }
    return Order(**full)


def placed(told: Order, at: int = 0) -> OrderPlaced:
    """The first telling of an order."""
    return OrderPlaced(order=told, **about(at))


def changed(told: Order, at: int = 1) -> OrderChanged:
    """A later telling of an order."""
    return OrderChanged(order=told, **about(at))


def capture(amount: int, at: int = 1, tender: str = "visa", reference: str = "") -> PaymentCaptured:
    """Money taken."""
    return PaymentCaptured(
        reference=reference or f"cap-{at}",
        tender=tender,
        amount=amount,
        currency="USD",
        **about(at),
    )


def parcel(
    name: str, lines: dict[str, int], at: int = 2, state: str = "shipped", place: str = "wh"
) -> GoodsShipped:
    """One telling of a fulfilment; lines: name -> whole pieces."""
    return GoodsShipped(
        shipment=name,
        version=version(at),
        state=state,
        location=place,
        lines=tuple(ShippedLine(one, pieces * 1000) for one, pieces in lines.items()),
        **about(at),
    )


def refund(
    name: str,
    lines: Sequence[RefundLine] = (),
    at: int = 3,
    *,
    adjustments: Sequence[RefundAdjustment] = (),
    paid: bool = True,
) -> RefundIssued:
    """A refund whose payment is what its lines and adjustments say."""
    amount = sum(one.net + sum(t.amount for t in one.taxes) for one in lines)
    amount += sum(one.net + one.tax for one in adjustments)
    payment = RefundPayment(f"ref-{name}", "visa", amount, "success" if paid else "pending")
    return RefundIssued(
        refund=name,
        version=version(at),
        currency="USD",
        lines=tuple(lines),
        adjustments=tuple(adjustments),
        payments=(payment,) if amount > 0 else (),
        **about(at),
    )


_taxes = st.lists(
    st.builds(
        TaxLine,
        code=st.just("t"),
        jurisdiction=st.sampled_from(("us-ny", "us-nyc")),
        amount=st.integers(0, 997),
    ),
    max_size=2,
    unique_by=lambda tax: tax.jurisdiction,
).map(tuple)


@st.composite
def _goods(draw: st.DrawFn, name: str) -> tuple[OrderLine, list[Unit]]:
    units = draw(
        st.lists(
            st.builds(
                Unit,
                fate=st.sampled_from(("shipped", "cancelled", "return", "no_restock")),
                parcel=st.integers(0, 2),
                refund=st.integers(0, 1),
            ),
            min_size=1,
            max_size=4,
        )
    )
    listed = draw(st.integers(0, 9999))
    told = line(
        name,
        quantity=len(units) * 1000,
        list=listed,
        discount=draw(st.integers(0, listed)),
        taxes=draw(_taxes),
        department=draw(st.sampled_from(("", "shoes"))),
        promotion=draw(st.sampled_from(("", "spring"))),
    )
    return told, units


@st.composite
def trades(draw: st.DrawFn) -> Trade:
    """Orders that are paid and whose every piece has met its fate, with all their tellings."""
    goods = [draw(_goods(f"g{n}")) for n in range(draw(st.integers(0, 2)))]
    others = [
        line(f"x{kind}", kind, product="", list=draw(st.integers(0, 1500)), taxes=draw(_taxes))
        for kind in draw(
            st.lists(
                st.sampled_from(("shipping", "service", "tip", "gift_card", "fee")),
                unique=True,
                max_size=3,
                min_size=0 if goods else 1,
            )
        )
    ]
    lines = [one for one, _ in goods] + others
    whole = order(lines, at=5)
    given_up = bool(goods) and all(u.fate == "cancelled" for _, units in goods for u in units)
    facts: list[Fact] = [placed(msgspec.structs.replace(whole, version=version(0)))]
    facts += _payments(draw, whole.total)
    stated = draw(st.booleans())
    newest = msgspec.structs.replace(
        whole,
        paid_stated=whole.total if stated else None,
        tenders=("visa",) if stated else (),
        cancelled_at=NOON if given_up and draw(st.booleans()) else None,
    )
    if draw(st.booleans()):  # an earlier telling knew other departments and a fee more
        early = [msgspec.structs.replace(one, department="misc") for one in whole.lines]
        early.append(line("gone", "fee", product="", list=333, taxes=()))
        facts.append(changed(order(early, at=4), 4))
    about_newest = about(5)
    facts.append(
        OrderCancelled(order=newest, **about_newest)
        if newest.cancelled_at
        else OrderChanged(order=newest, **about_newest)
    )
    facts += _parcels(goods)
    facts += _refunds(draw, goods, next((x for x in others if x.kind == "shipping"), None))
    return Trade(tuple(facts), newest, finished=True)


def _payments(draw: st.DrawFn, total: int) -> list[Fact]:
    first = draw(st.integers(0, total))
    amounts = [amount for amount in (first, total - first) if amount]
    tenders = ("visa", "gift-card")
    return [capture(a, 10 + n, tenders[n], f"cap-{n}") for n, a in enumerate(amounts)]


def _parcels(goods: Sequence[tuple[OrderLine, list[Unit]]]) -> list[Fact]:
    """Every parcel is first open; one is told as shipped twice and a wrong one is cancelled."""
    facts: list[Fact] = []
    for number in range(3):
        inside: dict[str, int] = {}
        for one, units in goods:
            pieces = sum(u.parcel == number and u.fate != "cancelled" for u in units)
            if pieces:
                inside[one.line] = pieces
        if inside:
            place = ("wh", "store", "wh")[number]
            facts += [
                parcel(f"p{number}", inside, 20 + number, "open", place),
                parcel(f"p{number}", inside, 30 + number, "shipped", place),
                parcel(f"wrong{number}", inside, 20 + number, "shipped", place),
                parcel(f"wrong{number}", inside, 33 + number, "cancelled", place),
            ]
    return facts


def _refunds(
    draw: st.DrawFn, goods: Sequence[tuple[OrderLine, list[Unit]]], freight: OrderLine | None
) -> list[Fact]:
    facts: list[Fact] = []
    left = {
        one.line: (len(units), one.net, {n: tax.amount for n, tax in enumerate(one.taxes)})
        for one, units in goods
    }
    for number in range(2):
        lines: list[RefundLine] = []
        for one, units in goods:
            for fate in ("cancelled", "return", "no_restock"):
                pieces = sum(u.refund == number and u.fate == fate for u in units)
                if pieces:
                    lines.append(_refund_line(draw, one, fate, pieces, left))
        adjustments = []
        if number == 0 and freight is not None and lines and draw(st.booleans()):
            back = draw(st.integers(0, freight.net))
            adjustments.append(RefundAdjustment("shipping", back, 0))
        if number == 1 and lines and draw(st.booleans()):
            worth = sum(x.net for x in lines)
            adjustments.append(RefundAdjustment("discrepancy", -draw(st.integers(0, worth))))
        if lines:
            told = refund(f"r{number}", lines, 41 + number, adjustments=adjustments)
            pending = refund(f"r{number}", lines, 40, adjustments=adjustments, paid=False)
            facts += [pending, told]
            facts += [
                PaymentRefunded(
                    reference=p.reference,
                    tender=p.tender,
                    amount=p.amount,
                    currency="USD",
                    **about(45 + number),
                )
                for p in told.payments
            ]
    return facts


def _refund_line(
    draw: st.DrawFn,
    one: OrderLine,
    fate: str,
    pieces: int,
    left: dict[str, tuple[int, int, dict[int, int]]],
) -> RefundLine:
    """The channel shares a line's money by its own lights; the last pieces get what is left."""
    have, net, taxes = left[one.line]
    last = pieces == have

    def share(amount: int) -> int:
        if last:
            return amount
        wobble = draw(st.integers(0, 1))
        return min(amount, amount * pieces // have + wobble)

    mine = share(net)
    tax = {n: share(amount) for n, amount in taxes.items()}
    left[one.line] = (have - pieces, net - mine, {n: taxes[n] - tax[n] for n in taxes})
    restock = {"cancelled": "cancel"}.get(fate, fate)
    return RefundLine(
        one.line,
        pieces * 1000,
        mine,
        tuple(msgspec.structs.replace(one.taxes[n], amount=amount) for n, amount in tax.items()),
        restock,
        "store" if restock == "return" else "",
    )


class Model:
    """Decides facts one after the other and books what follows."""

    def __init__(self, policies: Policies = POLICIES) -> None:
        self.state = OrderState(key=KEY)
        self.emitted: list[Body] = []
        self.notices: list[str] = []
        self.settled: list[str] = []
        self.amounts: dict[str, int | None] = {}
        self.balances: dict[str, int] = {}
        self.items: dict[tuple[str, str], int] = {}
        self._policies = policies

    def tell(self, facts: Iterable[Body]) -> Model:
        """Fold facts; every reservation is answered at once."""
        for fact in facts:
            state = self.state.copied()
            decision = decide(state, fact, self._policies)
            self.state = state
            self.notices += [notice.reason for notice in decision.notices]
            self.amounts |= {notice.reason: notice.amount for notice in decision.notices}
            self.settled += decision.settles
            for body in decision.emits:
                self._book(body)
                if isinstance(body, ReserveStock):
                    self.tell([_reserved(body)])
        return self

    def _book(self, body: Body) -> None:
        self.emitted.append(body)
        if isinstance(body, Valued):
            self.post(body)

    def post(self, body: Fact) -> None:
        """Book a valued fact or a till sale."""
        for entry in post(book(), body, MONEY):
            assert sum(one.amount for one in entry.lines) == 0
            for one in entry.lines:
                self.balances[one.account] = self.balances.get(one.account, 0) + one.amount
                if one.item:
                    item = (one.account, one.item)
                    self.items[item] = self.items.get(item, 0) + one.amount

    def end_of_hold(self) -> datetime | None:
        """When the next authorisation lapses."""
        return self.state.lapses_at

    def end(self) -> dict[str, Any]:
        """What must not depend on the order of arrival."""
        state = self.state
        return {
            "deposited": _nonzero(state.deposited),
            "refunded": _nonzero(state.refunded),
            "recognised": state.recognised,
            "reversed": state.reversed,
            "moved": _nonzero(state.moved),
            "returned": state.returned,
            "recharged": state.recharged,
            "transferred": state.transferred,
            "movements": _nonzero(self.movements()),
            "wanted": state.wanted,
            "status": status_of(state),
            "balances": _nonzero(self.balances),
            "open": _nonzero(self.items),
        }

    def movements(self) -> dict[tuple[str, str], int]:
        """Thousandths per place and product that all movements sum to."""
        sums: dict[tuple[str, str], int] = {}
        for body in self.emitted:
            if isinstance(body, MoveStock):
                for one in body.lines:
                    place = (one.location, one.product)
                    sums[place] = sums.get(place, 0) + one.quantity
        return sums

    def documents(self, kind: str) -> list[Any]:
        """Commands for documents of a kind, in order; their bodies are of many shapes."""
        return [b for b in self.emitted if isinstance(b, SubmitDocument) and b.kind == kind]

    def valued(self, kind: type[SaleRecognised | SaleReversed]) -> int:
        """Gross value of all facts of a kind, minor units."""
        found = [body for body in self.emitted if isinstance(body, kind)]
        net = sum(one.list - one.discount for fact in found for one in fact.lines)
        return net + sum(tax.tax for fact in found for tax in fact.taxes)


def _reserved(body: ReserveStock) -> StockReserved:
    return StockReserved(
        version=body.version,
        location="wh" if body.lines else "",
        lines=body.lines,
        **{**about(0), "id": f"{body.id}/reserved"},
    )


def _nonzero(amounts: dict[Any, int]) -> dict[Any, int]:
    return {name: amount for name, amount in amounts.items() if amount}
