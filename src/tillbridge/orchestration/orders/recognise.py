"""Earning and taking back: signed differences of value, and the documents that carry them. Pure."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.orders import Order
from tillbridge.canonical.registry import Body
from tillbridge.canonical.valued import SaleRecognised, SaleReversed, ValuedLine, ValuedTax
from tillbridge.orchestration.orders.charging import charge, named, opposite
from tillbridge.orchestration.orders.state import LineValue, OrderState
from tillbridge.orchestration.orders.taking_back import taken_back
from tillbridge.orchestration.orders.value import SEP, earned, line_of
from tillbridge.orchestration.orders.valuing import When, about
from tillbridge.orchestration.policies import ChannelPolicy

_NOTHING = LineValue()


def recognise(state: OrderState, order: Order, policy: ChannelPolicy, when: When) -> list[Body]:
    """SaleRecognised for what was earned since, and its invoice (a credit note when negative)."""
    target, booked = earned(state), state.recognised
    steps = differences(target, booked)
    place = {line.line: index for index, line in enumerate(order.lines)}
    steps.sort(key=lambda step: place.get(line_of(step[0]), len(place)))
    rows = named(state, policy, target, booked, steps)
    if not steps:  # at most another product, of which the books know nothing
        return charge(state, order, policy, when, rows)
    state.recognised = target
    fact = SaleRecognised(
        lines=tuple(valued(name, value) for name, value in steps),
        taxes=valued_taxes([value for _, value in steps]),
        **about(state, order, when, "recognise"),
    )
    return [fact, *charge(state, order, policy, when, rows)]


def reverse(state: OrderState, order: Order, policy: ChannelPolicy, when: When) -> list[Body]:
    """SaleReversed for what was taken back since, and its credit note."""
    target, booked = taken_back(state, state.recognised, waits=policy.waits_for_tax), state.reversed
    steps = differences(target, booked)
    rows = [
        msgspec.structs.replace(row, value=opposite(row.value))
        for row in named(state, policy, target, booked, steps, back=True)
    ]
    if not steps:
        return charge(state, order, policy, when, rows)
    state.reversed = target
    fact = SaleReversed(
        lines=tuple(valued(name, value) for name, value in steps),
        taxes=valued_taxes([value for _, value in steps]),
        **about(state, order, when, "reverse"),
    )
    return [fact, *charge(state, order, policy, when, rows)]


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
