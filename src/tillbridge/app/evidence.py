"""Writes the evidence of a month to a file, and notes its digest in the audit."""

from __future__ import annotations

import os
from pathlib import Path

from tillbridge.app.closing import scope_of
from tillbridge.app.hub import Hub
from tillbridge.durable import audit
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money.periods import state_of
from tillbridge.watch.evidence.export import Month, Written, export, head_of


def write_month(
    hub: Hub, connection: Connection, entity: str, period: str, file: Path, by: str
) -> Written:
    """Write the file whole or not at all, readable by its owner alone; raises OSError."""
    now = hub.clock.now()
    scope = scope_of(hub, entity, period, now)
    month = Month(
        entity=entity,
        period=period,
        currency=hub.money_policy.functional_of(entity),
        state=state_of(connection, entity, period),
        first=scope.first.isoformat(),
        last=scope.last.isoformat(),
        before=scope.before.isoformat(),
    )
    connection.rollback()
    part = file.with_name(f"{file.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            done = export(connection, head_of(month, now, by), month, out)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    after = {"sha256": done.sha256, "entries": done.counts.get("entry", 0)}
    audit.record(connection, by, "audit.export", f"{entity}/{period}", after=after)
    connection.commit()
    return done
