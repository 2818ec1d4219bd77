"""Journals for the ERP: pending entries summed up per entity, flow, place, day and currency.

One client gets about one document a second out of an ERP, so a store's day goes as one journal;
every entry remembers its summary (`journal_summary`), so each journal line opens to its sales. An
entry that comes later goes into a further summary of the same day; nothing is ever changed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tillbridge.atoms.ids import key_of
from tillbridge.canonical.documents import JournalDocument, JournalLine, SubmitDocument
from tillbridge.durable import jobs
from tillbridge.durable.rooms import Connection
from tillbridge.publishing.room import QUERIES, Destinations, owed_document


def summarise(
    connection: Connection, destinations: Destinations, now: datetime, quiet_seconds: float = 0.0
) -> int:
    """Turn all pending entries into owed journals; gives how many. The caller commits.

    A group whose accounts all cancel needs no journal; its entries are noted under an operation
    of their own, so that drill-back still finds them. Only groups whose newest entry is at least
    `quiet_seconds` old are taken, so that a store's day is not cut into slices while it trades.
    """
    connection.execute(QUERIES.lock)
    owed: list[jobs.Owed] = []
    until = (now - timedelta(seconds=quiet_seconds)).isoformat() if quiet_seconds else "infinity"
    groups = connection.execute(QUERIES.groups, (until,)).fetchall()
    for entity, flow, place, day, currency in groups:
        dest = destinations.ids.get(destinations.erp_of.get(entity, ""))
        if dest is None:
            continue
        group = (entity, flow, place, day, currency)
        key = key_of("journal", entity, flow, place, day.isoformat())
        row = connection.execute(QUERIES.earlier, (dest, key)).fetchone()
        operation = f"{key}/{(int(row[0]) if row else 0) + 1}"
        rows = connection.execute(QUERIES.take, (*group, operation)).fetchall()
        lines = tuple(JournalLine(account, amount) for account, amount, _ in rows)
        if lines:
            count = int(rows[0][2])
            document = JournalDocument(
                currency=currency,
                journal_date=day,
                narration=f"{flow} {place} {day.isoformat()}: {count} entries",
                lines=lines,
                entries=count,
            )
            command = SubmitDocument(
                key=key, id=operation, kind="journal", entity=entity, journal=document
            )
            owed.append(owed_document(command, dest, now))
    return jobs.enqueue(connection, owed, now)
