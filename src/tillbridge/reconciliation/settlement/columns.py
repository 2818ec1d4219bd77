"""Settlement and bank lines as rows of the temporary tables they are copied into."""

from __future__ import annotations

from tillbridge.atoms.card_numbers import mask_text
from tillbridge.canonical.settlement import BankLine, SettlementLine


def line_columns(one: SettlementLine) -> tuple[object, ...]:
    """Columns of `told_line`; a row without an id is called after its place in the file."""
    return (
        one.line or f"{one.payout}#{one.n}",
        one.payout,
        one.n,
        one.type,
        one.told,
        one.gross,
        one.fee,
        one.net,
        one.currency,
        one.tender,
        one.reference,
        one.parent,
        one.order,
        one.at,
        one.presented,
        one.presented_currency,
        one.rate,
        mask_text(one.extra) if one.extra else "",
    )


def bank_columns(one: BankLine) -> tuple[object, ...]:
    """Columns of `told_bank`."""
    return (
        one.line,
        one.statement,
        one.n,
        one.amount,
        one.currency,
        one.booked_on,
        one.reference,
        mask_text(one.text),
        one.told,
        one.reversal,
    )
