"""What an order wants of the stock book: goods held where they can be served, goods moved. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tillbridge.canonical.orders import Order, OrderLine
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import SELLABLE, MoveStock, ReserveStock, StockLine
from tillbridge.orchestration.orders.pickup import given_up
from tillbridge.orchestration.orders.returns import WRITE_OFF, came_back
from tillbridge.orchestration.orders.state import OrderState, shipped
from tillbridge.orchestration.orders.substitution import (
    ORDERED,
    by_product,
    left_as,
    still_wanted,
    substitutes,
    whole_substitute,
)
from tillbridge.orchestration.orders.value import SEP
from tillbridge.orchestration.orders.valuing import When
from tillbridge.orchestration.policies import ChannelPolicy, Policies

NO_PICK, ADJUSTMENT = "no_pick", "adjustment"
EACH = "EA"
"""What a channel says that knows no units: the item's base unit, whatever that is called."""
Moves = dict[tuple[str, str], list[StockLine]]
"""By kind and cause."""


def stock(
    state: OrderState, order: Order, policy: ChannelPolicy, policies: Policies, when: When
) -> list[Body]:
    """What came back is there before it is promised again, and what left is no longer promised
    before it is gone: else the last piece on the shelf would look oversold while it ships.
    """
    back, out = _movements(state, order)
    return [
        *_move(state, back, when),
        *_reserve(state, order, policy, policies, when),
        *_move(state, out, when),
    ]


def _movements(state: OrderState, order: Order) -> tuple[Moves, Moves]:
    """What was shipped, came back to stock or was not found, as differences per place: (in, out) by
    kind.
    """
    target: dict[str, int] = {}
    for left in left_as(state, order) if state.shipments else ():
        _add(state, target, left.line, left.location, "sale", -left.quantity, product=left.product)
    _returned(state, target)
    _not_found(state, target)
    back: Moves = {}
    out: Moves = {}
    for place in sorted(target.keys() | state.moved.keys()):
        difference = target.get(place, 0) - state.moved.get(place, 0)
        if difference:
            name, product, location, kind, *more = place.split(SEP)
            unit, condition = (*more, "", "")[:2]
            condition = condition or SELLABLE
            piece = StockLine(name, product, difference, location, condition, unit)
            side = back if difference > 0 else out
            side.setdefault((kind, _cause(kind, condition)), []).append(piece)
    state.moved = target
    return back, out


def _cause(kind: str, condition: str) -> str:
    """Why stock is corrected: what is not found was on the shelf, what is thrown away was not."""
    if kind != ADJUSTMENT:
        return ""
    return NO_PICK if condition == SELLABLE else WRITE_OFF


def _returned(state: OrderState, target: dict[str, int]) -> None:
    """Goods that came back stand where and as they came in; what is written off leaves again."""
    found = came_back(state)
    for piece in found.pieces:
        at, came = (piece.line, piece.location), _sent(state, piece.line)
        _add(state, target, *at, "return", piece.quantity, piece.condition, came)
        if piece.disposition == WRITE_OFF:
            _add(state, target, *at, ADJUSTMENT, -piece.quantity, piece.condition, came)
    for (name, location), quantity in found.restocked.items():
        if location:
            _add(state, target, name, location, "return", quantity, product=_sent(state, name))


def _sent(state: OrderState, name: str) -> str:
    """What a line was served with instead of what was ordered, "" when it was not."""
    line = state.line(name) if state.substitutions else None
    return "" if line is None else whole_substitute(state, line)


def _not_found(state: OrderState, target: dict[str, int]) -> None:
    """Goods a place looked for and did not find are not there: nobody else is promised them."""
    for failure in state.failures.values():
        if failure.reason == NO_PICK:
            for one in failure.stood:
                place = SEP.join((one.line, one.product, one.location, ADJUSTMENT))
                target[place] = target.get(place, 0) - one.quantity


def _add(
    state: OrderState,
    target: dict[str, int],
    name: str,
    location: str,
    kind: str,
    quantity: int,
    condition: str = SELLABLE,
    product: str = "",
) -> None:
    """Only goods the newest version knows can be moved; others wait until it does."""
    line = state.line(name)
    if line is not None and line.kind == "goods":
        unit = _unit(line)
        more = (unit, condition) if condition != SELLABLE else (unit,) if unit else ()
        place = SEP.join((name, product or line.product, location, kind, *more))
        target[place] = target.get(place, 0) + quantity


