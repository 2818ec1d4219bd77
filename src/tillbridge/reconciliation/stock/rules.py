"""What a workspace says about comparing a connection's stock."""

from __future__ import annotations

import msgspec


class CompareRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a connection's stock is compared. locations: codes, kinds or
    groups of those of ours it keeps; () = not compared.
    hours: rest between two comparisons, 0 = only when asked. late_minutes: how long it may take to
    learn of a movement that no paper of ours tells it.
    """

    locations: tuple[str, ...] = ()
    hours: float = 24.0
    late_minutes: int = 60
