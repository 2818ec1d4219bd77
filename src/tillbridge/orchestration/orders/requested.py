"""What places were asked for, what they said to it, and what of it may still leave. Pure.

A place never sends less for having been called off before it says so: its goods are its own until
then, for the stock book too. What it says is folded into the request it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from tillbridge.canonical.documents import (
    REJECTED,
    REQUEST,
    REQUEST_KINDS,
    TOO_LATE,
    DocumentAccepted,
    DocumentRefused,
)
from tillbridge.canonical.orders import Order
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import StockLine
from tillbridge.orchestration.orders import request_state
from tillbridge.orchestration.orders.failures import standing
from tillbridge.orchestration.orders.request_state import Request, RequestLine
from tillbridge.orchestration.orders.state import GONE, Failure, OrderState
from tillbridge.orchestration.orders.substitution import left_as

SEP = "\x1f"
Open = dict[str, dict[str, int]]
"""Thousandths by what is wanted (as OrderState.wanted) and by place."""


def is_answer(body: Body) -> bool:
    """Whether somebody who was asked for goods answers."""
    return isinstance(body, DocumentAccepted | DocumentRefused) and body.kind in REQUEST_KINDS


def answered(state: OrderState, body: DocumentAccepted | DocumentRefused) -> None:
    """Fold an answer to a request, or to calling one off. Whoever will not do what he was asked for
    is a place that failed the order.
    """
    name = body.operation
    if body.kind != REQUEST:
        name = next((one for one, r in state.requests.items() if r.cancel == name), "")
    known = state.requests.get(name)
    if known is None:
        return
    if body.kind == REQUEST:
        state.requests[name] = _with_answer(state, name, known, body)
    elif isinstance(body, DocumentAccepted):
        end = request_state.TOO_LATE if body.answer == TOO_LATE else request_state.CANCELLED
        state.requests[name] = msgspec.structs.replace(known, end=end)


def _with_answer(
    state: OrderState, name: str, known: Request, body: DocumentAccepted | DocumentRefused
) -> Request:
    if isinstance(body, DocumentRefused):
        return msgspec.structs.replace(known, state=request_state.REFUSED)
    if body.answer != REJECTED:
        return msgspec.structs.replace(known, state=request_state.ACCEPTED)
    lines: dict[str, int] = {}
    for one in known.lines.values():
        lines[one.line] = lines.get(one.line, 0) + one.quantity
    state.failures[name] = Failure(known.location, REJECTED, lines, at=body.occurred_at)
    return msgspec.structs.replace(known, state=request_state.REJECTED)


def still_open(state: OrderState) -> Open:
    """What was asked for, is not confirmed as called off, and has not left."""
    found = asked_for(state, live=True)
    if found:
        for (place, key), much in left(state).items():
            if place in found.get(key, {}):
                found[key][place] = max(found[key][place] - much, 0)
    return found


def asked_for(state: OrderState, *, live: bool) -> Open:
    """What all requests ask for that are live; not live: those of them that stand, or that it was
    too late to call off, because nobody waits for an answer to them.
    """
    found: Open = {}
    for one in state.requests.values():
        if one.live if live else one.stands or one.end == request_state.TOO_LATE:
            for key, line in one.lines.items():
                places = found.setdefault(key, {})
                much = line.quantity + (line.before if live else 0)
                places[one.location] = places.get(one.location, 0) + much
    return found


def left(state: OrderState) -> dict[tuple[str, str], int]:
    """Thousandths that left, by place and by what is wanted."""
    found: dict[tuple[str, str], int] = {}
    for place, key, much in _left(state):
        found[place, key] = found.get((place, key), 0) + much
    return found


def _left(state: OrderState) -> Iterator[tuple[str, str, int]]:
    order = state.order
    known: set[str] = set()
    if state.substitutions and order is not None:
        known = {line.line for line in order.lines}
        for one in left_as(state, order):
            key = SEP.join((one.product, one.line)) if one.product else one.line
            yield one.location, key, one.quantity
    for parcel in state.shipments.values():
        if parcel.state in GONE:
            for told in parcel.lines:
                if told.line not in known:
                    yield parcel.location, told.line, told.quantity


def failed_for(state: OrderState, place: str, line: str) -> bool:
    """Whether a place failed a line of the order."""
    return any(
        one.location == place and (not one.lines or line in one.lines)
        for one in (standing(state) if state.failures else ())
    )


def spoken_for(state: OrderState, suppliers: Mapping[str, object]) -> dict[str, list[StockLine]]:
    """Goods that stay where they are as long as a place of ours may send them, by what is wanted:
    in the order's unit, with the place; not what the place has said that it cannot send.
    """
    if not state.requests:
        return {}
    found: dict[str, list[StockLine]] = {}
    lines = request_lines(state)
    for key, places in still_open(state).items():
        line = lines[key]
        for place, much in sorted(places.items()):
            if much > 0 and place not in suppliers and not failed_for(state, place, line.line):
                stays = StockLine(line.line, line.product, much, place, unit=line.unit)
                found.setdefault(key, []).append(stays)
    return found


def request_lines(state: OrderState) -> dict[str, RequestLine]:
    """The newest request's line of everything that was ever asked for."""
    return {key: line for one in state.requests.values() for key, line in one.lines.items()}


def left_unordered(state: OrderState, order: Order) -> Iterator[tuple[str, RequestLine, int]]:
    """Goods that left because of a request although the order no longer knows their line: place,
    line as it was asked for, thousandths.
    """
    if state.requests:
        known = {line.line for line in order.lines}
        lines = request_lines(state)
        for (place, key), much in left(state).items():
            if key not in known and key in lines and lines[key].line not in known:
                yield place, lines[key], much
