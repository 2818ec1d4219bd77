"""What every fact and command carries: identity, source, time, entities.

A fact is past tense and came from outside or was decided here; a command is imperative and asks a
room for an effect. Both are frozen msgspec Structs, stored as JSON in the log under their class
name and version. Trace, cause and recorded_at live on the log record around them.

All amounts inside one fact are integers of minor units in the fact's single `currency`; all
quantities are integers in thousandths of the unit; all instants are UTC with zone.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec


class Entities(msgspec.Struct, frozen=True, omit_defaults=True):
    """Legal entities that play a part, by their code in the workspace; empty = the selling one."""

    selling: str
    fulfilling: str = ""
    tender: str = ""
    liability: str = ""

    def of(self, role: str) -> str:
        """Entity in a role (selling, fulfilling, tender, liability); falls back to selling."""
        if role not in ("selling", "fulfilling", "tender", "liability"):
            raise ValueError(f"{role!r} is no role of an entity")
        return str(getattr(self, role)) or self.selling


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all facts.

    key: aggregate key, e.g. `order/web/450789469`.
    id: identity of this fact in the field's own terms; a second telling has the same id.
    source: connection name it came from, or `hub` when it was decided here.
    mapping: version of the translator that made it, e.g. `shopify/1`; `hub/1` for decided facts.
    """

    key: str
    id: str
    source: str
    mapping: str
    occurred_at: datetime
    business_date: date
    entities: Entities


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all commands.

    key: aggregate key the answer belongs to. id: idempotency key of the operation, one per
    business operation and never one per attempt.
    """

    key: str
    id: str
