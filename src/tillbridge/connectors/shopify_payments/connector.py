"""The connector: signs ReadsSettlements, Polls and ChecksConnection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import BinaryIO

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.shopify_payments import inbound
from tillbridge.connectors.shopify_payments.client import PayoutsApi
from tillbridge.connectors.shopify_payments.config import SECRET_NAME, ShopifyPaymentsConfig
from tillbridge.contract import payout_runs
from tillbridge.contract.promises import Connection, Page
from tillbridge.contract.transport import Transport


class ShopifyPaymentsConnector:
    """Payouts of a shop, out of saved answers or by themselves. Keeps no state."""

    name = "shopify_payments"
    config: type[msgspec.Struct] = ShopifyPaymentsConfig
    streams: tuple[str, ...] = (payout_runs.STREAM,)

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether it is a list of payouts or of balance transactions."""
        del name, connection
        return inbound.is_ours(head)

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Lines or payouts of the file. Raises NeedsDecision (settlement_unreadable)."""
        del name
        return inbound.read(stream, connection.settings)

    def poll(
        self,
        stream: str,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> Page:
        """A page of payouts, each with its balance transactions."""
        settings: ShopifyPaymentsConfig = connection.settings
        return payout_runs.poll_payouts(
            _api(connection, secrets, transport),
            stream,
            cursor,
            connection.name,
            settings.start_at,
            timedelta(days=settings.overlap_days),
        )

    def check(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> str:
        """Whether the token may read what is polled; raises RetryLater, Refused."""
        newest = _api(connection, secrets, transport).newest()
        if newest is None:
            return "Shopify Payments answers; there was no payout yet"
        return f"Shopify Payments answers; the last payout is {newest.id} of {newest.date}"


def _api(connection: Connection, secrets: Mapping[str, str], transport: Transport) -> PayoutsApi:
    return PayoutsApi(connection.settings, secrets.get(SECRET_NAME, ""), transport)
