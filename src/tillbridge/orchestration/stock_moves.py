"""Stock moves for the ERP: transfers between places of ours, and corrections of stock. Pure.

A transfer is two moves, out of its origin onto the way and off the way into its destination, each
under the identity of the fact that tells it.
"""

from __future__ import annotations

from itertools import groupby

from tillbridge.canonical.documents import (
    IN_TRANSIT,
    GoodsLine,
    StockMoveDocument,
    SubmitDocument,
)
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import (
    StockAdjusted,
    StockLine,
    TransferDispatched,
    TransferReceived,
)
from tillbridge.orchestration.policies import Keeper, Policies

MOVING = (StockAdjusted, TransferDispatched, TransferReceived)
Moving = StockAdjusted | TransferDispatched | TransferReceived


def stock_moves(body: Moving, policies: Policies) -> tuple[Body, ...]:
    """The moves a fact means for the ERP of the entity whose goods they are; none where that ERP
    does not keep its stock by them, or told the fact itself.
    """
    if isinstance(body, StockAdjusted):
        return _adjusted(body, policies)
    origin, destination = policies.keeper(body.origin), policies.keeper(body.destination)
    if isinstance(body, TransferDispatched):
        keeper, ends = origin or destination, (body.origin, IN_TRANSIT)
    else:
        keeper, ends = destination or origin, (IN_TRANSIT, body.destination)
    if keeper is None or keeper.erp == body.source:
        return ()
    operation = f"{body.id}/stock_move"
    return (_move(body, operation, keeper, ends, body.lines, body.transfer),)


def _adjusted(body: StockAdjusted, policies: Policies) -> tuple[Body, ...]:
    """One move per place and direction."""

    def side(line: StockLine) -> tuple[str, bool]:
        return line.location, line.quantity > 0

    moves: list[Body] = []
    lines = sorted((line for line in body.lines if line.quantity), key=side)
    for (place, found), share in groupby(lines, key=side):
        keeper = policies.keeper(place)
        if keeper is None or keeper.erp == body.source:
            continue
        ends = ("", place) if found else (place, "")
        operation = f"{body.id}/stock_move/{place}/{'found' if found else 'lost'}"
        number = body.key.rsplit("/", maxsplit=1)[-1]
        moves.append(_move(body, operation, keeper, ends, tuple(share), number))
    return tuple(moves)


def _move(
    body: Moving,
    operation: str,
    keeper: Keeper,
    ends: tuple[str, str],
    lines: tuple[StockLine, ...],
    number: str,
) -> SubmitDocument:
    document = StockMoveDocument(
        number=number,
        currency=keeper.currency,
        goods_date=body.business_date,
        origin=ends[0],
        destination=ends[1],
        lines=tuple(
            GoodsLine(
                line=line.line, product=line.product, quantity=abs(line.quantity), unit=line.unit
            )
            for line in lines
        ),
        reason=body.reason if isinstance(body, StockAdjusted) else "transfer",
    )
    return SubmitDocument(
        key=body.key,
        id=operation,
        kind="stock_move",
        entity=keeper.entity,
        stock_move=document,
    )
