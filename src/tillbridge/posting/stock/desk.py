"""The desk: what buyers ask for at the hub's own door, answered group by group.

One transaction answers a group: the stock rows are locked in key order, every ask is decided in
order of arrival by what the locked rows say, everything is written as sets. A bad ask is an answer,
never an error, so one of them does not spoil the group.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from tillbridge.canonical.stock import StockLine
from tillbridge.durable.rooms import Connection

GATE = 55
"""Advisory lock of writers that want the same rows: who waits there gathers a larger group."""


class Ask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One request.

    key: the hold's. `hold`: channel, kind (HOLD_KINDS), lines, locations in order of preference,
    split_most; a soft one names expires_at. `confirm`: order, its number if known. `release`: only
    the key. `move`: locations. trace: W3C traceparent.
    """

    key: str
    verb: Literal["hold", "confirm", "release", "move"]
    channel: str = ""
    kind: str = "soft"
    lines: tuple[StockLine, ...] = ()
    locations: tuple[str, ...] = ()
    split_most: int = 1
    expires_at: datetime | None = None
    order: str = ""
    trace: bytes | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The answer to one request; JSON holds it whole.

    ok with `held`, `confirmed`, `released` or `moved`; else `short` (product, wanted and free name
    the first that lacks, thousandths), `unknown` (no such hold), `unknown_product`, `invalid`
    (words say why), or why the hold has ended: `expired`, `released`, `short`, `taken_over`.
    kind, lines, expires_at: the hold as it is now; lines of bundles are those of their components.
    """

    ok: bool
    status: str
    kind: str = ""
    lines: tuple[StockLine, ...] = ()
    expires_at: datetime | None = None
    product: str = ""
    wanted: int = 0
    free: int = 0
    words: str = ""


def gate(connection: Connection) -> None:
    """Wait for the other writers; take the group only then. Ends with the transaction."""
    connection.execute("select pg_advisory_xact_lock(%b)", (GATE,))
