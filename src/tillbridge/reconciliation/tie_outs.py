"""A tie-out: what the books say against what somebody else says, and what the difference is."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True):
    """A part of a difference, or of what is open: what it is and minor units."""

    what: str
    amount: int


class TieOut(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the status: the books against somebody else, minor units of `currency`.

    books, theirs: both sides; difference = books - theirs. parts: what it is made of, the largest
    first; unexplained: what no part accounts for. open: what makes up `theirs` and is not wrong.
    """

    name: str
    entity: str
    currency: str
    books: int
    theirs: int
    parts: tuple[Part, ...] = ()
    open: tuple[Part, ...] = ()

    @property
    def difference(self) -> int:
        """Books less theirs."""
        return self.books - self.theirs

    @property
    def unexplained(self) -> int:
        """What of the difference no part accounts for."""
        return self.difference - sum(part.amount for part in self.parts)
