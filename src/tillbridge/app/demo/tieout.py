"""The ERP's trial balance read back and compared with the hub's, account by account.

The ERP may keep fewer accounts: a name of ours is looked for there, then its prefixes. Sales are
compared after discounts, as invoices carry them; what buyers owe on invoices (receivable there)
with the customers' deposits those invoices used up here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from tillbridge.atoms import money
from tillbridge.connectors.sandbox.inbound import account_of
from tillbridge.connectors.tryton.client import Access, TrytonClient
from tillbridge.connectors.tryton.config import TrytonSettings
from tillbridge.connectors.tryton.lookups import Lookups
from tillbridge.contract.transport import Transport
from tillbridge.reconciliation.ledger.accounts import folded

RECEIVABLE = "customer-deposits"
_READ_MOST = 1_000_000


class Tie(msgspec.Struct, frozen=True):
    """One entity: how many accounts were compared, turnover and difference in minor units.

    differences: account -> (hub, ERP) where they differ.
    """

    entity: str
    currency: str
    accounts: int
    debits: int
    difference: int
    differences: dict[str, tuple[int, int]]

    @property
    def agrees(self) -> bool:
        """Whether every account agrees."""
        return not self.differences


def tie(entity: str, currency: str, hub: Mapping[str, int], erp: Mapping[str, int]) -> Tie:
    """Compare: hub's accounts folded onto those the ERP keeps. Amounts: debit positive."""
    ours, theirs = folded(hub, erp)
    names = sorted(ours.keys() | theirs.keys())
    differences = {
        name: (ours.get(name, 0), theirs.get(name, 0))
        for name in names
        if ours.get(name, 0) != theirs.get(name, 0)
    }
    return Tie(
        entity=entity,
        currency=currency,
        accounts=len(names),
        debits=sum(amount for amount in theirs.values() if amount > 0),
        difference=sum(abs(mine - other) for mine, other in differences.values()),
        differences=differences,
    )


def sandbox_balances(
    told: Mapping[tuple[str, str], int], currencies: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """The simulator's trial balance in our names. currencies: entity by currency."""
    found: dict[str, dict[str, int]] = {}
    for (currency, account), amount in told.items():
        sums = found.setdefault(currencies[currency], {})
        name = account_of(account)
        sums[name] = sums.get(name, 0) + amount
    return found


def tryton_balances(
    settings: TrytonSettings, password: str, transport: Transport, entities: Iterable[str]
) -> dict[str, dict[str, int]]:
    """Posted lines per entity and account code; raises RetryLater, Refused."""
    access = Access(settings.url, settings.database, settings.user, password)
    client = TrytonClient(access, transport)
    found: dict[str, dict[str, int]] = {}
    for entity in entities:
        look = Lookups(client, entity)
        rows = client.search_read(
            "account.move.line",
            [["move.company", "=", look.company], ["move.state", "=", "posted"]],
            ["account.code", "account.type.receivable", "debit", "credit"],
            company=look.company,
            limit=_READ_MOST,
        )
        sums = found.setdefault(entity, {})
        for row in rows:
            account = row["account."]
            owed = account["type."]["receivable"]
            name = RECEIVABLE if owed else account["code"] or ""
            minor = money.to_minor(row["debit"] - row["credit"], look.company_currency)
            sums[name] = sums.get(name, 0) + minor
    return found
