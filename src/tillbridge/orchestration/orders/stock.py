"""What an order wants of the stock book: goods held where they can be served, goods moved. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tillbridge.canonical.orders import Order, OrderLine
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import SELLABLE, MoveStock, ReserveStock, StockLine
from tillbridge.orchestration.orders.failures import NO_PICK, Recount, recount, standing
from tillbridge.orchestration.orders.pickup import given_up
from tillbridge.orchestration.orders.requested import (
    failed_for,
    left_unordered,
    spoken_for,
)
from tillbridge.orchestration.orders.returns import WRITE_OFF, came_back
from tillbridge.orchestration.orders.state import OrderState, shipped
from tillbridge.orchestration.orders.substitution import (
    ORDERED,
    by_product,
    left_as,
    still_wanted,
    substitutes,
)
from tillbridge.orchestration.orders.value import SEP
from tillbridge.orchestration.orders.valuing import When
from tillbridge.orchestration.policies import ChannelPolicy, Policies

ADJUSTMENT, SUPPLIED = "adjustment", "supplied"
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
    back, out = _movements(state, order, policies)
    return [
        *_move(state, back, when),
        *_reserve(state, order, policy, policies, when),
        *_move(state, out, when),
    ]


def _movements(state: OrderState, order: Order, policies: Policies) -> tuple[Moves, Moves]:
    """What was shipped, came back to stock or was not found, as differences per place: (in, out) by
    kind. What a supplier sent, or got back, was never in our stock; that it went is kept.
    """
    target: dict[str, int] = {}
    for left in left_as(state, order) if state.shipments else ():
        kind = SUPPLIED if left.location in policies.suppliers else "sale"
        _add(state, target, left.line, left.location, kind, -left.quantity, product=left.product)
    for place, line, much in left_unordered(state, order):
        if place not in policies.suppliers:
            units = (line.unit,) if line.unit else ()
            name = SEP.join((line.line, line.product, place, "sale", *units))
            target[name] = target.get(name, 0) - much
    _returned(state, target, policies)
    _not_found(state, target)
    back: Moves = {}
    out: Moves = {}
    for place in sorted(target.keys() | state.moved.keys()):
        difference = target.get(place, 0) - state.moved.get(place, 0)
        if difference:
            name, product, location, kind, *more = place.split(SEP)
            if kind == SUPPLIED:
                continue
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


def _returned(state: OrderState, target: dict[str, int], policies: Policies) -> None:
    """Goods that came back stand where and as they came in; what is written off leaves again."""
    found = came_back(state)
    for piece in found.pieces:
        if piece.location in policies.suppliers:
            continue
        at, came = (piece.line, piece.location), piece.product
        _add(state, target, *at, "return", piece.quantity, piece.condition, came)
        if piece.disposition == WRITE_OFF:
            _add(state, target, *at, ADJUSTMENT, -piece.quantity, piece.condition, came)
    for (name, product, location), quantity in found.restocked.items():
        if location and location not in policies.suppliers:
            _add(state, target, name, location, "return", quantity, product=product)


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
        unit = unit_of(line)
        more = (unit, condition) if condition != SELLABLE else (unit,) if unit else ()
        place = SEP.join((name, product or line.product, location, kind, *more))
        target[place] = target.get(place, 0) + quantity


def unit_of(line: OrderLine) -> str:
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
    """What should be held now: ordered less what left, was cancelled or was not collected, and what
    suppliers send; nothing once cancelled. At least what a place may still send because it was
    asked to: that stays there.

    Asked again when that changes, when a place failed that was to serve some of it, and when goods
    came after it had been told that there are none.
    """
    hold = wanted(state, order)
    if policies.suppliers:
        for key in supplied(state, order, hold, policy, policies):
            del hold[key]
    stays = spoken_for(state, policies.suppliers)
    for key, pieces in stays.items():
        hold[key] = max(hold.get(key, 0), sum(piece.quantity for piece in pieces))
    failed = len(state.failures)
    anew, state.anew = state.anew, False
    same = failed == state.failures_asked and not anew
    if hold == state.wanted and (not hold or same):
        return []
    state.wanted = hold
    state.failures_asked = failed
    state.hold_version += 1
    state.hold_turn = 0
    failures = standing(state) if state.failures else []
    places = tuple(sorted({failure.location for failure in failures}))
    counted = recount(failures) if failures else Recount()
    ours = tuple(place for place in policy.fulfil_from if place not in policies.suppliers)
    lines = tuple(_pieces(state, order, hold, stays))
    return [
        ReserveStock(
            key=state.key,
            id=f"{state.key}/hold/{state.hold_version}",
            version=state.hold_version,
            occurred_at=when.occurred_at,
            lines=lines,
            locations=policies.sourcing.candidates(order, ours, policy.nearest, places),
            channel=order.channel,
            takes=order.reservation or order.replaces,
            split_most=policy.split_most,
            backorder=policy.backorder,
            preorder=tuple(p for p in policy.preorder if p in {line.product for line in lines}),
            barred=places,
            recount=counted.places,
            failed_at=counted.failed_at,
        )
    ]


def wanted(state: OrderState, order: Order) -> dict[str, int]:
    """What of an order still has to leave: thousandths by line, of a substitute by product and
    line (`line_of_key`).
    """
    if order.cancelled_at is not None or state.replaced_by:
        return {}
    gone, dropped = shipped(state), given_up(state, order)
    instead = by_product(state, order) if state.substitutions else {}
    found: dict[str, int] = {}
    for line in order.lines:
        if line.kind == "goods" and line.ships:
            left = line.quantity - gone.get(line.line, 0) - dropped.get(line.line, 0)
            if left > 0 and not state.substitutions:
                found[line.line] = left
            elif left > 0:
                sent = instead.get(line.line, {ORDERED: gone.get(line.line, 0)})
                for product, much in still_wanted(state, line, left, sent).items():
                    found[SEP.join((product, line.line)) if product else line.line] = much
    return found


def line_of_key(key: str) -> tuple[str, str]:
    """The product (ORDERED or a substitute) and the line that a wish is about."""
    product, _, name = key.rpartition(SEP)
    return product, name


def supplied(
    state: OrderState,
    order: Order,
    want: dict[str, int],
    policy: ChannelPolicy,
    policies: Policies,
) -> dict[str, str]:
    """What of it a supplier sends to the buyer, and which: the one the seller picked, else the
    first of the channel's that has the product, and has not failed the line.
    """
    if not policies.suppliers or order.collect_at:
        return {}
    picked = (order.ship_from,) if order.ship_from in policies.suppliers else ()
    places = (*picked, *policy.suppliers)
    found: dict[str, str] = {}
    products = {line.line: line.product for line in order.lines}
    for key in want if places else ():
        instead, name = line_of_key(key)
        product = instead or products[name]
        for place in places:
            has = place in picked or product in policies.suppliers[place]
            if has and not failed_for(state, place, name):
                found[key] = place
                break
    return found


def _pieces(
    state: OrderState, order: Order, hold: dict[str, int], stays: dict[str, list[StockLine]]
) -> Iterator[StockLine]:
    """What is to be held, as the stock book takes it. A substitute lies where it was found; that
    the place failed for what was ordered does not matter to it.
    """
    lines = {line.line: line for line in order.lines}
    for key, much in hold.items():
        yield from stays.get(key, ())
        rest = much - sum(piece.quantity for piece in stays.get(key, ()))
        if rest <= 0:
            continue
        product, name = line_of_key(key)
        line = lines[name]
        place = _instead_at(state, order, line, product) if state.substitutions else ""
        place = place or ("" if product else _stays_at(state, name))
        yield StockLine(name, product or line.product, rest, place, unit=unit_of(line))


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
        for failure in standing(state)
    )
    return "" if failed_here else place
