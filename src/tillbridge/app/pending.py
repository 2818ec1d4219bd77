"""What is not done yet, counted from the tables."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from tillbridge.app.runner import CONSUMER
from tillbridge.durable import log
from tillbridge.durable.rooms import Connection


class Pending(msgspec.Struct, frozen=True):
    """What is not done yet: records to carry, documents to deliver, those held back by a case or
    a pause; figures: what channels have still to show; for_window: documents that wait until the
    posting window of their ERP opens, opens: the first such opening.
    """

    records: int
    documents: int
    held: int
    parked: int
    journals: int
    figures: int = 0
    for_window: int = 0
    opens: datetime | None = None

    @property
    def moving(self) -> bool:
        """Whether anything is left that the hub can do by itself."""
        return bool(self.records or self.documents or self.journals or self.figures)


def pending(
    connection: Connection,
    entities: Collection[str] | None = None,
    publishing: Collection[int] = (),
    now: datetime | None = None,
) -> Pending:
    """Count what is pending, from the tables.

    entities: those with an ERP (None: all); entries of others wait until they have one, and
    nothing is on its way meanwhile. publishing: destinations that show our availability.
    now: the database's own time by default.
    """
    records, _ = log.backlog(connection, CONSUMER)
    row = connection.execute(
        "select coalesce(sum(n) filter (where moving and opens is null), 0),"
        " coalesce(sum(n) filter (where not moving), 0),"
        " coalesce(sum(n) filter (where moving and opens is not null), 0),"
        " min(opens) filter (where moving),"
        " (select count(*) from parked),"
        " (select count(*) from parked_key where ready),"
        " (select count(*) from journal_pending"
        "  where %(all)s or entity = any(%(entities)s::text[])),"
        " (select count(*) from publication p join dest d using (dest)"
        "  where dest = any(%(publishing)s::int[]) and due is not null and refused = ''"
        "  and not exists (select from pause x where x.connection = d.name"
        "                  and x.kind in ('', 'availability')))"
        " from (select o.n, o.due < 'infinity' and p.connection is null as moving,"
        "   case when o.opens > coalesce(%(now)s, statement_timestamp()) then o.opens end as opens"
        "  from outkey o"
        "  left join dest d using (dest)"
        "  left join pause p on p.connection = d.name and p.kind = '') x",
        {
            "all": entities is None,
            "entities": list(entities or ()),
            "publishing": list(publishing),
            "now": now,
        },
    ).fetchone()
    connection.rollback()
    if row is None:
        raise LookupError("nothing was counted")
    documents, held, for_window, opens, parked, ready, journals, figures = row
    return Pending(
        records=records + int(ready),
        documents=int(documents),
        held=int(held),
        parked=int(parked),
        journals=int(journals),
        figures=int(figures),
        for_window=int(for_window),
        opens=opens,
    )
