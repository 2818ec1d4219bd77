"""State of a transfer: what was told of it, and what was asked of the stock book.

Evidence merges by identity and version, so the order of arrival does not matter. Quantities stay in
the units they were told in; what of them left is worked out by the stock book, which knows packs.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.canonical.stock import StockLine


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """Newest telling of what is to be sent. asked: by whom (canonical.supply.ASKERS)."""

    version: str
    origin: str
    destination: str
    lines: tuple[StockLine, ...]
    due_at: datetime | None = None
    asked: str = "person"


class Cancellation(msgspec.Struct, frozen=True, omit_defaults=True):
    """That no more is to be sent, since when and why."""

    at: datetime
    reason: str = ""


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """Goods that left or arrived, as told once. complete: no more follows at that end."""

    origin: str
    destination: str
    lines: tuple[StockLine, ...]
    complete: bool = False


class TransferState(msgspec.Struct, omit_defaults=True):
    """Everything decided and known about one transfer.

    sent, received: fact id -> part. wanted: lines last asked to be held, () = none. sent_asked: how
    many parts the last request knew. standing: what the stock book holds of it, base units. hold:
    "" (nothing), held or short; hold_turn: newest answer of hold_version. anew: to be asked again
    in any case. noticed: reasons of notices that still have their ground.
    """

    key: str
    revision: int = 0
    number: str = ""
    order: Order | None = None
    cancelled: Cancellation | None = None
    sent: dict[str, Part] = {}
    received: dict[str, Part] = {}
    wanted: tuple[StockLine, ...] = ()
    sent_asked: int = 0
    hold_version: int = 0
    hold: str = ""
    hold_turn: int = 0
    standing: tuple[StockLine, ...] = ()
    anew: bool = False
    noticed: tuple[str, ...] = ()

    def copied(self) -> TransferState:
        """A copy whose tables may be changed without touching this one."""
        return msgspec.structs.replace(self, sent=dict(self.sent), received=dict(self.received))

    @property
    def over(self) -> bool:
        """Whether no more of it is to be sent: told so by a person, by its origin, or as its
        destination waits for no more.
        """
        told = (*self.sent.values(), *self.received.values())
        return self.cancelled is not None or any(part.complete for part in told)

    @property
    def ends(self) -> set[tuple[str, str]]:
        """Origin and destination, as everybody told them."""
        told = (*self.sent.values(), *self.received.values())
        found = {(part.origin, part.destination) for part in told}
        return found | ({(self.order.origin, self.order.destination)} if self.order else set())


def ends_of(state: TransferState) -> tuple[str, str]:
    """Origin and destination of the order, else of what was told of its goods."""
    if state.order is not None:
        return state.order.origin, state.order.destination
    return min(state.ends, default=("", ""))


def status_of(state: TransferState) -> str:
    """Where a transfer stands, in one word: asked, held, short, part-sent, sent, part-received,
    received or cancelled.

    A transfer nobody ordered is `sent` by what was told of its goods.
    """
    if any(part.complete for part in state.received.values()):
        return "received"
    if state.cancelled is not None and not state.sent:
        return "cancelled"
    if state.received:
        return "part-received"
    if state.sent:
        rest = state.order is not None and not state.over and (state.standing or state.hold)
        return "part-sent" if rest else "sent"
    return state.hold or "asked"
