"""What a state machine gives back: the same for orders, transfers and proposals."""

from __future__ import annotations

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.registry import Body


class Decision(msgspec.Struct):
    """What follows: bodies, cases to open without parking, reasons of such that are past."""

    emits: list[Body]
    notices: list[NeedsDecision]
    settles: list[str]
