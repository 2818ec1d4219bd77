"""Every tie-out there is, as `reconcile status` and the demo show them."""

from __future__ import annotations

from collections.abc import Sequence

from tillbridge.app.hub import Hub
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.receivables.standing import receivable_tie_outs
from tillbridge.reconciliation.settlement.report import card_tie_outs, tie_outs
from tillbridge.reconciliation.settlement.rules import Account
from tillbridge.reconciliation.taxes import tax_tie_outs
from tillbridge.reconciliation.tie_outs import TieOut
from tillbridge.reconciliation.tills.tie import till_tie_outs


def every_tie_out(
    hub: Hub, connection: Connection, accounts: Sequence[Account], entities: Sequence[str]
) -> list[TieOut]:
    """Providers and banks of these accounts; cards, receivables, tax and tills of these entities,
    () = of all.
    """
    return [
        *tie_outs(connection, accounts),
        *card_tie_outs(connection, entities),
        *receivable_tie_outs(connection, entities),
        *tax_tie_outs(connection, entities),
        *till_tie_outs(connection, entities, hub.expected, hub.policies.kind_of),
    ]
