"""Accounts of a workspace: who settles, whose it is, and what its provider does below zero."""

from __future__ import annotations

from tillbridge.app.provider_accounts import accounts_of
from tillbridge.app.settings_tables import ConnectionSettings, EntitySettings, Settings
from tillbridge.reconciliation.settlement.rules import SettleRules


def test_every_connection_that_settles_is_an_account_with_its_providers_ways() -> None:
    settings = Settings(
        entity=[
            EntitySettings(code="us", currency="USD"), EntitySettings(code="de", currency="EUR"),
        ],
        connection={
            "market": ConnectionSettings(connector="amazon", entity="de"),
            "shop": ConnectionSettings(connector="shopify", entity="us", channel="web"),
            "cards": ConnectionSettings(
                connector="stripe", entity="us", settle=SettleRules(tenders=("card",))
            ),
        },
    )  # fmt: skip
    found = accounts_of(settings)
    assert [(one.name, one.functional, one.tenders, one.carries_forward) for one in found] == [
        ("market", "EUR", ("market",), True),
        ("cards", "USD", ("card",), False),
    ]
