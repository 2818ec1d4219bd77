"""Bookings: what a fact moves, as signed lines; a fact that cannot be believed is refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.registry import Body
from tillbridge.canonical.sales import SaleRung
from tillbridge.canonical.stock import (
    CONDITIONS,
    ConditionChanged,
    MoveStock,
    StockAdjusted,
    StockLine,
    StockReceived,
    TransferDispatched,
    TransferReceived,
)

TRANSIT = "in_transit"
COMPLETE = "complete"
"""Cause of the movements of a receipt after which nothing more of its transfer will come."""


class Booking(msgspec.Struct, frozen=True, gc=False):
    """Movements of one kind: signed lines, each at its location and in its condition."""

    kind: str
    lines: tuple[StockLine, ...]
    at: datetime
    cause: str = ""


def booking(body: Body, locations: AbstractSet[str] = frozenset()) -> Booking | None:
    """What a fact moves, in the units told; None for one that says nothing of goods.

    locations: the places there are, empty = not known. Tills and orders are not asked for theirs:
    what they tell has happened. Raises NeedsDecision.
    """
    match body:
        case MoveStock():
            return Booking(body.kind, body.lines, body.occurred_at, body.cause)
        case SaleRung():
            return Booking("sale", _sold(body), body.occurred_at)
        case StockAdjusted():
            lines = _believed(body.lines, locations, body.source, signed=True)
            return Booking("adjustment", lines, body.occurred_at, body.reason)
        case StockReceived():
            lines = _believed(body.lines, locations, body.source)
            return Booking("receipt", lines, body.occurred_at, body.supply)
        case ConditionChanged():
            return _changed(body, locations)
        case TransferDispatched():
            here = _believed(_at(body.lines, body.origin), locations, body.source)
            there = _believed(_at(body.lines, body.destination), locations, body.source)
            lines = (*_turned(here), *_in(there, TRANSIT))
            return Booking("transfer_out", lines, body.occurred_at)
        case TransferReceived():
            cause = COMPLETE if body.complete else ""
            there = _at(body.lines, body.destination)
            if body.lines or not body.complete:
                there = _believed(there, locations, body.source)
            lines = (*_turned(_in(there, TRANSIT)), *there)
            return Booking("transfer_in", lines, body.occurred_at, cause)
        case _:
            return None


def place_known(location: str, locations: AbstractSet[str], source: str = "") -> None:
    """Nothing when goods can be there; raises NeedsDecision. source: the connection that told."""
    if location and (not locations or location in locations):
        return
    details = {"location": location, "connection": source}
    if not location:
        words = f"{source or 'its source'} tells no location of these goods: its mapping has to"
        raise NeedsDecision("location_unknown", words, details=details)
    source = "" if source == "hub" else source
    told = f"a name of {source} leads to {location!r}, which" if source else f"{location!r}"
    raise NeedsDecision(
        "location_unknown",
        f"{told} is no location of this workspace: correct the name, or add a [[location]] with "
        f"code {location!r} to tillbridge.toml and start the hub again",
        remedy=f"tillbridge xref list --connection {source} --table location" if source else "",
        details=details,
    )


def condition_known(condition: str) -> None:
    """Nothing for a condition goods can be in; raises NeedsDecision."""
    if condition not in CONDITIONS:
        raise NeedsDecision(
            "condition_unknown",
            f"goods cannot be {condition!r}; the conditions are {', '.join(CONDITIONS)}",
            details={"condition": condition},
        )


def _believed(
    lines: tuple[StockLine, ...],
    locations: AbstractSet[str],
    source: str,
    *,
    signed: bool = False,
) -> tuple[StockLine, ...]:
    """The lines that move something; raises NeedsDecision when one of them cannot be."""
    for line in lines:
        place_known(line.location, locations, source)
        condition_known(line.condition)
        if line.quantity < 0 and not signed:
            raise NeedsDecision(
                "quantity_refused",
                f"{line.product}: {to_text(line.quantity)} is negative, and goods that arrive, "
                "leave or change are counted upwards",
                owner="fulfilment",
                details={"product": line.product},
            )
    moving = tuple(line for line in lines if line.quantity)
    if not moving:
        raise NeedsDecision("quantity_refused", "it moves nothing", owner="fulfilment")
    return moving


def _changed(body: ConditionChanged, locations: AbstractSet[str]) -> Booking:
    lines = _believed(body.lines, locations, body.source)
    condition_known(body.before)
    for line in lines:
        if line.condition == body.before:
            raise NeedsDecision("condition_unknown", f"{line.product} is {body.before} already")
    return Booking(
        "condition", (*_turned(_in(lines, body.before)), *lines), body.occurred_at, body.reason
    )


def _at(lines: Iterable[StockLine], location: str) -> tuple[StockLine, ...]:
    return tuple(msgspec.structs.replace(line, location=location) for line in lines)


def _in(lines: Iterable[StockLine], condition: str) -> tuple[StockLine, ...]:
    return tuple(msgspec.structs.replace(line, condition=condition) for line in lines)


def _turned(lines: Iterable[StockLine]) -> tuple[StockLine, ...]:
    return tuple(msgspec.structs.replace(line, quantity=-line.quantity) for line in lines)


def _sold(body: SaleRung) -> tuple[StockLine, ...]:
    """What a till sale takes from the shelf: one line for each product and unit. What is sent from
    elsewhere or collected later moves with its order.
    """
    out: dict[tuple[str, str], int] = {}
    for line in body.lines:
        if line.kind == "goods" and not line.fulfil:
            out[line.product, line.unit] = out.get((line.product, line.unit), 0) - line.quantity
    return tuple(
        StockLine("", product, quantity, body.location, unit=unit)
        for (product, unit), quantity in out.items()
    )
