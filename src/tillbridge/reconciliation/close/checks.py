"""The close list: every check, in the order in which people work it off. What a room knows besides
(payouts nobody explained, say) is one more row of CHECKS.
"""

from __future__ import annotations

from collections.abc import Mapping

from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.blocking import Blocker, Check, Scope
from tillbridge.reconciliation.close import books, stores
from tillbridge.reconciliation.settlement.blocking import payouts

CHECKS: Mapping[str, Check] = {
    "month": books.not_over,
    "facts": books.pending,
    "cases": books.cases,
    "voids": books.voids,
    "documents": books.documents,
    "journals": books.journals,
    "payouts": payouts,
    "files": stores.files,
    "streams": stores.streams,
    "tills": stores.tills,
}
"""Name -> what finds the blockers of that kind."""


def blockers(connection: Connection, scope: Scope) -> list[Blocker]:
    """Everything that still keeps the month open; [] when it can be closed."""
    return [one for check in CHECKS.values() for one in check(connection, scope)]
