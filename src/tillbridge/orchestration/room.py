"""The deciding room: loads state of orders and till transactions, folds, writes back as sets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.documents import DocumentAccepted, DocumentRefused
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import ReturnTold
from tillbridge.canonical.sales import CashMoved, SaleRung, SaleVoided, TillClosed, TillNoted
from tillbridge.canonical.valued import TillCounted
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import DONE, Connection, KeyedSession, Outcome, Record
from tillbridge.orchestration.machine import Running
from tillbridge.orchestration.orders.decide import decide as decide_order
from tillbridge.orchestration.orders.on_account import receivable_rows
from tillbridge.orchestration.orders.owed import refund_due_at
from tillbridge.orchestration.orders.pickup import ready_since
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.orders.status import status_of
from tillbridge.orchestration.policies import Policies
from tillbridge.orchestration.proposals.machine import PROPOSALS
from tillbridge.orchestration.sales.aisle import Aisle
from tillbridge.orchestration.sales.counts import CountState, counted
from tillbridge.orchestration.sales.decide import decide as decide_sale
from tillbridge.orchestration.sales.receipts import Number, number_of, told_twice
from tillbridge.orchestration.sales.returns import fold_back, without_receipt
from tillbridge.orchestration.sales.shared import shares, sold_here
from tillbridge.orchestration.sales.state import SaleReturns, SaleState
from tillbridge.orchestration.stock_moves import MOVING, stock_moves
from tillbridge.orchestration.taxes.machine import TAXES
from tillbridge.orchestration.transfers.machine import TRANSFERS

QUERIES = load("tillbridge.orchestration", "state.sql")
_TILL = (SaleRung, SaleVoided, CashMoved, TillClosed, TillNoted)
_ANSWERS = (DocumentAccepted, DocumentRefused)
ORDERS = "order/"
"""How keys of orders begin."""
_ORDER_DECODER = msgspec.json.Decoder(OrderState)
_VOID_DECODER = msgspec.json.Decoder(SaleVoided)
_RETURNS_DECODER = msgspec.json.Decoder(SaleReturns)
_NO_RETURNS = SaleReturns()
_COUNTED_DECODER = msgspec.json.Decoder(dict[str, int])
_AISLE_DECODER = msgspec.json.Decoder(Aisle)
MACHINES = (TAXES, TRANSFERS, PROPOSALS)
"""Those whose keys begin with a word of their own; all other keys are orders or till sales."""
_ENCODER = msgspec.json.Encoder()


class Orchestration:
    """Room `orchestration`."""

    name = "orchestration"

    def __init__(self, policies: Policies) -> None:
        """policies: per channel, from the workspace."""
        self._policies = policies

    def open(self, connection: Connection, now: datetime) -> OrchestrationSession:
        """A session on this transaction."""
        return OrchestrationSession(connection, self._policies, now)


class OrchestrationSession(KeyedSession):
    """State of the keys of one transaction."""

    room = Orchestration.name

    def __init__(self, connection: Connection, policies: Policies, now: datetime) -> None:
        """Nothing is read before the first records come."""
        self._connection = connection
        self._policies = policies
        self._now = now
        self._orders: dict[str, OrderState] = {}
        self._sales: dict[str, SaleState] = {}
        self._counts: dict[str, CountState] = {}
        self._receipts: dict[Number, str] = {}
        self._new_counts: dict[str, CountState] = {}
        self._asked: set[Number] = set()
        self._new_receipts: dict[Number, str] = {}
        self._changed: dict[str, None] = {}
        self._machines = {one.prefix: Running(one, connection) for one in MACHINES}

    def load(self, records: Sequence[Record]) -> None:
        """One query per state table for the keys not seen yet."""
        others = []
        moved: dict[str, list[str]] = {}
        for record in records:
            prefix = _prefix(record.key)
            if prefix in self._machines:
                moved.setdefault(prefix, []).append(record.key)
            else:
                others.append(record)
        for prefix, keys in moved.items():
            self._machines[prefix].load(keys)
        self._load_counts([r.key for r in others if isinstance(r.body, TillCounted)])
        self._load_receipts([r.body for r in others if isinstance(r.body, SaleRung)])
        others = [r for r in others if not isinstance(r.body, TillCounted)]
        tills = {r.key for r in others if _of_till(r.key, r.body)} - self._sales.keys()
        orders = {r.key for r in others if _is_of_order(r)} - self._orders.keys()
        if orders:
            rows = self._connection.execute(
                QUERIES.load_orders, (sorted(orders),), binary=True
            ).fetchall()
            self._orders.update((key, _ORDER_DECODER.decode(body)) for key, body in rows)
        if tills:
            rows = self._connection.execute(
                QUERIES.load_sales, (sorted(tills),), binary=True
            ).fetchall()
            self._sales.update((row[0], _sale_of(row)) for row in rows)

    def _load_counts(self, keys: Sequence[str]) -> None:
        fresh = sorted(set(keys) - self._counts.keys())
        if fresh:
            self._counts.update((key, CountState(key)) for key in fresh)
            rows = self._connection.execute(QUERIES.load_counts, (fresh,), binary=True).fetchall()
            for key, version, booked in rows:
                self._counts[key] = CountState(key, version, _COUNTED_DECODER.decode(booked))

    def _load_receipts(self, sales: Sequence[SaleRung]) -> None:
        """Who has the receipt numbers of these sales."""
        told = {number for sale in sales if (number := self._number(sale)) is not None}
        fresh = sorted(told - self._asked)
        if fresh:
            self._asked.update(fresh)
            columns = [list(column) for column in zip(*fresh, strict=True)]
            rows = self._connection.execute(QUERIES.load_receipts, columns, binary=True).fetchall()
            self._receipts.update(((*number,), key) for *number, key in rows)

    def _number(self, sale: SaleRung) -> Number | None:
        repeat = self._policies.of(sale.channel, sale.entities.selling).receipts_repeat
        return None if repeat else number_of(sale)

    def handle(self, record: Record) -> Outcome:
        """Fold one fact; state is replaced only when the decision stands."""
        body = record.body
        if isinstance(body, TillCounted):
            return self._handle_count(body)
        if isinstance(body, _TILL):
            return self._handle_sale(record.key, body)
        if isinstance(body, ReturnTold) and _of_till(record.key, body):
            return self._handle_return(record.key, body)
        machine = self._machines.get(_prefix(record.key))
        if machine is not None:
            return self._moved(machine.handle(record.key, body), body)
        if isinstance(body, MOVING):
            return self._moved(DONE, body)
        # allowed without a receipt: there is no sale that could count it
        nobodys = isinstance(body, ReturnTold) and record.key.startswith("return/")
        if nobodys or not _is_of_order(record):
            return DONE
        return self._handle_order(record.key, body)

    def _handle_order(self, key: str, body: Body) -> Outcome:
        known = self._orders.get(key)
        state = OrderState(key=key) if known is None else known.copied()
        revision = state.revision
        decision = decide_order(state, body, self._policies)
        if state.revision == revision:
            return DONE
        self._orders[key] = state
        self._changed[key] = None
        return Outcome(
            emits=tuple(decision.emits),
            notices=tuple(decision.notices),
            settles=tuple(decision.settles),
        )

    def _moved(self, outcome: Outcome, body: Body) -> Outcome:
        """With the papers of goods that changed place inside the house."""
        if not isinstance(body, MOVING):
            return outcome
        papers = stock_moves(body, self._policies)
        return msgspec.structs.replace(outcome, emits=(*outcome.emits, *papers))

    def _handle_sale(
        self, key: str, body: SaleRung | SaleVoided | CashMoved | TillClosed | TillNoted
    ) -> Outcome:
        known = self._sales.get(key)
        state = SaleState(key=key) if known is None else msgspec.structs.replace(known)
        number = self._number(body) if isinstance(body, SaleRung) else None
        holder = self._receipts.get(number, key) if number is not None else key
        if holder != key and isinstance(body, SaleRung):
            raise told_twice(body, holder)
        goes_on, emits = decide_sale(state, body)
        if number is not None and number not in self._receipts:
            self._receipts[number] = self._new_receipts[number] = key
        self._sales[key] = state
        self._changed[key] = None
        if self._policies.partners.policies:
            emits = (*emits, *self._shared(state, body, goes_on=goes_on))
        notices: tuple[NeedsDecision, ...] = ()
        if goes_on and isinstance(body, SaleRung):
            notices = without_receipt(body, self._policies)
        return Outcome(emits=emits, halt=not goes_on, notices=notices)

    def _shared(self, state: SaleState, body: Fact, *, goes_on: bool) -> tuple[Body, ...]:
        """What a till transaction changes of what partners are due."""
        partners = self._policies.partners
        if goes_on and isinstance(body, SaleRung):
            sold = sold_here(body, partners)
            if sold is not None:
                state.returns = msgspec.structs.replace(state.returns, shared=sold)
        return shares(state, body, partners)

    def _handle_return(self, key: str, body: ReturnTold) -> Outcome:
        """Goods of a till sale: whoever took them back booked them. What a partner was due for
        them follows here.
        """
        known = self._sales.get(key)
        state = SaleState(key=key) if known is None else msgspec.structs.replace(known)
        if fold_back(state, body):
            self._sales[key] = state
            self._changed[key] = None
            if self._policies.partners.policies:
                return Outcome(emits=shares(state, body, self._policies.partners))
        return DONE

    def _handle_count(self, body: TillCounted) -> Outcome:
        state = counted(self._counts[body.key], body)
        if state is None:
            return Outcome(halt=True)
        self._counts[body.key] = self._new_counts[body.key] = state
        return DONE

    def flush(self) -> None:
        """Write the changed states as sets, by key."""
        for machine in self._machines.values():
            machine.flush()
        keys = sorted(self._changed)
        orders = [self._orders[key] for key in keys if key in self._orders]
        sales = [self._sales[key] for key in keys if key in self._sales]
        if orders:
            self._connection.execute(QUERIES.save_orders, _order_columns(orders), binary=True)
            owed = receivable_rows(orders)
            if owed:
                papers = [list(column) for column in zip(*owed, strict=True)]
                self._connection.execute(QUERIES.save_receivables, papers, binary=True)
        if sales:
            columns = _sale_columns(sales)
            self._connection.execute(QUERIES.save_sales, (self._now, *columns), binary=True)
        if self._new_receipts:
            rows = [(*number, key) for number, key in sorted(self._new_receipts.items())]
            columns = tuple([list(column) for column in zip(*rows, strict=True)])
            self._connection.execute(QUERIES.save_receipts, columns, binary=True)
        if self._new_counts:
            counts = [self._new_counts[key] for key in sorted(self._new_counts)]
            self._connection.execute(
                QUERIES.save_counts,
                (
                    [state.key for state in counts],
                    [state.version for state in counts],
                    [_ENCODER.encode(state.booked) for state in counts],
                ),
                binary=True,
            )


def _of_till(key: str, body: Body) -> bool:
    """Whether a record is about a till transaction; a return is about what its key says."""
    return isinstance(body, _TILL) or (isinstance(body, ReturnTold) and key.startswith("sale/"))


def _prefix(key: str) -> str:
    """First part of a key: what it is of."""
    return key.partition("/")[0]


def _is_of_order(record: Record) -> bool:
    """Whether a record is about an order; answers to documents of others change no state here."""
    if isinstance(record.body, _ANSWERS):
        return record.key.startswith(ORDERS)
    return not isinstance(record.body, MOVING) and not _of_till(record.key, record.body)


def _order_columns(states: Sequence[OrderState]) -> tuple[list[object], ...]:
    told = [state.order for state in states]
    return (
        [state.key for state in states],
        [state.revision for state in states],
        [order.number if order else "" for order in told],
        [order.channel if order else "" for order in told],
        [status_of(state) for state in states],
        [order.currency if order else "" for order in told],
        [order.total if order else None for order in told],
        [order.placed_at if order else None for order in told],
        [_ENCODER.encode(state) for state in states],
        [state.lapses_at for state in states],
        [ready_since(state) for state in states],
        [refund_due_at(state) for state in states],
    )


def _sale_columns(states: Sequence[SaleState]) -> tuple[list[object], ...]:
    return (
        [state.key for state in states],
        [state.type for state in states],
        [state.fact_hash or None for state in states],
        [state.source for state in states],
        [state.location for state in states],
        [state.till for state in states],
        [state.business_date for state in states],
        [state.sequence for state in states],
        [state.receipt for state in states],
        [state.total for state in states],
        [state.currency for state in states],
        [state.voided for state in states],
        [
            None if state.pending_void is None else _ENCODER.encode(state.pending_void)
            for state in states
        ],
        [
            None if state.returns == _NO_RETURNS else _ENCODER.encode(state.returns)
            for state in states
        ],
        [None if state.aisle is None else _ENCODER.encode(state.aisle) for state in states],
    )


def _sale_of(row: tuple[Any, ...]) -> SaleState:
    *known, void, back, aisle = row
    key, kind, digest, source, place, till, day, sequence, receipt, total, currency, voided = known
    return SaleState(
        key=key,
        type=kind,
        fact_hash=digest or b"",
        source=source,
        location=place,
        till=till,
        business_date=day,
        sequence=sequence,
        receipt=receipt,
        total=total,
        currency=currency,
        voided=voided,
        returns=_NO_RETURNS if back is None else _RETURNS_DECODER.decode(back),
        pending_void=None if void is None else _VOID_DECODER.decode(void),
        aisle=None if aisle is None else _AISLE_DECODER.decode(aisle),
    )
