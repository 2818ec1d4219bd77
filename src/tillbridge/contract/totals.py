"""What a file says of itself: how many records it holds and what they sum up to."""

from __future__ import annotations

from typing import Any, BinaryIO, Protocol, runtime_checkable

import msgspec


class FileTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself in its control record, and what there is.

    stream: kind of what is in it. stated: records by its control record, None = it says nothing;
    counted: those there are. stated_sum, counted_sum: minor units of the currency, "" = it sums up
    no money. words: how they differ or why they cannot be compared, "" when they agree. refused:
    `split` refuses the whole file for it.
    """

    stream: str
    counted: int
    stated: int | None = None
    currency: str = ""
    stated_sum: int | None = None
    counted_sum: int | None = None
    words: str = ""
    refused: bool = False


@runtime_checkable
class StatesTotals(Protocol):
    """Reads what files say of themselves: how many records, what they sum up to."""

    def totals(self, stream: BinaryIO, name: str, connection: Any) -> FileTotals | None:
        """The totals of a file at its beginning, None where the settings expect none. connection:
        as `ReadsFiles` has it. Never raises for what stands in it.
        """
