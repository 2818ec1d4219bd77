"""State of an order: the evidence told so far, and what was already booked from it.

Evidence merges by identity and version, so the order of arrival does not matter; booked amounts
are cumulative, so a step is always target less booked.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import msgspec

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.orders import Order, OrderLine, TaxLine
from tillbridge.canonical.returns import RefundAdjustment, RefundLine, RefundPayment
from tillbridge.canonical.shipments import ShippedLine
from tillbridge.canonical.stock import StockLine
from tillbridge.orchestration.orders.account_state import Account, with_bank
from tillbridge.orchestration.orders.channel_state import Commanded, Told
from tillbridge.orchestration.orders.inherited import Inherited
from tillbridge.orchestration.orders.payments import (
    REFUNDED,
    Dispute,
    PaymentTold,
    Tables,
    given_back,
    taken,
)
from tillbridge.orchestration.orders.request_state import Request
from tillbridge.orchestration.orders.return_state import Return
from tillbridge.orchestration.terms import OrderTerms

FULFILMENT = (
    "open",
    "allocated",
    "picked",
    "packed",
    "ready",
    "expired",
    "shipped",
    "collected",
    "delivered",
    "failed",
    "cancelled",
)
"""States of a fulfilment, the later one last: it counts among tellings of one version."""
GONE = ("shipped", "collected", "delivered")
ARRIVED = ("collected", "delivered")


class Shipment(msgspec.Struct, frozen=True, omit_defaults=True):
    """Newest telling of one fulfilment. at: (version, rank of the state) of the telling that said
    location, lines, tracking or carrier, where the newest did not. since: when the newest happened.
    teller: connection that said the lines, "" = nobody yet, or before that was noted.
    """

    version: str
    state: str
    location: str
    lines: tuple[ShippedLine, ...]
    tracking: str = ""
    at: dict[str, tuple[str, int]] = {}
    since: datetime | None = None
    teller: str = ""
    carrier: str = ""


class Substitution(msgspec.Struct, frozen=True, omit_defaults=True):
    """Newest telling of what goes out for a line; fields as in LineSubstituted."""

    version: str
    line: str
    product: str
    quantity: int
    net: int | None = None
    location: str = ""


class Refund(msgspec.Struct, frozen=True, omit_defaults=True):
    """Newest telling of one refund."""

    version: str
    lines: tuple[RefundLine, ...] = ()
    adjustments: tuple[RefundAdjustment, ...] = ()
    payments: tuple[RefundPayment, ...] = ()
    currency: str = ""


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place that failed the order. lines: quantities by line, {} = whatever stood there. stood:
    what of it the order held there when it was told. reason `allowed`: it may serve again.
    """

    location: str
    reason: str
    lines: dict[str, int] = {}
    stood: tuple[StockLine, ...] = ()
    at: datetime | None = None


GOODS = "goods"


class LineValue(msgspec.Struct, frozen=True, omit_defaults=True):
    """Cumulative value booked on one line: thousandths, minor units; taxes by tax key.

    kind, department, promotion, card: where it was booked, so that it can be taken out again from
    there.
    """

    quantity: int = 0
    list: int = 0
    discount: int = 0
    taxes: dict[str, int] = {}
    kind: str = GOODS
    department: str = ""
    promotion: str = ""
    card: str = ""

    def __post_init__(self) -> None:
        """Equal values are stored as equal bytes: the encoder knows a default by its identity."""
        if self.kind == GOODS:
            msgspec.structs.force_setattr(self, "kind", GOODS)

    @property
    def belongs(self) -> tuple[str, str, str, str]:
        """What decides the accounts and the open item."""
        return self.kind, self.department, self.promotion, self.card


class DocumentSeen(msgspec.Struct, frozen=True, omit_defaults=True):
    """A document asked for: its kind, what became of it, the ERP's number."""

    kind: str
    state: str
    number: str = ""


class TaxAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a tax service said of a subject: taxes by line, or the words of its refusal."""

    lines: dict[str, tuple[TaxLine, ...]] = {}
    words: str = ""


class OrderState(msgspec.Struct, omit_defaults=True):
    """Everything decided and known about one order.

    captures, refund_payments: reference -> (tender, minor units, currency). deposited, refunded:
    purse (see payments.py) -> minor units booked. recognised: line -> value. reversed:
    `refund/index/line` -> value.
    moved: line, product, location, kind, unit -> thousandths. wanted: line -> thousandths to hold.
    standing: what the stock book holds of it and where; promised: out of expected supply. failures:
    by number, places that failed it; failures_asked: how many of them the last request knew. anew:
    to be sourced again in any case. hold_turn: newest answer of hold_version.
    noticed: reasons of notices that still have their ground.
    steps: counters that number the facts decided here.
    returns: by return id. returned: line -> thousandths that count as returned. recharged:
    `entity/location/return/index/line` -> what is booked as owed to stores of other entities.
    payments: `kind/reference` -> what else is told of a movement. disputes: by their id. claimed:
    dispute, step, tender -> minor units booked. lapsing: authorisations the clock told of.
    lapses, lapses_at: the next one that lapses, and when; None = none that matters.
    ordered: what the ERP's sales order says, in a few letters ("" = not known, or not sent).
    goods: as `moved`, what the ERP was told of it.
    substitutions: by id. prices: line -> net and quantity when its first substitute was seen.
    terms: what was agreed, as of the newest decision.
    replaces, replaced_by: keys of orders. inherited: by key, what replaced ones handed over.
    handed: purse -> minor units this one handed over.
    untaxed, untaxed_refunds: as told, where a tax was missing; order and refunds hold what a tax
    service answered since (taxes: by subject and digest of what was asked). tax_asked: subject ->
    digest asked for. tax_recorded: line -> value told to the service; tax_returned: refund ->
    digest of what it was told of it. invoiced: as recognised and reversed, the product on papers.
    answered: hold_version of the newest answer. requests: by operation, what places were asked for.
    parcels: each fulfilment as its own teller tells it, where several systems tell of the order's
    goods; shipments then holds what counts (see same_goods.py). told: by fulfilment, what the
    channel knows. commanded: by operation, refunds it was asked for; approved: up to which minor
    units. transferred: entity -> transfer price booked. These are replaced, never changed in place.
    """

    key: str
    revision: int = 0
    source: str = ""
    entities: Entities = Entities(selling="")
    order: Order | None = None
    captures: dict[str, tuple[str, int, str]] = {}
    shipments: dict[str, Shipment] = {}
    refunds: dict[str, Refund] = {}
    refund_payments: dict[str, tuple[str, int, str]] = {}
    deposited: dict[str, int] = {}
    refunded: dict[str, int] = {}
    recognised: dict[str, LineValue] = {}
    reversed: dict[str, LineValue] = {}
    moved: dict[str, int] = {}
    wanted: dict[str, int] = {}
    hold_version: int = 0
    hold: str = ""
    hold_turn: int = 0
    standing: tuple[StockLine, ...] = ()
    promised: tuple[StockLine, ...] = ()
    failures: dict[str, Failure] = {}
    failures_asked: int = 0
    anew: bool = False
    documents: dict[str, DocumentSeen] = {}
    noticed: tuple[str, ...] = ()
    steps: dict[str, int] = {}
    returns: dict[str, Return] = {}
    returned: dict[str, int] = {}
    recharged: dict[str, LineValue] = {}
    payments: dict[str, PaymentTold] = {}
    disputes: dict[str, Dispute] = {}
    claimed: dict[str, int] = {}
    lapsing: tuple[str, ...] = ()
    lapses_at: datetime | None = None
    ordered: str = ""
    goods: dict[str, int] = {}
    lapses: str = ""
    substitutions: dict[str, Substitution] = {}
    prices: dict[str, tuple[int, int]] = {}
    replaces: str = ""
    replaced_by: str = ""
    inherited: dict[str, Inherited] = {}
    handed: dict[str, int] = {}
    terms: OrderTerms = OrderTerms()
    untaxed: Order | None = None
    untaxed_refunds: dict[str, Refund] = {}
    taxes: dict[str, TaxAnswer] = {}
    tax_asked: dict[str, str] = {}
    tax_recorded: dict[str, LineValue] = {}
    tax_returned: dict[str, str] = {}
    invoiced: dict[str, str] = {}
    answered: int = 0
    requests: dict[str, Request] = {}
    parcels: dict[str, Shipment] | None = None
    told: dict[str, Told] | None = None
    commanded: dict[str, Commanded] | None = None
    approved: dict[str, int] | None = None
    account: Account | None = None
    transferred: dict[str, int] | None = None

    def copied(self) -> OrderState:
        """A copy whose tables may be changed without touching this one."""
        other = msgspec.structs.replace(self)
        for field in _TABLES:
            setattr(other, field, dict(getattr(self, field)))
        return other

    def line(self, line: str) -> OrderLine | None:
        """A line of the newest version."""
        if self.order is None:
            return None
        return next((found for found in self.order.lines if found.line == line), None)

    def step(self, name: str) -> int:
        """Next number of a kind of decided fact."""
        self.steps[name] = self.steps.get(name, 0) + 1
        return self.steps[name]


# what a copy may change without touching the state it was made of
_TABLES = tuple(
    field.name for field in msgspec.structs.fields(OrderState) if field.default_factory is dict
)


def payment_tables(state: OrderState) -> Tables:
    """The evidence of the order's payments. What a refund's record says of its payments is told by
    the channel, as its transactions are.
    """
    if not state.refunds:
        return Tables(state.captures, state.refund_payments, state.payments, ())
    rows = tuple(
        PaymentTold(
            REFUNDED,
            payment.reference,
            payment.tender,
            payment.amount,
            refund.currency,
            _UNTOLD,
            parent=payment.parent,
            roads=(state.source,),
            card=payment.card,
        )
        for refund in state.refunds.values()
        for payment in refund.payments
        if payment.state == "success"
    )
    return Tables(state.captures, state.refund_payments, state.payments, rows)


_UNTOLD = datetime.min.replace(tzinfo=UTC)


def captured(state: OrderState) -> dict[str, int]:
    """Money taken so far by purse, whoever booked it."""
    by_purse = taken_here(state)
    if state.order is not None:
        for paid in state.order.till_paid:
            by_purse[paid.tender] = by_purse.get(paid.tender, 0) + paid.amount
    return by_purse


def taken_here(state: OrderState) -> dict[str, int]:
    """Money taken so far by purse that is the order's to book: each payment intent once, and what
    the channel states beyond them where it names the one tender it came by; less what was handed
    over to the order that replaces it. What a till took is booked with its receipt.
    """
    by_purse = named_payments(state)
    order = state.order
    if order is not None and order.paid_stated is not None:
        beyond = order.paid_stated - sum(by_purse.values())
        if beyond > 0 and len(order.tenders) == 1:
            only = order.tenders[0]
            by_purse[only] = by_purse.get(only, 0) + beyond
    for purse, amount in state.handed.items():
        by_purse[purse] = by_purse.get(purse, 0) - amount
    return by_purse


def named_payments(state: OrderState) -> dict[str, int]:
    """Money of named transactions by purse: of the order and of those it replaces. One that both
    were told counts once.
    """
    by_purse = taken(payment_tables(state))
    if state.account is not None:
        by_purse = with_bank(by_purse, state.account)
    if not state.inherited:
        return by_purse
    for origin in sorted(state.inherited):
        over = state.inherited[origin]
        twice = sum(state.captures[name][1] for name in over.references if name in state.captures)
        for purse, amount in sorted(over.amounts.items()):
            again = min(twice, amount)
            twice -= again
            by_purse[purse] = by_purse.get(purse, 0) + amount - again
    return by_purse


def paid_unnamed(state: OrderState) -> int:
    """Minor units the channel states as paid although nothing tells by which tender: it names
    none, or several without their transactions.
    """
    order = state.order
    if order is None or len(order.tenders) == 1 or not order.paid_stated:
        return 0
    return max(order.paid_stated - sum(named_payments(state).values()), 0)


def repaid(state: OrderState) -> dict[str, int]:
    """Money given back so far by purse, whoever booked it."""
    by_purse = repaid_here(state)
    for refund in state.refunds.values():
        for payment in refund.payments:
            if payment.state == "at_till":
                by_purse[payment.tender] = by_purse.get(payment.tender, 0) + payment.amount
    return by_purse


def repaid_here(state: OrderState) -> dict[str, int]:
    """Money given back so far by purse that is the order's to book: what is told twice once, what
    came back again not.
    """
    if not (state.refunds or state.refund_payments or state.payments):
        return {}
    return given_back(payment_tables(state))


def shipped(state: OrderState) -> dict[str, int]:
    """Thousandths that left so far per line: shipped, collected or delivered."""
    return fulfilled(state, GONE)


def earning(state: OrderState) -> tuple[str, ...]:
    """States of a fulfilment in which its goods are earned, by the terms of the order."""
    return ARRIVED if state.terms.revenue_event == "delivered" else GONE


def fulfilled(state: OrderState, states: Collection[str]) -> dict[str, int]:
    """Thousandths per line in fulfilments that stand in one of these states."""
    quantities: dict[str, int] = {}
    for shipment in state.shipments.values():
        if shipment.state in states:
            for line in shipment.lines:
                quantities[line.line] = quantities.get(line.line, 0) + line.quantity
    return quantities


def unshipped_cancelled(state: OrderState) -> dict[str, int]:
    """Thousandths per line that were refunded without ever shipping (restock `cancel`)."""
    quantities: dict[str, int] = {}
    for refund in state.refunds.values():
        for line in refund.lines:
            if line.restock == "cancel":
                quantities[line.line] = quantities.get(line.line, 0) + line.quantity
    return quantities
