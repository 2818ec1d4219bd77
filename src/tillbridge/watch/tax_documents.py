"""Tax documents: what tax services were asked, what they said, and which returns they failed."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.atoms.money import to_text
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.watch", "tax_documents.sql")
OPEN = "asked,refused"
FAILED = "refused"


class TaxPaper(msgspec.Struct, frozen=True):
    """One tax document. amount, tax: minor units in its own direction; subject: what of the order
    it is about; case, since: the open case of its refusal.
    """

    key: str
    order: str
    number: str
    channel: str
    subject: str
    direction: str
    state: str
    service: str
    entity: str
    currency: str
    amount: int
    tax: int
    words: str
    case: int | None
    since: datetime | None

    @property
    def value(self) -> str:
        """What the tax is on, for a person."""
        return f"{to_text(self.amount, self.currency)} {self.currency}"


def papers(
    connection: Connection,
    *,
    state: str = "",
    returns: bool = False,
    entities: tuple[str, ...] = (),
    limit: int = 1000,
) -> list[TaxPaper]:
    """Documents by order. state: one or several with commas, "" = all; entities: () = all."""
    given = {
        "state": state,
        "returns": returns,
        "everywhere": not entities,
        "entities": list(entities),
        "limit": limit,
    }
    return [TaxPaper(*row) for row in connection.execute(QUERIES.list, given).fetchall()]
