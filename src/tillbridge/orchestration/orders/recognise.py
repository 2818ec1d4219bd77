"""Earning and taking back: signed differences of value, and the documents that carry them. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

from tillbridge.canonical.documents import (
    CreditNoteDocument,
    DocumentLine,
    InvoiceDocument,
    SubmitDocument,
)
from tillbridge.canonical.orders import Order, OrderLine
from tillbridge.canonical.registry import Body
from tillbridge.canonical.valued import SaleRecognised, SaleReversed, ValuedLine, ValuedTax
from tillbridge.orchestration.orders.state import DocumentSeen, LineValue, OrderState
from tillbridge.orchestration.orders.value import earned, kind_of, taken_back
from tillbridge.orchestration.policies import ChannelPolicy

MAPPING = "hub/1"
_SEP = "\x1f"
_NOTHING = LineValue()


class Moment(Protocol):
    """When the thing happened that set this off."""

    @property
    def occurred_at(self) -> datetime:
        """Instant, UTC."""

    @property
    def business_date(self) -> date:
        """Business day."""


def recognise(state: OrderState, order: Order, policy: ChannelPolicy, when: Moment) -> list[Body]:
    """SaleRecognised for what was earned since, and its invoice (a credit note when negative)."""
    target = earned(state)
    steps = _differences(target, state.recognised)
    if not steps:
        return []
    state.recognised = target
    lines = [(line, steps[line.line]) for line in order.lines if line.line in steps] + [
        (_gone_line(name), steps[name]) for name in steps if state.line(name) is None
    ]
    number = state.step("recognise")
    fact = SaleRecognised(
        key=state.key,
        id=f"{state.key}/recognise/{number}",
        source="hub",
        mapping=MAPPING,
        occurred_at=when.occurred_at,
        business_date=when.business_date,
        entities=state.entities,
        currency=order.currency,
        order=state.key,
        channel=order.channel,
        lines=tuple(_valued(line, value) for line, value in lines),
        taxes=_valued_taxes([value for _, value in lines]),
    )
    return [fact, *_document(state, order, policy, when, lines)]


def reverse(state: OrderState, order: Order, policy: ChannelPolicy, when: Moment) -> list[Body]:
    """SaleReversed for what was taken back since, and its credit note."""
    target = taken_back(state, state.recognised)
    steps = _differences(target, state.reversed)
    if not steps:
        return []
    state.reversed = target
    lines = []
    for reference in sorted(steps):
        kind, line = kind_of(state, reference)
        lines.append((line if line is not None else _line(reference, kind), steps[reference]))
    number = state.step("reverse")
    fact = SaleReversed(
        key=state.key,
        id=f"{state.key}/reverse/{number}",
        source="hub",
        mapping=MAPPING,
        occurred_at=when.occurred_at,
        business_date=when.business_date,
        entities=state.entities,
        currency=order.currency,
        order=state.key,
        channel=order.channel,
        lines=tuple(_valued(line, value) for line, value in lines),
        taxes=_valued_taxes([value for _, value in lines]),
    )
    negated = [(line, _negated(value)) for line, value in lines]
    return [fact, *_document(state, order, policy, when, negated)]


def _differences(
    target: dict[str, LineValue], booked: dict[str, LineValue]
) -> dict[str, LineValue]:
    """Target less booked, per key, where anything differs."""
    steps: dict[str, LineValue] = {}
    for key in sorted(target.keys() | booked.keys()):
        now, before = target.get(key, _NOTHING), booked.get(key, _NOTHING)
        if now == before:
            continue
        taxes = {
            tax: now.taxes.get(tax, 0) - before.taxes.get(tax, 0)
            for tax in sorted(now.taxes.keys() | before.taxes.keys())
        }
        steps[key] = LineValue(
            now.quantity - before.quantity,
            now.list - before.list,
            now.discount - before.discount,
            {tax: amount for tax, amount in taxes.items() if amount},
        )
    return steps


def _negated(value: LineValue) -> LineValue:
    return LineValue(
        -value.quantity,
        -value.list,
        -value.discount,
        {tax: -amount for tax, amount in value.taxes.items()},
    )


def _gone_line(name: str) -> OrderLine:
    """Stands for a line that a newer version of the order no longer has."""
    return _line(name, "goods")


def _line(name: str, kind: str) -> OrderLine:
    return OrderLine(line=name, kind=kind, product="", quantity=0, list=0)


def _valued(line: OrderLine, value: LineValue) -> ValuedLine:
    return ValuedLine(
        kind=line.kind,
        list=value.list,
        discount=value.discount,
        department=line.department,
        promotion=line.promotion,
        line=line.line,
    )


def _valued_taxes(values: list[LineValue]) -> tuple[ValuedTax, ...]:
    totals: dict[str, int] = {}
    for value in values:
        for key, amount in value.taxes.items():
            totals[key] = totals.get(key, 0) + amount
    rows = []
    for key, amount in sorted(totals.items()):
        if amount:
            jurisdiction, code, collector = key.split(_SEP)
            rows.append(ValuedTax(jurisdiction, amount, collector, code))
    return tuple(rows)


def _ships_from(state: OrderState, policy: ChannelPolicy) -> str:
    """Where the newest shipment left from; before any, the first place of the channel."""
    gone = [shipment for shipment in state.shipments.values() if shipment.state == "shipped"]
    if gone:
        return max(gone, key=lambda shipment: (shipment.version, shipment.location)).location
    return policy.fulfil_from[0] if policy.fulfil_from else ""


def _document(
    state: OrderState,
    order: Order,
    policy: ChannelPolicy,
    when: Moment,
    lines: list[tuple[OrderLine, LineValue]],
) -> list[Body]:
    """The invoice (or credit note, when the sum is negative) for a step, where the ERP books it."""
    if not policy.erp or policy.gl != "documents":
        return []
    total = sum(v.list - v.discount + sum(v.taxes.values()) for _, v in lines)
    if total == 0:
        return []
    sign = 1 if total > 0 else -1
    rows = tuple(
        DocumentLine(
            line=line.line.split(_SEP)[-1],
            kind=line.kind,
            product=line.product,
            quantity=sign * value.quantity,
            net=sign * (value.list - value.discount),
            taxes=tuple(
                (key.split(_SEP)[0], sign * amount) for key, amount in sorted(value.taxes.items())
            ),
            title=line.title,
        )
        for line, value in lines
    )
    kind = "invoice" if sign > 0 else "credit_note"
    operation = f"{state.key}/{kind}/{state.step(kind)}"
    state.documents[operation] = DocumentSeen(kind, "owed")
    sales_order = f"{state.key}/sales_order"
    shape = InvoiceDocument if sign > 0 else CreditNoteDocument
    body = shape(
        order=sales_order,
        number=order.number,
        channel=order.channel,
        currency=order.currency,
        invoice_date=when.business_date,
        total=sign * total,
        lines=rows,
        party=order.party,
        location=_ships_from(state, policy),
    )
    entity = state.entities.selling
    if isinstance(body, InvoiceDocument):
        return [SubmitDocument(key=state.key, id=operation, kind=kind, entity=entity, invoice=body)]
    return [SubmitDocument(key=state.key, id=operation, kind=kind, entity=entity, credit_note=body)]
