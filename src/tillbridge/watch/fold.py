"""The deep check: every order folded again from the log and compared with what is kept of it.

Evidence (the order's newest version, payments, shipments, refunds) is folded with the deciders' own
pure `evolve`; what an order counts as booked is compared with the facts and commands it gave out.
Bodies are streamed, orders compared in blocks; nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import SELLABLE, MoveStock
from tillbridge.canonical.valued import (
    DepositReceived,
    DisputeMoved,
    RefundPaid,
    ReturnRecharged,
    SaleRecognised,
    SaleReversed,
    TransferPriced,
    ValuedLine,
    ValuedTender,
)
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Unreadable, readable
from tillbridge.orchestration.orders.account_state import Account
from tillbridge.orchestration.orders.evolve import evolve
from tillbridge.orchestration.orders.fulfilment import FULFILMENT_STATES
from tillbridge.orchestration.orders.payments import purse_of
from tillbridge.orchestration.orders.state import LineValue, OrderState
from tillbridge.orchestration.orders.stock import SUPPLIED
from tillbridge.orchestration.orders.value import SEP

QUERIES = load(
    "tillbridge.watch", "fold.sql", "other_bodies", "bodies_of_orders", "orders_of", "whole"
)
TOLD = (
    "OrderPlaced",
    "OrderChanged",
    "OrderCancelled",
    "OrderReplaced",
    "DepositHandedOver",
    "PaymentCaptured",
    "PaymentRefunded",
    *(kind.__name__ for kind in FULFILMENT_STATES),
    "GoodsShipped",
    "PaymentAuthorized",
    "PaymentVoided",
    "PaymentFailed",
    "RefundFailed",
    "AuthorizationLapsing",
    "PaymentDisputed",
    "DisputeResolved",
    "GiftCardRedeemed",
    "StoreCreditRedeemed",
    "LineSubstituted",
    "RefundIssued",
    "BankPaymentMatched",
    "ReturnAuthorized",
    "ReturnCancelled",
    "GoodsReturned",
    "ReturnInspected",
    "TaxCalculated",
    "TaxRefused",
)
GIVEN_OUT = (
    "DepositReceived",
    "RefundPaid",
    "SaleRecognised",
    "SaleReversed",
    "ReturnRecharged",
    "TransferPriced",
    "DisputeMoved",
    "MoveStock",
)
EVIDENCE = (
    "source",
    "entities",
    "order",
    "captures",
    "shipments",
    "substitutions",
    "replaced_by",
    "inherited",
    "refunds",
    "refund_payments",
    "returns",
    "payments",
    "disputes",
    "lapsing",
    "untaxed",
    "untaxed_refunds",
    "taxes",
    "account",
)
BOOKED = (
    "deposited",
    "refunded",
    "recognised",
    "reversed",
    "recharged",
    "transferred",
    "claimed",
    "moved",
)
_BLOCK = 1_000
_DECODER = msgspec.json.Decoder(OrderState)
Sums = dict[str, dict[str, int]]


class Tally:
    """Lies of one invariant: how many, and the first rows."""

    def __init__(self, shown: int) -> None:
        self._shown = shown
        self.lies = 0
        self.rows: list[tuple[Any, ...]] = []

    def add(self, *row: object) -> None:
        """One more lie."""
        self.lies += 1
        if len(self.rows) < self._shown:
            self.rows.append(row)

    def told(self) -> tuple[int, list[tuple[Any, ...]]]:
        """Number and first rows."""
        return self.lies, self.rows


class Folded:
    """What the deep check found."""

    def __init__(self, shown: int) -> None:
        self.readable = Tally(shown)
        self.state = Tally(shown)
        self.booked = Tally(shown)


class Retold(msgspec.Struct):
    """An order as the log tells it: its evidence, and sums of what it gave out, by field."""

    state: OrderState
    sums: Sums
    seen: set[str]


def folded(connection: Connection, shown: int) -> Folded:
    """Read the whole log; orders are left out once its beginning was dropped by retention.

    Needs the temporary tables of `snapshot.sql`, filled.
    """
    found = Folded(shown)
    types = [*TOLD, *GIVEN_OUT]
    for _ in _bodies(connection, QUERIES.other_bodies, types, found.readable):
        pass
    row = connection.execute(QUERIES.whole).fetchone()
    if row is None or not row[0]:
        return found
    block: dict[str, Retold] = {}
    rows = _bodies(connection, QUERIES.bodies_of_orders, types, found.readable)
    for key, bodies in groupby(rows, key=lambda row: row[0]):
        block[key] = _retold(key, (body for _, body in bodies))
        if len(block) >= _BLOCK:
            _compare(connection, block, found)
            block = {}
    _compare(connection, block, found)
    return found


def _bodies(
    connection: Connection, query: Any, types: list[str], unreadable: Tally
) -> Iterator[tuple[str, Body]]:
    with connection.cursor(name="bodies", binary=True) as cursor:
        cursor.itersize = 5_000
        cursor.execute(query, (types,))
        for number, key, name, version, stored in cursor:
            body = readable(key, name, version, stored)
            if isinstance(body, Unreadable):
                unreadable.add(number, key, name, body.words)
            else:
                yield key, body


def _retold(key: str, bodies: Iterator[Body]) -> Retold:
    told = Retold(OrderState(key=key).copied(), {}, set())
    for body in bodies:
        if type(body).__name__ in TOLD:
            try:
                evolve(told.state, body)
            except NeedsDecision:  # parked then, and given up or replayed later
                continue
        elif body.id not in told.seen:
            told.seen.add(body.id)
            _sum_up(told.sums, body)
    return told


def _sum_up(sums: Sums, body: Body) -> None:
    match body:
        case DepositReceived():
            _tenders(sums, "deposited", body.tenders)
        case RefundPaid():
            _tenders(sums, "refunded", body.tenders)
        case SaleRecognised():
            _lines(sums, "recognised", body.lines)
        case SaleReversed():
            _lines(sums, "reversed", body.lines)
        case ReturnRecharged():
            _lines(sums, "recharged", body.lines)
        case TransferPriced():
            due = sum(row.amount for row in body.rows)
            _add(sums, "transferred", body.entities.fulfilling, due)
        case DisputeMoved():
            _claims(sums, body)
        case MoveStock():
            _moves(sums, body)
        case _:
            pass


def _moves(sums: Sums, body: MoveStock) -> None:
    for line in body.lines:
        told = (line.line, line.product, line.location, body.kind, line.unit)
        place = SEP.join(told[: 5 if line.unit else 4])
        if line.condition != SELLABLE:
            place = SEP.join((*told, line.condition))
        _add(sums, "moved", place, line.quantity)


def _claims(sums: Sums, body: DisputeMoved) -> None:
    for claim in body.claims:
        step = SEP.join((claim.dispute, claim.kind, claim.tender))
        _add(sums, "claimed", step, claim.amount)


def _tenders(sums: Sums, field: str, tenders: tuple[ValuedTender, ...]) -> None:
    for tender in tenders:
        _add(sums, field, purse_of(tender.tender, tender.card), tender.amount)


def _lines(sums: Sums, field: str, lines: tuple[ValuedLine, ...]) -> None:
    for line in lines:
        _add(sums, field, line.line, line.list - line.discount)


def _add(sums: Sums, field: str, name: str, amount: int) -> None:
    table = sums.setdefault(field, {})
    table[name] = table.get(name, 0) + amount


def _kept(state: OrderState) -> Sums:
    """The same sums as the state has them."""
    sums: Sums = {"deposited": state.deposited, "refunded": state.refunded}
    sums["moved"] = {n: q for n, q in state.moved.items() if n.split(SEP)[3] != SUPPLIED}
    sums["claimed"] = state.claimed
    sums["recognised"] = _net(state.recognised)
    sums["reversed"] = _net(state.reversed)
    sums["recharged"] = _net(state.recharged)
    sums["transferred"] = state.transferred or {}
    return sums


def _net(values: dict[str, LineValue]) -> dict[str, int]:
    """Net by line; a reversal's key ends with its line."""
    net: dict[str, int] = {}
    for key, value in values.items():
        line = key.rsplit(SEP, maxsplit=1)[-1]
        net[line] = net.get(line, 0) + value.list - value.discount
    return net


def _compare(connection: Connection, block: dict[str, Retold], found: Folded) -> None:
    if not block:
        return
    rows = connection.execute(QUERIES.orders_of, (sorted(block),), binary=True).fetchall()
    kept = {key: _DECODER.decode(body) for key, body in rows}
    for key, told in block.items():
        state = kept.get(key)
        if state is None:  # lost as a whole: another invariant says so
            continue
        differs = [name for name in EVIDENCE if _told(state, name) != _told(told.state, name)]
        if differs:
            found.state.add(key, ", ".join(differs))
        booked = _kept(state)
        for field in BOOKED:
            if _plain(booked[field]) != _plain(told.sums.get(field, {})):
                found.booked.add(key, field, booked[field], told.sums.get(field, {}))


def _told(state: OrderState, name: str) -> object:
    """A field of the evidence; fulfilments as they were told, whatever counts of them."""
    if name == "shipments" and state.parcels is not None:
        return state.parcels
    if name == "account":
        known = state.account or Account()
        return known.days, known.version, known.banked
    return getattr(state, name)


def _plain(sums: dict[str, int]) -> dict[str, int]:
    return {name: amount for name, amount in sums.items() if amount}
