"""The connector: signs ReadsSettlements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.shopify_payments import inbound
from tillbridge.connectors.shopify_payments.config import ShopifyPaymentsConfig
from tillbridge.contract.promises import Connection


class ShopifyPaymentsConnector:
    """Answers of the payouts API saved as files. Keeps no state."""

    name = "shopify_payments"
    config: type[msgspec.Struct] = ShopifyPaymentsConfig

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether it is a list of payouts or of balance transactions."""
        del name, connection
        return inbound.is_ours(head)

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Lines or payouts of the file. Raises NeedsDecision (settlement_unreadable)."""
        del name
        return inbound.read(stream, connection.settings)
