"""Journals for the ERP: pending entries summed up per entity, flow, place, day and currency.

One client gets about one document a second out of an ERP, so a store's day goes as one journal;
every entry remembers its summary (`journal_summary`), so each journal line opens to its sales. An
entry that comes later goes into a further summary of the same day; nothing is ever changed.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from tillbridge.atoms.ids import key_of
from tillbridge.canonical.documents import JournalDocument, JournalLine, SubmitDocument
from tillbridge.canonical.markers import JournalSummed
from tillbridge.durable import jobs, log
from tillbridge.durable.crash_points import reach
from tillbridge.durable.rooms import Connection
from tillbridge.publishing.room import QUERIES, Destinations, owed_document


def summarise(
    connection: Connection, destinations: Destinations, now: datetime, quiet_seconds: float = 0.0
) -> int:
    """Turn all pending entries into owed journals; gives how many. The caller commits next.

    A group whose accounts all cancel needs no journal; its entries are noted under an operation
    of their own, so that drill-back still finds them. Only groups whose newest entry is at least
    `quiet_seconds` old are taken, so that a store's day is not cut into slices while it trades.
    """
    connection.execute(QUERIES.lock)
    owed: list[jobs.Owed] = []
    told: list[JournalSummed] = []
    until = (now - timedelta(seconds=quiet_seconds)).isoformat() if quiet_seconds else "infinity"
    for group in connection.execute(QUERIES.groups, (until,)).fetchall():
        name = destinations.erp_of.get(group[0], "")
        dest = destinations.ids.get(name)
        if dest is None:
            continue
        marker = _summed(connection, group, name, dest)
        told.append(marker)
        if marker.document is not None:
            owed.append(owed_document(marker.document, dest, now))
    count = jobs.enqueue(connection, owed, now)
    log.mark(connection, told)
    reach("journals.summarised")
    return count


def _summed(
    connection: Connection, group: tuple[str, str, str, date, str], destination: str, dest: int
) -> JournalSummed:
    """Take the entries of one group; gives their journal and what the log has to know."""
    entity, flow, place, day, currency = group
    key = key_of("journal", entity, flow, place, day.isoformat())
    row = connection.execute(QUERIES.earlier, (dest, key)).fetchone()
    operation = f"{key}/{(int(row[0]) if row else 0) + 1}"
    taken, *sums = connection.execute(QUERIES.take, (*group, operation)).fetchall()
    entries = tuple(taken[2] or ())
    command = None
    if sums:
        document = JournalDocument(
            currency=currency,
            journal_date=day,
            narration=f"{flow} {place} {day.isoformat()}: {len(entries)} entries",
            lines=tuple(JournalLine(account, amount) for account, amount, _ in sums),
            entries=len(entries),
        )
        command = SubmitDocument(
            key=key, id=operation, kind="journal", entity=entity, journal=document
        )
    return JournalSummed(
        key=key,
        id=operation if sums else f"{operation}/{entries[0]}/nil",
        destination=destination,
        entries=entries,
        document=command,
    )
