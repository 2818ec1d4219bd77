"""Endless aisle: goods paid at a till that do not leave with the buyer are an order. Pure.

The receipt has booked their money as a deposit of that order, so the order is told what was paid
and books it no second time. What the receipt hands over is earned at once and is no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import split
from tillbridge.canonical.orders import (
    Order,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    TillPayment,
)
from tillbridge.canonical.returns import RefundIssued, RefundLine, RefundPayment
from tillbridge.canonical.sales import SaleLine, SaleRung, SaleVoided, ordered

MAPPING = "hub/1"
AT_TILL = "at_till"
"""State of a refund's payment that a till made and has booked with its receipt."""
EXCHANGED = "exchange"
"""Tender of what was paid with goods that came back on the same receipt."""


class Aisle(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a receipt told orders: those it placed, and what it gave up of others."""

    placed: tuple[OrderPlaced, ...] = ()
    given_up: tuple[RefundIssued, ...] = ()


def aisle_of(sale: SaleRung) -> Aisle | None:
    """Orders of a receipt, None when all of it is handed over.

    Raises NeedsDecision when goods are given up that no order and line is named for.
    """
    placed, given_up = [], []
    for key, lines in ordered(sale).items():
        if any(line.direction == "return" for line in lines):
            given_up.append(_given_up(sale, key, lines))
        else:
            placed.append(_placed(sale, key, lines))
    return Aisle(tuple(placed), tuple(given_up)) if placed or given_up else None


def voided(aisle: Aisle, void: SaleVoided) -> tuple[OrderCancelled | RefundIssued, ...]:
    """The receipt never was: its orders are cancelled and unpaid, what it gave up stands again."""
    return (
        *(_cancelled(placed, void) for placed in aisle.placed),
        *(_restored(refund, void) for refund in aisle.given_up),
    )


def _about(sale: SaleRung, key: str, name: str) -> dict[str, Any]:
    return {
        "key": key,
        "id": name,
        "source": sale.source,
        "mapping": MAPPING,
        "occurred_at": sale.occurred_at,
        "business_date": sale.business_date,
        "entities": sale.entities,
    }


def _placed(sale: SaleRung, key: str, lines: Sequence[SaleLine]) -> OrderPlaced:
    total = sum(line.gross for line in lines)
    first = lines[0]
    paid = _shares(sale, total, 1)
    version = sale.occurred_at.isoformat()
    order = Order(
        number=sale.receipt or key.split("/", 2)[-1],
        channel=sale.channel,
        currency=sale.currency,
        version=version,
        placed_at=sale.occurred_at,
        total=total,
        lines=tuple(_line(line) for line in lines),
        party=sale.party,
        ship_to=sale.ship_to,
        location=sale.location,
        collect_at=(first.place or sale.location) if first.fulfil == "collect" else "",
        ship_from=first.place if first.fulfil == "ship" else "",
        sale=sale.key,
        till_paid=tuple(TillPayment(tender, amount) for tender, amount in paid.items()),
    )
    return OrderPlaced(order=order, **_about(sale, key, f"{key}@{version}"))


def _line(line: SaleLine) -> OrderLine:
    return OrderLine(
        line=line.line,
        kind=line.kind,
        product=line.product,
        quantity=line.quantity,
        list=line.list,
        discount=line.discount,
        taxes=line.taxes,
        unit=line.unit,
        department=line.department,
        promotion=line.promotion,
        title=line.title,
        ships=line.kind == "goods",
    )


def _shares(sale: SaleRung, amount: int, sign: int) -> dict[str, int]:
    """An amount of the receipt over the tenders it was paid (1) or given back (-1) by, as they
    stand to each other; positive.
    """
    sums: dict[str, int] = {}
    for tender in sale.tenders:
        if sign * tender.amount > 0:
            sums[tender.tender] = sums.get(tender.tender, 0) + sign * tender.amount
    names = sorted(sums) or [EXCHANGED]
    parts = split(amount, [sums.get(name, 0) for name in names])
    return {name: part for name, part in zip(names, parts, strict=True) if part}


def _given_up(sale: SaleRung, key: str, lines: Sequence[SaleLine]) -> RefundIssued:
    unnamed = [line for line in lines if not (line.order and line.order_line)]
    if unnamed or any(line.direction != "return" for line in lines):
        raise NeedsDecision(
            "link_missing",
            f"receipt {sale.receipt or sale.sequence} of till {sale.till} gives up goods that were "
            "to be shipped or collected, but does not say which line of which receipt",
            owner="stores",
            amount=abs(sum(line.gross for line in lines)),
            currency=sale.currency,
        )
    back = _shares(sale, -sum(line.gross for line in lines), -1)
    return RefundIssued(
        **_about(sale, key, f"{key}/refund/{sale.key}"),
        refund=sale.key,
        version=sale.occurred_at.isoformat(),
        currency=sale.currency,
        lines=tuple(_refunded(line) for line in lines),
        payments=tuple(
            RefundPayment(f"{sale.key}/{tender}", tender, amount, AT_TILL)
            for tender, amount in back.items()
        ),
    )


def _refunded(line: SaleLine) -> RefundLine:
    return RefundLine(
        line=line.order_line,
        quantity=-line.quantity,
        net=-line.net,
        taxes=tuple(
            msgspec.structs.replace(tax, amount=-tax.amount, base=-tax.base) for tax in line.taxes
        ),
        restock="cancel",
    )


def _later(of: datetime, void: SaleVoided) -> datetime:
    """A till's clock may stand anywhere; a void comes after what it voids."""
    return max(of, void.occurred_at)


def _cancelled(placed: OrderPlaced, void: SaleVoided) -> OrderCancelled:
    at = _later(placed.occurred_at, void)
    version = f"{at.isoformat()}/void"
    order = msgspec.structs.replace(
        placed.order,
        version=version,
        cancelled_at=at,
        cancel_reason="the receipt was voided",
        till_paid=(),
    )
    told = msgspec.structs.asdict(placed)
    told |= {
        "id": f"{placed.key}@{version}",
        "order": order,
        "occurred_at": at,
        "business_date": void.business_date,
    }
    return OrderCancelled(**told)


def _restored(refund: RefundIssued, void: SaleVoided) -> RefundIssued:
    at = _later(refund.occurred_at, void)
    return msgspec.structs.replace(
        refund,
        id=f"{refund.id}/void",
        version=f"{at.isoformat()}/void",
        occurred_at=at,
        business_date=void.business_date,
        lines=(),
        payments=(),
    )
