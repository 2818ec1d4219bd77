"""Asking those who run a place for what stands there, and calling it off. Pure.

Everything is target less asked, place by place: what stands there and was not asked for is a new
request, what was asked for and is no longer wanted from there is called off, whole requests at a
time, the newest first. Nothing is asked of another place before it is confirmed that the first one
will not send it, so what is asked for and what left never exceed what is ordered.
"""

from __future__ import annotations

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.canonical.documents import (
    CALL_OFF,
    REQUEST,
    FulfilmentCancelDocument,
    FulfilmentRequestDocument,
    GoodsLine,
    SubmitDocument,
)
from tillbridge.canonical.orders import Order
from tillbridge.canonical.registry import Body
from tillbridge.orchestration.orders.request_state import (
    CALLED_OFF,
    TOO_LATE,
    Request,
    RequestLine,
)
from tillbridge.orchestration.orders.requested import (
    Open,
    asked_for,
    failed_for,
    left,
    request_lines,
    still_open,
)
from tillbridge.orchestration.orders.sales_order import goes_out
from tillbridge.orchestration.orders.state import (
    DocumentSeen,
    OrderState,
    shipped,
    unshipped_cancelled,
)
from tillbridge.orchestration.orders.stock import line_of_key, supplied, unit_of, wanted
from tillbridge.orchestration.orders.value import SEP, part
from tillbridge.orchestration.orders.valuing import When
from tillbridge.orchestration.policies import ChannelPolicy, Policies

LEFT_ALL_THE_SAME = "called_off_too_late"
_PLACED = ("", "held", "backordered")
Plan = dict[str, dict[str, int]]
"""Thousandths by place and by what is wanted."""


def requests(
    state: OrderState, order: Order, policy: ChannelPolicy, policies: Policies, when: When
) -> list[Body]:
    """What is called off and what is asked for now."""
    if not (policies.run_by or state.requests):
        return []
    want = wanted(state, order)
    plan = _planned(state, order, want, policy, policies)
    sent: list[Body] = _call_off(state, order, want, plan, policies, when)
    if order.tax != "missing" and want and goes_out(state, order, policy):
        sent += _ask(state, order, want, plan, policies, when)
    return sent


def _planned(
    state: OrderState,
    order: Order,
    want: dict[str, int],
    policy: ChannelPolicy,
    policies: Policies,
) -> Plan:
    """Where what is wanted stands, as the stock book answered last; and what suppliers send."""
    plan: Plan = {}
    for key, place in supplied(state, order, want, policy, policies).items():
        plan.setdefault(place, {})[key] = want[key]
    if not _is_placed(state):
        return plan
    whole: dict[str, dict[str, int]] = {}
    here: dict[tuple[str, str], dict[str, int]] = {}
    for piece in (*state.standing, *state.promised):
        of_key = whole.setdefault(_key_of(state, piece.line, piece.product), {})
        of_key[piece.product] = of_key.get(piece.product, 0) + piece.quantity
    for piece in state.standing:
        key = _key_of(state, piece.line, piece.product)
        at = here.setdefault((piece.location, key), {})
        at[piece.product] = at.get(piece.product, 0) + piece.quantity
    for (place, key), found in here.items():
        asked = state.wanted.get(key, 0)
        plan.setdefault(place, {})[key] = min(
            found.get(product, 0) * asked // much for product, much in whole[key].items()
        )
    return plan


def _is_placed(state: OrderState) -> bool:
    """Whether it is known where the goods stand: the newest request was answered, and with yes."""
    return state.answered == state.hold_version and state.hold in _PLACED


def _key_of(state: OrderState, line: str, product: str) -> str:
    """What is wanted that a piece in the stock book stands for."""
    substitute = SEP.join((product, line))
    return substitute if substitute in state.wanted else line


# -- calling off ----------------------------------------------------------------------------------


def _call_off(
    state: OrderState,
    order: Order,
    want: dict[str, int],
    plan: Plan,
    policies: Policies,
    when: When,
) -> list[Body]:
    """Requests of which something is not wanted, not from there, or not to be had there."""
    if not any(one.stands for one in state.requests.values()):
        return []
    opened, sure = still_open(state), asked_for(state, live=False)
    for key, places in sure.items():
        for place in places:
            places[place] = min(places[place], opened.get(key, {}).get(place, 0))
    sent: list[Body] = []
    for name, one in reversed(list(state.requests.items())):
        if one.stands and _is_beyond(state, one, want, plan, sure, policies):
            sent.append(_cancel(state, order, name, one, when))
            for key, line in one.lines.items():
                places = sure[key]
                places[one.location] = max(places[one.location] - line.quantity, 0)
    return sent


def _is_beyond(
    state: OrderState,
    one: Request,
    want: dict[str, int],
    plan: Plan,
    sure: Open,
    policies: Policies,
) -> bool:
    place = one.location
    tells_places = place in policies.suppliers or _is_placed(state)
    for key, line in one.lines.items():
        here = sure[key].get(place, 0)
        if here <= 0:
            continue
        if sum(sure[key].values()) > want.get(key, 0) or failed_for(state, place, line.line):
            return True
        if tells_places and here > plan.get(place, {}).get(key, 0):
            return True
    return False


