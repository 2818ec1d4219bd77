"""Earning and taking back: signed differences of value, and the documents that carry them. Pure."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.documents import (
    CreditNoteDocument,
    DocumentLine,
    InvoiceDocument,
    SubmitDocument,
)
from tillbridge.canonical.orders import Order, OrderLine
from tillbridge.canonical.registry import Body
from tillbridge.canonical.valued import SaleRecognised, SaleReversed, ValuedLine, ValuedTax
from tillbridge.orchestration.orders.state import GONE, GOODS, DocumentSeen, LineValue, OrderState
from tillbridge.orchestration.orders.stock import SUPPLIED
from tillbridge.orchestration.orders.substitution import whole_substitute
from tillbridge.orchestration.orders.taking_back import taken_back
from tillbridge.orchestration.orders.value import SEP, earned, line_of
from tillbridge.orchestration.orders.valuing import When, about
from tillbridge.orchestration.policies import ChannelPolicy

_NOTHING = LineValue()


def recognise(state: OrderState, order: Order, policy: ChannelPolicy, when: When) -> list[Body]:
    """SaleRecognised for what was earned since, and its invoice (a credit note when negative)."""
    target = earned(state)
    steps = differences(target, state.recognised)
    if not steps:
        return []
    state.recognised = target
    place = {line.line: index for index, line in enumerate(order.lines)}
    steps.sort(key=lambda step: place.get(line_of(step[0]), len(place)))
    fact = SaleRecognised(
        lines=tuple(valued(name, value) for name, value in steps),
        taxes=valued_taxes([value for _, value in steps]),
        **about(state, order, when, "recognise"),
    )
    return [fact, *_document(state, order, policy, when, steps)]


def reverse(state: OrderState, order: Order, policy: ChannelPolicy, when: When) -> list[Body]:
    """SaleReversed for what was taken back since, and its credit note."""
    target = taken_back(state, state.recognised, waits=policy.waits_for_tax)
    steps = [(line_of(key), value) for key, value in differences(target, state.reversed)]
    if not steps:
        return []
    state.reversed = target
    fact = SaleReversed(
        lines=tuple(valued(name, value) for name, value in steps),
        taxes=valued_taxes([value for _, value in steps]),
        **about(state, order, when, "reverse"),
    )
    negated = [(name, _difference(_NOTHING, value)) for name, value in steps]
    return [fact, *_document(state, order, policy, when, negated)]


def differences(
    target: dict[str, LineValue], booked: dict[str, LineValue]
) -> list[tuple[str, LineValue]]:
    """Target less booked, per key, where anything differs.

    A line that moved to another kind, department or promotion gives two steps: out of where it was
    booked, and into where it belongs now.
    """
    steps: list[tuple[str, LineValue]] = []
    for key in sorted(target.keys() | booked.keys()):
        now, before = target.get(key), booked.get(key)
        if now == before:
            continue
        if now is not None and before is not None and now.belongs != before.belongs:
            steps += [(key, _difference(_NOTHING, before)), (key, now)]
        else:
            steps.append((key, _difference(now or _NOTHING, before or _NOTHING)))
    return steps


def _difference(now: LineValue, before: LineValue) -> LineValue:
    taxes = {
        tax: now.taxes.get(tax, 0) - before.taxes.get(tax, 0)
        for tax in sorted(now.taxes.keys() | before.taxes.keys())
    }
    known = before if now is _NOTHING else now
    return LineValue(
        now.quantity - before.quantity,
        now.list - before.list,
        now.discount - before.discount,
        {tax: amount for tax, amount in taxes.items() if amount},
        known.kind,
        known.department,
        known.promotion,
        known.card,
    )


def _product_of(state: OrderState, line: OrderLine | None, key: str) -> str:
    """The product a step is about: a substitute that its key names or that served the whole line,
    else what was ordered.
    """
    product, _, _ = key.rpartition(SEP)
    if product or line is None:
        return product
    return whole_substitute(state, line) or line.product


def valued(key: str, value: LineValue) -> ValuedLine:
    """A step's value as finance takes it."""
    return ValuedLine(
        kind=value.kind,
        list=value.list,
        discount=value.discount,
        department=value.department,
        promotion=value.promotion,
        card=value.card,
        line=line_of(key),
    )


def valued_taxes(values: list[LineValue]) -> tuple[ValuedTax, ...]:
    """Taxes of a step by jurisdiction, code and who collects."""
    totals: dict[str, int] = {}
    for value in values:
        for key, amount in value.taxes.items():
            totals[key] = totals.get(key, 0) + amount
    rows = []
    for key, amount in sorted(totals.items()):
        if amount:
            jurisdiction, code, collector = key.split(SEP)
            rows.append(ValuedTax(jurisdiction, amount, collector, code))
    return tuple(rows)


def _ships_from(state: OrderState, policy: ChannelPolicy) -> str:
    """Where the newest shipment left from; before any, where the buyer collects, else the first
    place of the channel.
    """
    gone = [shipment for shipment in state.shipments.values() if shipment.state in GONE]
    if gone:
        return max(gone, key=lambda shipment: (shipment.version, shipment.location)).location
    collected = "" if state.order is None else state.order.collect_at
    return collected or (policy.fulfil_from[0] if policy.fulfil_from else "")


def _only_supplied(state: OrderState, rows: list[DocumentLine]) -> bool:
    """Whether all goods of an invoice came from suppliers, and none from our shelves."""
    places = [place.split(SEP) for place in state.moved]
    supplied = {name for name, _, _, kind, *_ in places if kind == SUPPLIED}
    names = {line_of(row.line) for row in rows if row.kind == GOODS}
    return bool(names) and names <= supplied


def _document(
    state: OrderState,
    order: Order,
    policy: ChannelPolicy,
    when: When,
    steps: list[tuple[str, LineValue]],
) -> list[Body]:
    """The invoice (or credit note, when the sum is negative) for a step, where the ERP books it."""
    if not policy.erp or policy.gl != "documents":
        return []
    total = sum(v.list - v.discount + sum(v.taxes.values()) for _, v in steps)
    if total == 0:
        return []
    sign = 1 if total > 0 else -1
    told = {line.line: line for line in order.lines}
    rows = []
    for key, value in steps:
        line = told.get(line_of(key))
        rows.append(
            DocumentLine(
                line=line_of(key),
                kind=value.kind,
                product=_product_of(state, line, key),
                quantity=sign * value.quantity,
                net=sign * (value.list - value.discount),
                taxes=tuple(
                    (tax.split(SEP)[0], sign * amount)
                    for tax, amount in sorted(value.taxes.items())
                ),
                title=line.title if line is not None else "",
            )
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
        lines=tuple(rows),
        party=order.party,
        location=_ships_from(state, policy),
    )
    entity = state.entities.selling
    if isinstance(body, InvoiceDocument):
        moves_goods = not policy.tells_goods and not _only_supplied(state, rows)
        body = msgspec.structs.replace(body, moves_goods=moves_goods)
        return [SubmitDocument(key=state.key, id=operation, kind=kind, entity=entity, invoice=body)]
    return [SubmitDocument(key=state.key, id=operation, kind=kind, entity=entity, credit_note=body)]
