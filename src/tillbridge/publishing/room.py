"""The delivering room: documents become owed jobs, entries wait for their journal.

A document's operation id is its identity over there; `document(dest, op)` is the guard.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.intake import RereadObject
from tillbridge.canonical.registry import encode
from tillbridge.canonical.valued import EntryPosted
from tillbridge.durable import jobs
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import DONE, Connection, KeyedSession, Outcome, Record

QUERIES = load("tillbridge.publishing", "journals.sql")
PRIORITIES = {
    "sales_order": 0,
    "sales_order_change": 0,
    "sales_order_cancel": 0,
    "reread": 0,
    "fulfilment_request": 0,
    "fulfilment_cancel": 0,
    "delivery": 1,
    "customer_return": 1,
    "stock_move": 1,
    "tax_calculate": 0,
    "fulfilment": 0,
    "refund": 0,
    "order_cancel": 0,
    "invoice": 1,
    "credit_note": 1,
    "journal": 1,
}
LOWEST = 2


class Destinations(msgspec.Struct, frozen=True):
    """Where things go: entity -> its ERP connection's name; connection name -> destination id."""

    erp_of: Mapping[str, str]
    ids: Mapping[str, int]


class Publishing:
    """Room `publishing`."""

    name = "publishing"

    def __init__(self, destinations: Destinations) -> None:
        """destinations: from the workspace, ids from `durable.accounts.make_dest`."""
        self._destinations = destinations

    def open(self, connection: Connection, now: datetime) -> PublishingSession:
        """A session on this transaction."""
        return PublishingSession(connection, self._destinations, now)


class PublishingSession(KeyedSession):
    """Jobs and journal lines of one transaction."""

    room = Publishing.name

    def __init__(self, connection: Connection, destinations: Destinations, now: datetime) -> None:
        self._connection = connection
        self._destinations = destinations
        self._now = now
        self._owed: list[jobs.Owed] = []
        self._entries: list[EntryPosted] = []

    def handle(self, record: Record) -> Outcome:
        """Remember what has to be written."""
        body = record.body
        if isinstance(body, SubmitDocument):
            self._owed.append(owed_document(body, self._to(body), self._now, record))
        elif isinstance(body, RereadObject):
            self._owed.append(self._reread(body, record))
        elif isinstance(body, EntryPosted):
            self._entries.append(body)
        else:
            raise NeedsDecision("unexpected", f"publishing takes no {record.type}")
        return DONE

    def _to(self, body: SubmitDocument) -> int:
        """The destination a document names, else its entity's ERP."""
        if not body.connection:
            return self._erp(body.entity)
        if body.connection not in self._destinations.ids:
            raise NeedsDecision(
                "destination_missing",
                f"{body.kind} {body.id} is for connection {body.connection!r}, which takes no "
                "documents or is not in the workspace",
                owner="integration",
            )
        return self._destinations.ids[body.connection]

    def _erp(self, entity: str) -> int:
        name = self._destinations.erp_of.get(entity, "")
        if name not in self._destinations.ids:
            raise NeedsDecision(
                "erp_missing",
                f"entity {entity!r} has no ERP connection in the workspace",
                owner="integration",
            )
        return self._destinations.ids[name]

    def _reread(self, body: RereadObject, record: Record) -> jobs.Owed:
        return jobs.Owed(
            dest=self._destinations.ids[body.connection],
            key=body.key,
            op=body.id,
            kind="reread",
            type=record.type,
            body=encode(body),
            prio=LOWEST if body.background else PRIORITIES["reread"],
            day=self._now.date(),
            trace=record.trace,
        )

    def flush(self) -> None:
        """Enqueue the jobs and write the pending journal lines as sets."""
        jobs.enqueue(self._connection, self._owed, self._now)
        rows = [
            (
                entry.entry,
                n,
                entry.entity,
                entry.flow,
                entry.place or entry.location or entry.channel,
                entry.business_date,
                entry.currency,
                line.kind,
                line.amount,
                line.item,
            )
            for entry in self._entries
            for n, line in enumerate(entry.lines)
        ]
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            self._connection.execute(QUERIES.add_pending, columns, binary=True)


def owed_document(
    command: SubmitDocument, dest: int, now: datetime, record: Record | None = None
) -> jobs.Owed:
    """The job for a document; record: the one that carries the command, where there is one."""
    body = command.body
    return jobs.Owed(
        dest=dest,
        key=command.key,
        op=command.id,
        kind=command.kind,
        type="SubmitDocument",
        body=encode(command) if record is None else record.stored_body(),
        prio=PRIORITIES.get(command.kind, LOWEST),
        day=now.date(),
        total=getattr(body, "total", None),
        trace=None if record is None else record.trace,
    )
