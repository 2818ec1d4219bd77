"""What is known of an order's dealings with its channel: what it was told, and answered."""

from __future__ import annotations

import msgspec


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the channel knows of a fulfilment. stage: the last it was told, or told itself ("" = it
    was told nothing). theirs: its own id of it. documents: how many it was sent; answered: how many
    of them it took.
    """

    stage: str = ""
    tracking: str = ""
    theirs: str = ""
    documents: int = 0
    answered: int = 0


class Commanded(msgspec.Struct, frozen=True, omit_defaults=True):
    """A refund the channel was asked to make. back, dropped: line -> thousandths that came back,
    that will not come. shares: purse -> minor units. again: how much of it for refunds that failed.
    """

    back: dict[str, int] = {}
    dropped: dict[str, int] = {}
    shares: dict[str, int] = {}
    again: int = 0
