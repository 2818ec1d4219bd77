"""What is known of one return: the newest telling of each of its stages."""

from __future__ import annotations

from datetime import date

import msgspec

from tillbridge.canonical.returns import ReturnedLine
from tillbridge.canonical.sales import SaleLine


class Authorization(msgspec.Struct, frozen=True, omit_defaults=True):
    """What may come back, until when and where."""

    version: str
    lines: tuple[ReturnedLine, ...]
    until: date | None = None
    location: str = ""


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came in at a location. entity: whose it is; the others: see GoodsReturned."""

    version: str
    location: str
    lines: tuple[ReturnedLine, ...]
    refunded_by: str = ""
    entity: str = ""
    rung: tuple[SaleLine, ...] = ()
    currency: str = ""


class Inspection(msgspec.Struct, frozen=True, omit_defaults=True):
    """What becomes of what came in."""

    version: str
    lines: tuple[ReturnedLine, ...]
    location: str = ""


class Return(msgspec.Struct, frozen=True, omit_defaults=True):
    """One return. cancelled: version of the telling that called it off, "" = nobody did. receipts,
    inspections: by their number.
    """

    authorized: Authorization | None = None
    cancelled: str = ""
    receipts: dict[str, Receipt] = {}
    inspections: dict[str, Inspection] = {}

    @property
    def expected(self) -> tuple[ReturnedLine, ...]:
        """What is authorised and not called off since."""
        if self.authorized is None or self.cancelled >= self.authorized.version:
            return ()
        return self.authorized.lines
