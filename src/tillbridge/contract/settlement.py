"""What a settlement source says, and how the hub believes it: rules for `ReadsSettlements`.

A source is pure and streams: it holds no file, drops no row and adds nothing up. It yields in the
file's order: `SettlementLine` for each row (a type it does not know is `unknown`, with the vendor's
words in `told`), `PayoutTold` or `StatementTold` for each head or trailer, `BankLine`, `FileTotal`
for a total over the file, `Broken` for a row that cannot be read (the other rows go on). A head may
come before or after its lines, or in another file.

The hub proves what it is told: a line by itself here, sums where they are kept (lines against the
payout's total, opening and lines against closing, rows and net against the file's own totals).
"""

from __future__ import annotations

from tillbridge.canonical.settlement import LINE_TYPES, BankLine, SettlementLine

TEXT_MOST = 200
AMOUNT_MOST = 10**15


def wrong_with(line: SettlementLine) -> str:
    """What contradicts itself in a line, in words; "" = nothing."""
    if line.net != line.gross - line.fee:
        return f"net {line.net} is not gross {line.gross} less fee {line.fee} (minor units)"
    if line.type not in LINE_TYPES:
        return f"{line.type!r} is no type of a line"
    largest = max(abs(line.gross), abs(line.fee), abs(line.presented or 0))
    if largest >= AMOUNT_MOST:
        return f"an amount of {largest} minor units cannot be believed"
    if "\0" in f"{line.line}{line.payout}{line.told}{line.reference}{line.parent}{line.order}":
        return "an id holds a NUL"
    if max(len(line.line), len(line.payout), len(line.reference), len(line.order)) > TEXT_MOST:
        return f"an id has more than {TEXT_MOST} letters"
    return ""


def wrong_with_bank(line: BankLine) -> str:
    """What contradicts itself in a bank line, in words; "" = nothing."""
    if not line.statement:
        return "it is of no statement"
    if "\0" in f"{line.line}{line.statement}{line.reference}{line.text}{line.told}":
        return "a text holds a NUL"
    if not -AMOUNT_MOST < line.amount < AMOUNT_MOST:
        return f"an amount of {line.amount} minor units cannot be believed"
    return ""
