"""What is wrong with an order's payments: notices with an owner and an amount; nothing parks. Pure.

Each is read from the whole evidence, so it comes and goes with what is told, whatever came first.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.canonical.orders import Order
from tillbridge.orchestration.orders.disputes import withheld
from tillbridge.orchestration.orders.intents import Intent, intents
from tillbridge.orchestration.orders.payments import REFUND_FAILED, REFUNDED, PaymentTold
from tillbridge.orchestration.orders.state import (
    LineValue,
    OrderState,
    captured,
    payment_tables,
    repaid,
)
from tillbridge.orchestration.policies import Policies

REASONS = (
    "capture_beyond_authorization",
    "capture_after_void",
    "capture_failed",
    "authorization_lapsing",
    "payment_roads_differ",
    "settled_below_value",
    "refund_failed",
    "payment_disputed",
    "refund_while_disputed",
)
_NOTHING: dict[str, NeedsDecision] = {}


def payment_notices(
    state: OrderState, order: Order, policies: Policies
) -> dict[str, NeedsDecision]:
    """Reason -> notice, of those that have their ground now. Also sets when the next authorisation
    lapses (state changed in place).
    """
    if not state.payments and not state.disputes:
        return _NOTHING
    standing = intents(payment_tables(state))
    state.lapses_at, state.lapses = _next_lapse(state, order, standing, policies)
    found = [
        *_captures(order, standing),
        *_holds(state, order, standing),
        *_refunds(state, order),
        *_disputes(state, order),
    ]
    return {notice.reason: notice for notice in found}


def _captures(order: Order, standing: list[Intent]) -> Iterator[NeedsDecision]:
    beyond = [one for one in standing if one.authorized and one.captured > one.authorized]
    if beyond:
        amount = sum(one.captured - one.authorized for one in beyond)
        first = beyond[0]
        yield NeedsDecision(
            "capture_beyond_authorization",
            f"order {order.number}: {_money(first.captured, order)} were taken by {first.tender} "
            f"although {_money(first.authorized, order)} were authorised",
            owner="finance",
            amount=amount,
            currency=order.currency,
        )
    late = [one for one in standing if one.after_void]
    if late:
        yield NeedsDecision(
            "capture_after_void",
            f"order {order.number}: {_money(late[0].after_void, order)} were taken by "
            f"{late[0].tender} after the authorisation had been voided",
            owner="finance",
            amount=sum(one.after_void for one in late),
            currency=order.currency,
        )
    missed = [one for one in standing if one.missed]
    if missed:
        yield NeedsDecision(
            "capture_failed",
            f"order {order.number}: {_money(missed[0].missed, order)} could not be taken from the "
            f"authorisation by {missed[0].tender}",
            owner="ecommerce",
            amount=sum(one.missed for one in missed),
            currency=order.currency,
        )
    for one in standing:
        numbers = {number for number, _ in one.roads.values()}
        amounts = {amount for _, amount in one.roads.values()}
        if len(numbers) == 1 and len(amounts) > 1:
            told = ", ".join(f"{road} {_money(n[1], order)}" for road, n in one.roads.items())
            yield NeedsDecision(
                "payment_roads_differ",
                f"order {order.number}: one payment is told with different amounts: {told}",
                owner="finance",
                amount=max(amounts) - min(amounts),
                currency=order.currency,
            )


def _holds(state: OrderState, order: Order, standing: list[Intent]) -> Iterator[NeedsDecision]:
    """Authorisations that lapse before all was taken, and orders worth more than came of them."""
    lapsing = [
        (one, row)
        for one in standing
        for row in one.held
        if one.left and row.reference in state.lapsing
    ]
    if lapsing and order.cancelled_at is None:
        one, _ = lapsing[0]
        waits = "goods still wait for it" if state.wanted else "the goods are gone"
        yield NeedsDecision(
            "authorization_lapsing",
            f"order {order.number}: {_money(one.left, order)} held by {one.tender} lapse before "
            f"they are taken; {waits}",
            owner="ecommerce",
            amount=sum({one.name: one.left for one, _ in lapsing}.values()),
            currency=order.currency,
        )
    held = [one for one in standing if one.authorized]
    if held and not any(one.left for one in held):
        came = sum(captured(state).values()) - sum(repaid(state).values())
        short = _value(state.recognised) - _value(state.reversed) - came
        if short > 0:
            yield NeedsDecision(
                "settled_below_value",
                f"order {order.number}: {_money(short, order)} of what the buyer has were never "
                "taken, and nothing is held any more",
                owner="finance",
                amount=short,
                currency=order.currency,
            )


def _refunds(state: OrderState, order: Order) -> Iterator[NeedsDecision]:
    """A refund that came back is owed until another one went after it."""
    rows = list(state.payments.values())
    failed = [row for row in rows if row.kind == REFUND_FAILED]
    if not failed:
        return
    names = {row.reference for row in failed}
    since = min(row.at for row in failed)
    again = sum(
        row.amount
        for row in rows
        if row.kind == REFUNDED and row.reference not in names and row.at > since
    )
    owed = _largest(failed) - again
    if owed > 0:
        yield NeedsDecision(
            "refund_failed",
            f"order {order.number}: a refund of {_money(owed, order)} by {failed[0].tender} came "
            "back; the buyer is owed it again",
            owner="finance",
            amount=owed,
            currency=order.currency,
        )


def _largest(rows: list[PaymentTold]) -> int:
    """What the fullest road tells."""
    sums: dict[str, int] = {}
    for row in rows:
        for road in row.roads:
            sums[road] = sums.get(road, 0) + row.amount
    return max(sums.values())


def _disputes(state: OrderState, order: Order) -> Iterator[NeedsDecision]:
    pending = [one for one in state.disputes.values() if one.tender and not one.outcome]
    if pending:
        until = min((one.respond_by for one in pending if one.respond_by), default=None)
        by = f"; evidence counts until {until:%Y-%m-%d}" if until else ""
        amount = sum(one.amount for one in pending)
        yield NeedsDecision(
            "payment_disputed",
            f"order {order.number}: the buyer disputes {_money(amount, order)}{by}",
            owner="finance",
            amount=amount,
            currency=order.currency,
        )
    gone = sum(withheld(state).values())
    twice = sum(repaid(state).values()) + gone - sum(captured(state).values())
    if gone and twice > 0:
        yield NeedsDecision(
            "refund_while_disputed",
            f"order {order.number}: {_money(twice, order)} went back to the buyer twice, by a "
            "refund and by his dispute",
            owner="finance",
            amount=twice,
            currency=order.currency,
        )


def _next_lapse(
    state: OrderState, order: Order, standing: list[Intent], policies: Policies
) -> tuple[datetime | None, str]:
    """The next authorisation that lapses of which money is left and nobody was told."""
    if order.cancelled_at is not None or order.test:
        return None, ""
    held = [row for one in standing if one.left for row in one.held]
    told = [row for row in held if row.reference not in state.lapsing]
    if not told:
        return None, ""
    days = policies.terms(order, state.entities.selling).authorization_days
    return min((row.until or row.at + timedelta(days=days), row.reference) for row in told)


def _value(values: dict[str, LineValue]) -> int:
    """Minor units the buyer owes for; what a marketplace collects is not owed to us."""
    return sum(
        value.list
        - value.discount
        + sum(tax for key, tax in value.taxes.items() if key.endswith("seller"))
        for value in values.values()
    )


def _money(amount: int, order: Order) -> str:
    return f"{to_text(amount, order.currency)} {order.currency}"
