"""What a settlement file came to while it was read, and which file it is."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.canonical.settlement import (
    BankLine,
    Broken,
    FileTotal,
    PayoutTold,
    SettlementLine,
    StatementTold,
)
from tillbridge.contract.settlement import wrong_with, wrong_with_bank
from tillbridge.reconciliation.settlement.columns import bank_columns, line_columns


class At(msgspec.Struct, frozen=True):
    """The file being taken: its SHA-256 as hex, its number, and when."""

    digest: str
    file: int
    now: datetime


class Taken(msgspec.Struct):
    """What a file came to. lines: rows; unassigned: rows of no payout yet, which come again."""

    lines: int = 0
    unassigned: int = 0
    broken: list[Broken] = []
    heads: dict[str, PayoutTold] = {}
    statements: dict[str, StatementTold] = {}
    totals: list[FileTotal] = []
    net: int = 0

    def line(self, one: SettlementLine) -> tuple[object, ...] | None:
        """The row of a line; None when it contradicts itself or is of no payout yet."""
        if wrong := wrong_with(one):
            self.broken.append(Broken(one.n, wrong))
            return None
        self.net += one.net
        if not one.payout:
            self.unassigned += 1
            return None
        self.lines += 1
        return line_columns(one)

    def bank_line(self, one: BankLine) -> tuple[object, ...] | None:
        """The row of a bank's line; None when it contradicts itself."""
        if wrong := wrong_with_bank(one):
            self.broken.append(Broken(one.n, wrong))
            return None
        self.lines += 1
        self.net += one.amount
        return bank_columns(one)

    def further(self, one: PayoutTold | StatementTold | FileTotal | Broken) -> None:
        """Keep what is no line."""
        match one:
            case PayoutTold():
                self.heads[one.payout] = one
            case StatementTold():
                self.statements[one.statement] = one
            case FileTotal():
                self.totals.append(one)
            case Broken():
                self.broken.append(one)
