"""The machine of one payment intent: held, taken in parts, let go, failed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from tillbridge.orchestration.orders.payments import (
    AUTHORIZED,
    CAPTURED,
    FAILED,
    VOIDED,
    PaymentTold,
    Tables,
    groups_of,
    node,
    rows_of,
)


class Intent(msgspec.Struct):
    """How one payment intent stands, minor units. name: what it is known by.

    authorized: ever held; captured: taken; left: of what is held now, still to be taken. held:
    the authorisations that hold on. after_void: captured although let go.
    missed: of captures that failed and were not made up for. roads: what each road captured, by how
    many movements.
    """

    name: str
    tender: str
    authorized: int = 0
    captured: int = 0
    left: int = 0
    held: tuple[PaymentTold, ...] = ()
    after_void: int = 0
    missed: int = 0
    roads: dict[str, tuple[int, int]] = {}


def intents(tables: Tables) -> list[Intent]:
    """Every intent that is more than a plain capture, by name."""
    groups = groups_of(tables)
    told: dict[str, list[PaymentTold]] = {}
    for row in tables.payments.values():
        told.setdefault(groups.of(node(row)), []).append(row)
    for row in rows_of(tables, CAPTURED).values():
        mates = told.get(groups.of(node(row)))
        if mates is not None and row not in mates:
            mates.append(row)
    return [_intent(rows) for _, rows in sorted(told.items())]


def _intent(rows: list[PaymentTold]) -> Intent:
    kinds = (AUTHORIZED, VOIDED, CAPTURED, FAILED)
    held, voids, caught, failed = ([r for r in rows if r.kind == kind] for kind in kinds)
    known = {row.reference for row in held}
    let_go: dict[str, datetime] = {}
    for void in voids:
        for row in held:
            if void.parent == row.reference or (void.parent not in known and row.at <= void.at):
                let_go[row.reference] = min(void.at, let_go.get(row.reference, void.at))
    holding = [row for row in held if row.reference not in let_go]
    captured = _most(caught)
    late = [r for r in caught if _after_void(r, let_go, voids, held=bool(holding), known=known)]
    attempts = [r for r in failed if r.parent in known]
    return Intent(
        name=max(r.intent for r in rows) or min(r.reference for r in rows),
        tender=min(row.tender for row in rows),
        authorized=_most(held),
        captured=captured,
        left=max(_most(holding) - captured, 0) if holding else 0,
        held=tuple(sorted(holding, key=lambda row: row.reference)),
        after_void=_most(late),
        missed=max((r.amount for r in attempts), default=0) if not captured and holding else 0,
        roads={road: (n, amount) for road, n, amount in _told_by(caught)},
    )


def _after_void(
    row: PaymentTold,
    let_go: Mapping[str, datetime],
    voids: list[PaymentTold],
    *,
    held: bool,
    known: set[str],
) -> bool:
    """Whether a capture came after what it takes from had been let go."""
    if row.parent in let_go:
        return row.at > let_go[row.parent]
    if not voids or held or row.parent in known:
        return False
    return row.at > min(void.at for void in voids)


def _told_by(rows: Iterable[PaymentTold]) -> list[tuple[str, int, int]]:
    """(road, how many movements, minor units)."""
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        for road in row.roads:
            number, amount = sums.get(road, (0, 0))
            sums[road] = (number + 1, amount + row.amount)
    return [(road, *found) for road, found in sorted(sums.items())]


def _most(rows: Iterable[PaymentTold]) -> int:
    return max((amount for _, _, amount in _told_by(rows)), default=0)
