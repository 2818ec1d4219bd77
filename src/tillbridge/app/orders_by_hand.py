"""What a person tells of an order: a place failed it, it is to be sourced again, money goes back.

The facts are those of any other source, and the flow decides what follows from them.
"""

from __future__ import annotations

import msgspec

from tillbridge.app.stock_by_hand import Hand
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import lane_of
from tillbridge.atoms.money import to_text as to_amount
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.returns import RefundApproved
from tillbridge.canonical.stock import PICK_FAILURES, PickFailed, SourcingAsked, StockLine
from tillbridge.durable import audit, log
from tillbridge.durable.rooms import Connection, Record
from tillbridge.orchestration.orders.failures import standing
from tillbridge.orchestration.orders.paying_back import due, waits
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.policies import Policies
from tillbridge.orchestration.room import QUERIES
from tillbridge.triage.approvals import Wish


def pick_failed(
    connection: Connection,
    key: str,
    location: str,
    reason: str,
    lines: tuple[StockLine, ...],
    hand: Hand,
) -> PickFailed:
    """A place cannot or will not fulfil an order, or lines of it. Commits; raises Refused."""
    if reason not in PICK_FAILURES:
        raise Refused(f"{reason!r} is no reason: {', '.join(PICK_FAILURES)}")
    if hand.places and location not in hand.places:
        raise Refused(f"the workspace has no location {location!r}")
    state = _order(connection, key)
    for line in lines:
        ordered = state.line(line.line)
        if ordered is None:
            raise Refused(f"the order has no line {line.line!r}")
        if line.quantity < 0:
            raise Refused("a quantity that was not found is more than nothing")
        if line.quantity > ordered.quantity:
            words = f"line {line.line} is of {to_text(ordered.quantity)}"
            raise Refused(f"{words}: no more than that can be missed")
    if all(one.location != location for one in state.standing):
        raise Refused(f"nothing of the order stands at {location}")
    told = {"failure": f"hub/{hand.number}", "location": location, "reason": reason, "lines": lines}
    name = f"{key}/pick/hub/{hand.number}"
    fact = msgspec.convert({**hand.told(), "key": key, "id": name, **told}, PickFailed)
    _tell(connection, fact, hand, "orders.pick_failed")
    return fact


def source(
    connection: Connection, key: str, hand: Hand, allows: tuple[str, ...] = ()
) -> SourcingAsked:
    """Have an order sourced again, whatever it holds. allows: locations that failed it and may
    serve it again. Commits; raises Refused.
    """
    state = _order(connection, key)
    failed = {failure.location for failure in standing(state)}
    for location in allows:
        if location not in failed:
            others = ", ".join(sorted(failed)) or "none did"
            raise Refused(f"{location} did not fail the order (these did: {others})")
    name = f"{key}/again/hub/{hand.number}"
    told = {"key": key, "id": name, "allows": allows}
    fact = msgspec.convert({**hand.told(), **told}, SourcingAsked)
    _tell(connection, fact, hand, "orders.source")
    return fact


def refund_owed(connection: Connection, key: str, policies: Policies, hand: Hand) -> Wish:
    """The wish that what is owed on an order is given back. Raises Refused where nothing waits for
    a person.
    """
    state = _order(connection, key)
    order = state.order
    if order is None:
        raise Refused(f"{key} is no order that is known")
    state.terms = policies.terms(order, state.entities.selling)
    now = due(state, order, policies)
    if now is None or not waits(state, order, now):
        raise Refused(f"no refund of order {order.number} waits for anybody")
    told = {"refund": now.operation, "amount": now.amount, "currency": order.currency}
    name = f"{now.operation}/approved/{hand.number}"
    about = {**hand.told(), "key": key, "id": name, "entities": state.entities}
    fact = msgspec.convert({**about, **told}, RefundApproved)
    worth = f"{to_amount(now.amount, order.currency)} {order.currency}"
    return Wish(
        "refunds.approve",
        now.operation,
        {"fact": msgspec.to_builtins(fact)},
        f"{worth} back to the buyer of order {order.number}",
        state.entities.selling,
        now.amount,
    )


def _order(connection: Connection, key: str) -> OrderState:
    rows = connection.execute(QUERIES.load_orders, ([key],), binary=True).fetchall()
    state = msgspec.json.decode(rows[0][1], type=OrderState) if rows else None
    if state is None or state.order is None:
        raise Refused(f"{key} is no order that is known")
    return state


def _tell(connection: Connection, fact: Fact, hand: Hand, action: str) -> None:
    audit.record(connection, hand.actor, action, fact.key, after=msgspec.to_builtins(fact))
    record = Record(fact.key, type(fact).__name__, fact, lane_of(fact.key))
    log.append_and_commit(connection, [record])
