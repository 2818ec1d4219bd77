"""A month tied out with the ERP of an entity, page by page."""

from __future__ import annotations

from collections.abc import Iterator

from tillbridge.app import registry
from tillbridge.app.closing import scope_of
from tillbridge.app.hub import Hub
from tillbridge.atoms.errors import Refused
from tillbridge.contract.ledgers import LedgerLine, Span, TellsLedger
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.ledger.tie import TieOut, by_operation, tie_out


def tie_month(hub: Hub, connection: Connection, entity: str, period: str) -> TieOut:
    """Read the ERP's ledger of the month and compare. Raises Refused for an ERP that tells none,
    RetryLater while it is away.
    """
    settings = hub.workspace.settings
    name = settings.entities()[entity].erp
    connector = _teller(settings.connection[name].connector) if name else None
    if connector is None:
        raise Refused(f"entity {entity} has no ERP that tells its ledger")
    scope = scope_of(hub, entity, period, hub.clock.now())
    currency = hub.money_policy.functional_of(entity)
    span = Span(entity, scope.first, scope.last)
    paid_there = settings.entities()[entity].payments == "journals"
    theirs = by_operation(_lines(hub, connector, name, span), currency, paid_there=paid_there)
    return tie_out(connection, entity, currency, (span.first, span.last), theirs)


def _teller(name: str) -> TellsLedger | None:
    connector: object = registry.connector(name)
    return connector if isinstance(connector, TellsLedger) else None


def _lines(hub: Hub, connector: TellsLedger, name: str, span: Span) -> Iterator[LedgerLine]:
    cursor, more = "", True
    while more:
        page = connector.ledger(
            span, cursor, hub.sources[name], hub.secrets(name), hub.transport(name)
        )
        yield from page.lines
        if page.more and page.cursor == cursor:
            raise Refused(f"{name} says there is more of its ledger and gives no new page")
        cursor, more = page.cursor, page.more
