"""The sandbox ERP's moves in our words. Pure."""

from __future__ import annotations

from datetime import date

from tillbridge.atoms.money import MoneyError, to_minor
from tillbridge.connectors.sandbox.wire import Ledger
from tillbridge.contract.ledgers import RECEIVABLE, LedgerLine
from tillbridge.contract.wire import WireError

# what it calls accounts when it books a document by itself
_OURS = {
    "receivable": RECEIVABLE,
    "revenue/goods": "sales",
    "revenue/shipping": "shipping-income",
    "revenue/gift_card": "gift-card-liability",
}


def ledger_lines(found: Ledger) -> tuple[LedgerLine, ...]:
    """Lines of moves; raises WireError for an amount or day that is none."""
    try:
        return tuple(
            LedgerLine(
                currency=move.currency,
                move=move.move,
                day=date.fromisoformat(move.date),
                account=account_of(line.account),
                theirs=line.account,
                amount=to_minor(line.amount, move.currency),
                operation=move.external_id,
            )
            for move in found.moves
            for line in move.lines
        )
    except (MoneyError, ValueError) as problem:
        raise WireError(str(problem)) from None


def account_of(theirs: str) -> str:
    """Our name of an account over there; journals come with our own names."""
    return f"sales-{theirs}" if theirs.startswith("tax/") else _OURS.get(theirs, theirs)
