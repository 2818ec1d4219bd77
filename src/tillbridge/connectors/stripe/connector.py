"""The connector: signs ReadsSettlements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.stripe import inbound
from tillbridge.connectors.stripe.config import StripeConfig
from tillbridge.contract.promises import Connection


class StripeConnector:
    """Files of a Stripe account. Keeps no state."""

    name = "stripe"
    config: type[msgspec.Struct] = StripeConfig

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether it is an export of balance transactions or payouts, by its header."""
        del name, connection
        return inbound.is_ours(head)

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Lines or payouts of the file. Raises NeedsDecision (settlement_unreadable)."""
        del name
        return inbound.read(stream, connection.settings)
