"""What an order that takes another one's place is handed over of it. Pure."""

from __future__ import annotations

import msgspec


class Inherited(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an order that is replaced handed over: purse -> minor units, and the references of the
    transactions it came by.
    """

    version: int
    amounts: dict[str, int] = {}
    references: tuple[str, ...] = ()
