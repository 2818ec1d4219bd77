"""What an ERP tells of its general ledger, to be tied out with the money book. Never booked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Protocol, runtime_checkable

import msgspec

from tillbridge.contract.promises import Connection
from tillbridge.contract.transport import Transport

RECEIVABLE = "receivable"
"""What a line is told on that says what buyers owe on the ERP's own invoices, whatever its code."""


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a posted move. account: our name of it; theirs: the ERP's. amount: minor units of
    the entity's currency, debit positive. operation: the hub's id of the document that the move
    was made for, "" where it names none. move: what the ERP calls it. clears: the move only takes
    what the document's own move put on the buyer's account off it again.
    """

    currency: str
    move: str
    day: date
    account: str
    theirs: str
    amount: int
    operation: str = ""
    clears: bool = False


class LedgerPage(msgspec.Struct, frozen=True, kw_only=True):
    """Part of what is posted. cursor, more: as of a listing."""

    lines: tuple[LedgerLine, ...]
    cursor: str = ""
    more: bool = False


class Span(msgspec.Struct, frozen=True):
    """The books of an entity from a day to a day, both included."""

    entity: str
    first: date
    last: date


@runtime_checkable
class TellsLedger(Protocol):
    """Tells what stands in the general ledger of an entity, whoever posted it."""

    def ledger(
        self,
        span: Span,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> LedgerPage:
        """The page after the cursor ("" = the first); a move is not cut apart by pages. Raises
        RetryLater and Refused.
        """
