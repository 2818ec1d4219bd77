"""What a settlement source told, added up: tests hold it against the file's own totals."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tillbridge.canonical.settlement import (
    BankLine,
    Broken,
    PayoutTold,
    SettlementLine,
    StatementTold,
    Told,
)

# Recorded files are not part of the project: TILLBRIDGE_REALDATA names their folder.
REAL = Path(
    os.environ.get("TILLBRIDGE_REALDATA", Path(__file__).resolve().parents[3] / "shared/realdata")
)


def broken(told: Iterable[Told]) -> list[Broken]:
    """What could not be believed."""
    return [one for one in told if isinstance(one, Broken)]


def lines(told: Iterable[Told]) -> list[SettlementLine]:
    """The settlement lines."""
    return [one for one in told if isinstance(one, SettlementLine)]


def residuals(told: Iterable[Told]) -> dict[tuple[str, str], int | None]:
    """Per payout and currency: sum of the lines that are no payout less the total told, minor
    units; None = no total was told. Payouts that tie are left out.
    """
    sums: dict[tuple[str, str], int] = {}
    totals: dict[tuple[str, str], int | None] = {}
    for one in told:
        if isinstance(one, SettlementLine) and one.type not in ("payout", "payout_failed"):
            key = (one.payout, one.currency)
            sums[key] = sums.get(key, 0) + one.net
        elif isinstance(one, PayoutTold):
            totals[one.payout, one.currency] = one.amount
    found: dict[tuple[str, str], int | None] = {}
    for key in {**sums, **totals}:
        total = totals.get(key)
        found[key] = None if total is None else sums.get(key, 0) - total
    return {key: rest for key, rest in found.items() if rest != 0}


def differences(told: Iterable[Told]) -> dict[str, int | None]:
    """Per statement: opening and lines less closing, minor units; None = it has not both balances.
    Statements that tie are left out.
    """
    sums: dict[str, int] = {}
    heads: list[StatementTold] = []
    for one in told:
        if isinstance(one, BankLine):
            sums[one.statement] = sums.get(one.statement, 0) + one.amount
        elif isinstance(one, StatementTold):
            heads.append(one)
    found = {
        head.statement: None
        if head.opening is None or head.closing is None
        else head.opening + sums.get(head.statement, 0) - head.closing
        for head in heads
    }
    return {name: rest for name, rest in found.items() if rest != 0}
