"""Accounts at providers and banks whose settlements are read, as the workspace has them."""

from __future__ import annotations

from tillbridge.app import registry
from tillbridge.app.settings_tables import Settings
from tillbridge.reconciliation.settlement.rules import Account, carries_forward, is_account


def accounts_of(settings: Settings) -> tuple[Account, ...]:
    """One per connection that settles, in the order of the settings."""
    entities = settings.entities()
    return tuple(
        Account(
            name=name,
            entity=one.entity,
            channel=one.channel,
            functional=entities[one.entity].currency,
            rules=one.settle,
            carries_forward=carries_forward(registry.connector(one.connector), one.settle),
        )
        for name, one in settings.connection.items()
        if is_account(registry.connector(one.connector), one.settle)
    )