def _cancel(state: OrderState, order: Order, name: str, one: Request, when: When) -> SubmitDocument:
    operation = f"{state.key}/{CALL_OFF}/{state.step(CALL_OFF)}"
    state.documents[operation] = DocumentSeen(CALL_OFF, "owed")
    state.requests[name] = msgspec.structs.replace(one, cancel=operation, end=CALLED_OFF)
    body = FulfilmentCancelDocument(
        request=name,
        number=order.number,
        channel=order.channel,
        currency=order.currency,
        cancel_date=when.business_date,
        location=one.location,
        lines=tuple(_goods(order, line) for line in one.lines.values()),
        reason=order.cancel_reason,
    )
    return SubmitDocument(
        key=state.key,
        id=operation,
        kind=CALL_OFF,
        entity=state.entities.selling,
        connection=one.connection,
        fulfilment_cancel=body,
    )


# -- asking ---------------------------------------------------------------------------------------


def _ask(
    state: OrderState,
    order: Order,
    want: dict[str, int],
    plan: Plan,
    policies: Policies,
    when: When,
) -> list[Body]:
    opened = still_open(state)
    gone, asked = left(state), asked_for(state, live=True)
    sent: list[Body] = []
    for place in sorted(plan):
        connection = policies.run_by.get(place, "")
        lines: dict[str, RequestLine] = {}
        for key, target in plan[place].items() if connection else ():
            places = opened.setdefault(key, {})
            much = min(target - places.get(place, 0), want.get(key, 0) - sum(places.values()))
            if much > 0:
                before = gone.get((place, key), 0) - asked.get(key, {}).get(place, 0)
                lines[key] = _line(order, key, much, max(before, 0))
                places[place] = places.get(place, 0) + much
        if lines:
            one = Request(place, connection, lines)
            sent.append(_request(state, order, one, when))
    return sent


def _line(order: Order, key: str, much: int, before: int) -> RequestLine:
    product, name = line_of_key(key)
    line = next(line for line in order.lines if line.line == name)
    return RequestLine(name, product or line.product, much, unit_of(line), before)


def _request(state: OrderState, order: Order, one: Request, when: When) -> SubmitDocument:
    operation = f"{state.key}/{REQUEST}/{state.step(REQUEST)}"
    state.documents[operation] = DocumentSeen(REQUEST, "owed")
    state.requests[operation] = one
    body = FulfilmentRequestDocument(
        number=order.number,
        channel=order.channel,
        currency=order.currency,
        request_date=when.business_date,
        location=one.location,
        lines=tuple(_goods(order, line) for line in one.lines.values()),
        party=order.party,
        ship_to=order.ship_to,
        collect=bool(order.collect_at),
    )
    return SubmitDocument(
        key=state.key,
        id=operation,
        kind=REQUEST,
        entity=state.entities.selling,
        connection=one.connection,
        fulfilment_request=body,
    )


def _goods(order: Order, asked: RequestLine) -> GoodsLine:
    """With its part of what the line is sold for, where it is still the order's."""
    line = next((line for line in order.lines if line.line == asked.line), None)
    same = line is not None and line.product == asked.product and line.quantity > 0
    return GoodsLine(
        line=asked.line,
        product=asked.product,
        quantity=asked.quantity,
        unit=asked.unit,
        net=part(line.net, asked.quantity, line.quantity) if line is not None and same else 0,
        title=line.title if line is not None else "",
    )


# -- too late -------------------------------------------------------------------------------------


def left_all_the_same(state: OrderState, order: Order) -> NeedsDecision | None:
    """A notice while goods that nobody wants any more leave, or left, because it was too late to
    call them off, and did not come back.
    """
    late: dict[str, int] = {}
    for one in state.requests.values():
        if one.end == TOO_LATE:
            for line in one.lines.values():
                late[line.line] = late.get(line.line, 0) + line.quantity
    if not late:
        return None
    opened: dict[str, int] = {}
    for key, places in still_open(state).items():
        name = line_of_key(key)[1]
        opened[name] = opened.get(name, 0) + sum(places.values())
    gone, dropped = shipped(state), unshipped_cancelled(state)
    over = order.cancelled_at is not None or bool(state.replaced_by)
    lines = {line.line: line for line in order.lines}
    products = {line.line: line.product for line in request_lines(state).values()}
    rows, amount = [], 0
    for name, much in sorted(late.items()):
        ordered = lines.get(name)
        kept = 0 if ordered is None or over else ordered.quantity - dropped.get(name, 0)
        leaves = gone.get(name, 0) + opened.get(name, 0) - state.returned.get(name, 0)
        beyond = min(much, leaves - kept)
        if beyond > 0:
            rows.append(f"{quantity_text(beyond)} of {products[name]}")
            if ordered is not None:
                amount += part(ordered.gross, beyond, ordered.quantity)
    if not rows:
        return None
    return NeedsDecision(
        "called_off_too_late",
        f"order {order.number}: {', '.join(rows)} could not be called off in time and reaches the "
        f"buyer all the same; agree its return with him at {order.channel}, it is settled once "
        "the goods are back",
        owner="ecommerce",
        remedy=f"tillbridge story {order.number}",
        amount=amount,
        currency=order.currency,
    )
