"""The papers of goods that left for a buyer or came back: what the stock book moves, the ERP is
told, place by place. Pure.

They are the very movements that were decided, less what was told: so the two books cannot differ.
A shipment taken back is a return of its goods, a piece nobody found leaves its place for nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tillbridge.canonical.documents import (
    GoodsDocument,
    GoodsLine,
    StockMoveDocument,
    SubmitDocument,
)
from tillbridge.canonical.orders import Order
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import StockLine
from tillbridge.orchestration.orders.failures import NO_PICK
from tillbridge.orchestration.orders.returns import WRITE_OFF
from tillbridge.orchestration.orders.sales_order import operation_of
from tillbridge.orchestration.orders.state import DocumentSeen, OrderState
from tillbridge.orchestration.orders.stock import SUPPLIED
from tillbridge.orchestration.orders.value import SEP, part
from tillbridge.orchestration.orders.valuing import When
from tillbridge.orchestration.policies import ChannelPolicy

_OF_BUYERS = ("sale", "return")
_KINDS = ("delivery", "customer_return", "stock_move")


def goods(state: OrderState, order: Order, policy: ChannelPolicy, when: When) -> list[Body]:
    """A delivery, customer return or stock move for each place of the movements not told yet, where
    the entity's ERP keeps its stock by them.
    """
    if not policy.erp or not policy.tells_goods:
        return []
    target = _tellable(_plain(state.moved))
    papers: dict[tuple[int, str, str], list[StockLine]] = {}
    for place in sorted(target.keys() | state.goods.keys()):
        difference = target.get(place, 0) - state.goods.get(place, 0)
        if difference:
            name, product, location, kind, *units = place.split(SEP)
            paper = _paper_of(kind, difference)
            piece = StockLine(name, product, difference, location, unit="".join(units))
            papers.setdefault((_KINDS.index(paper), location, kind), []).append(piece)
    state.goods = target
    return [
        _paper(state, order, when, (_KINDS[paper], kind), location, lines)
        for (paper, location, kind), lines in sorted(papers.items(), key=lambda row: row[0])
    ]


def _plain(moved: dict[str, int]) -> dict[str, int]:
    """Movements by line, product, place, kind (of a correction its reason) and unit: an ERP keeps
    no conditions, so what changes its condition where it is does not move.
    """
    found: dict[str, int] = {}
    for place, quantity in moved.items():
        name, product, location, kind, *more = place.split(SEP)
        if kind == SUPPLIED:
            continue
        unit, condition = (*more, "", "")[:2]
        if kind not in _OF_BUYERS:
            kind = WRITE_OFF if condition else NO_PICK
        key = SEP.join((name, product, location, kind, *([unit] if unit else [])))
        found[key] = found.get(key, 0) + quantity
    return {key: quantity for key, quantity in found.items() if quantity}


def _tellable(moved: dict[str, int]) -> dict[str, int]:
    """What the stock book moved, less what came back of a line before it is known to have gone: no
    ERP takes back what never left.
    """
    out: dict[str, int] = {}
    for place, quantity in moved.items():
        name, _, _, kind, *_ = place.split(SEP)
        if kind == "sale":
            out[name] = out.get(name, 0) - quantity
    told: dict[str, int] = {}
    for place, quantity in sorted(moved.items()):
        name, _, _, kind, *_ = place.split(SEP)
        tells = quantity
        if kind == "return":
            tells = min(quantity, max(out.get(name, 0), 0))
            out[name] = out.get(name, 0) - tells
        if tells:
            told[place] = tells
    return told


def _paper_of(kind: str, quantity: int) -> str:
    if kind not in _OF_BUYERS:
        return "stock_move"
    return "delivery" if quantity < 0 else "customer_return"


def _paper(
    state: OrderState,
    order: Order,
    when: When,
    kinds: tuple[str, str],
    location: str,
    moved: Sequence[StockLine],
) -> SubmitDocument:
    """kinds: of the paper and of its movements."""
    kind, reason = kinds
    operation = f"{state.key}/{kind}/{state.step(kind)}"
    state.documents[operation] = DocumentSeen(kind, "owed")
    lines = tuple(_line(state, one) for one in moved)
    command = SubmitDocument(key=state.key, id=operation, kind=kind, entity=state.entities.selling)
    if kind == "stock_move":
        move = StockMoveDocument(
            number=order.number,
            currency=order.currency,
            goods_date=when.business_date,
            origin=location if moved[0].quantity < 0 else "",
            destination=location if moved[0].quantity > 0 else "",
            lines=lines,
            reason=reason,
        )
        return msgspec.structs.replace(command, stock_move=move)
    body = GoodsDocument(
        order=operation_of(state),
        number=order.number,
        channel=order.channel,
        currency=order.currency,
        goods_date=when.business_date,
        location=location,
        lines=lines,
        party=order.party,
        tracking=_tracking(state, location) if kind == "delivery" else "",
    )
    return msgspec.structs.replace(command, goods=body)


def _line(state: OrderState, moved: StockLine) -> GoodsLine:
    """Goods with their part of what the line was sold for."""
    quantity = abs(moved.quantity)
    ordered = state.line(moved.line)
    known = ordered is not None and ordered.product == moved.product
    return GoodsLine(
        line=moved.line,
        product=moved.product,
        quantity=quantity,
        unit=moved.unit,
        net=part(ordered.net, quantity, ordered.quantity) if ordered is not None and known else 0,
        title=ordered.title if ordered is not None else "",
    )


def _tracking(state: OrderState, location: str) -> str:
    """Of the newest parcel that left the place."""
    left = [one for one in state.shipments.values() if one.location == location and one.tracking]
    return max(left, key=lambda one: one.version).tracking if left else ""
