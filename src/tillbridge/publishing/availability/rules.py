"""What a workspace says of a channel's figures (`publish` of a connection)."""

from __future__ import annotations

from typing import Annotated

import msgspec

ALL = "all"


class PublishRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a connection shows of our availability.

    locations: ours that count, "all" of them or a list. total_at: the location under whose name one
    figure for all of them is shown; "" = one figure per location. gather_seconds: changes of so
    long go in one call. believe_minutes: so long a sale is believed that the channel has not told.
    """

    locations: tuple[str, ...] | str = ALL
    total_at: str = ""
    gather_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 1.0
    believe_minutes: Annotated[float, msgspec.Meta(gt=0, le=10_080)] = 30.0

    def problem(self, known: set[str]) -> str:
        """What is wrong with them, "" = nothing. known: codes of our locations."""
        if isinstance(self.locations, str) and self.locations != ALL:
            return f"publish: locations is {ALL!r} or a list, not {self.locations!r}"
        named = () if isinstance(self.locations, str) else self.locations
        unknown = sorted({*named, *([self.total_at] if self.total_at else [])} - known)
        if unknown:
            return f"publish: no location {unknown[0]!r}"
        if not isinstance(self.locations, str) and not self.locations:
            return "publish: locations names none"
        return ""

    def chosen(self, all_: tuple[str, ...]) -> tuple[str, ...]:
        """The locations that count, of all there are."""
        return all_ if isinstance(self.locations, str) else self.locations
