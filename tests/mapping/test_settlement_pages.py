"""Who translates what a connector brings, and what a polled settlement says to the flow."""

from __future__ import annotations

from datetime import UTC, datetime

from tillbridge.app import registry
from tillbridge.contract.names import Proposals
from tillbridge.contract.promises import Connection, Message
from tillbridge.mapping.settlement_pages import SettlementPages, translates


def test_a_connector_that_translates_does_so_itself_and_files_alone_bring_no_delivery() -> None:
    shopify: object = registry.connector("shopify")
    assert translates(registry.connector("shopify")) is shopify
    assert translates(registry.connector("camt")) is None
    assert isinstance(translates(registry.connector("stripe")), SettlementPages)


def test_a_polled_settlement_tells_the_flow_nothing_and_says_why() -> None:
    message = Message(
        connection="s",
        topic="settlement",
        delivery="payout/po_1:1",
        body=b"{}",
        received_at=datetime(2026, 3, 1, tzinfo=UTC),
    )
    source = Connection(name="s", entity="us", channel="", currency="USD")
    found = SettlementPages().translate(message, source, Proposals("s"))
    assert (found.facts, bool(found.ignored)) == ((), True)