def _unit(line: OrderLine) -> str:
    """The unit a line was ordered in, as the stock book takes it."""
    return "" if line.unit == EACH else line.unit


def _move(state: OrderState, moves: Moves, when: When) -> list[Body]:
    return [
        MoveStock(
            key=state.key,
            id=f"{state.key}/move/{state.step('move')}",
            kind=kind,
            cause=cause,
            lines=tuple(lines),
            occurred_at=when.occurred_at,
        )
        for (kind, cause), lines in moves.items()
    ]


def _reserve(
    state: OrderState, order: Order, policy: ChannelPolicy, policies: Policies, when: When
) -> list[Body]:
    """What should be held now: ordered less what left, was cancelled or was not collected; nothing
    once cancelled.

    Asked again when that changes, when a place failed that was to serve some of it, and when goods
    came after it had been told that there are none.
    """
    wanted = _wanted(state, order)
    failed = len(state.failures)
    anew, state.anew = state.anew, False
    same = failed == state.failures_asked and not anew
    if wanted == state.wanted and (not wanted or same):
        return []
    state.wanted = wanted
    state.failures_asked = failed
    state.hold_version += 1
    state.hold_turn = 0
    places = tuple(sorted({failure.location for failure in state.failures.values()}))
    lines = tuple(_pieces(state, order, wanted))
    return [
        ReserveStock(
            key=state.key,
            id=f"{state.key}/hold/{state.hold_version}",
            version=state.hold_version,
            occurred_at=when.occurred_at,
            lines=lines,
            locations=policies.sourcing.candidates(
                order, policy.fulfil_from, policy.nearest, places
            ),
            channel=order.channel,
            takes=order.reservation or order.replaces,
            split_most=policy.split_most,
            backorder=policy.backorder,
            preorder=tuple(p for p in policy.preorder if p in {line.product for line in lines}),
            barred=places,
        )
    ]


def _wanted(state: OrderState, order: Order) -> dict[str, int]:
    if order.cancelled_at is not None or state.replaced_by:
        return {}
    gone, dropped = shipped(state), given_up(state, order)
    instead = by_product(state, order) if state.substitutions else {}
    wanted: dict[str, int] = {}
    for line in order.lines:
        if line.kind == "goods" and line.ships:
            left = line.quantity - gone.get(line.line, 0) - dropped.get(line.line, 0)
            if left > 0 and not state.substitutions:
                wanted[line.line] = left
            elif left > 0:
                sent = instead.get(line.line, {ORDERED: gone.get(line.line, 0)})
                for product, much in still_wanted(state, line, left, sent).items():
                    wanted[SEP.join((product, line.line)) if product else line.line] = much
    return wanted


def _pieces(state: OrderState, order: Order, wanted: dict[str, int]) -> Iterator[StockLine]:
    """What is to be held, as the stock book takes it. A substitute lies where it was found; that
    the place failed for what was ordered does not matter to it.
    """
    lines = {line.line: line for line in order.lines}
    for key, much in wanted.items():
        product, _, name = key.rpartition(SEP)
        line = lines[name]
        place = _instead_at(state, order, line, product) if state.substitutions else ""
        place = place or ("" if product else _stays_at(state, name))
        yield StockLine(name, product or line.product, much, place, unit=_unit(line))


def _instead_at(state: OrderState, order: Order, line: OrderLine, product: str) -> str:
    """Where a substitute lies; also where the rest of its line stays, once what was missed of that
    is made up for.
    """
    told = substitutes(state, line)
    named = [one for one in told if one.product == product] if product else told
    made_up = sum(one.quantity for one in told)
    missed = sum(failure.lines.get(line.line, 0) for failure in state.failures.values())
    if not named or (not product and made_up < missed):
        return ""
    return named[0].location or order.collect_at


def _stays_at(state: OrderState, line: str) -> str:
    """Where a line stays although the order is sourced anew: it stands whole at one place (or is to
    be collected there), which failed other lines of the order, or none. "" leaves it to the stock
    book.
    """
    if not state.failures:
        return ""
    places = {one.location for one in state.standing if one.line == line}
    collected = state.order.collect_at if state.order is not None else ""
    place = places.pop() if len(places) == 1 else collected
    failed_here = any(
        failure.location == place and (not failure.lines or line in failure.lines)
        for failure in state.failures.values()
    )
    return "" if failed_here else place
