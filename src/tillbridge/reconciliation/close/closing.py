"""The act of closing: a month is soft-closed or locked once nothing blocks it any more."""

from __future__ import annotations

from tillbridge.atoms.errors import Refused
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money import periods
from tillbridge.reconciliation.blocking import Scope
from tillbridge.reconciliation.close.checks import blockers


def refuse_while_blocked(connection: Connection, scope: Scope) -> None:
    """Nothing when the close list is empty; raises Refused with how much is on it."""
    found = blockers(connection, scope)
    if found:
        first = found[0]
        raise Refused(
            f"{scope.entity} {scope.period} cannot be closed: {len(found)} thing(s) still block it,"
            f" first {first.key}: {first.words}; all of them: "
            f"tillbridge close {scope.entity} {scope.period}"
        )


def close_month(
    connection: Connection, scope: Scope, state: str, by: str, reason: str = ""
) -> None:
    """Soft-close or lock the month. The caller commits next. Raises Refused while it is blocked.

    Locking takes the approval of a second person, which the database asks for by itself.
    """
    refuse_while_blocked(connection, scope)
    periods.set_period(
        connection, scope.entity, scope.period, state, at=scope.now, by=by, reason=reason
    )
