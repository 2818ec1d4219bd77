"""The connector: signs ReadsSettlements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.adyen import inbound
from tillbridge.connectors.adyen.config import AdyenConfig
from tillbridge.contract.promises import Connection


class AdyenConnector:
    """Reports of an Adyen account. Keeps no state."""

    name = "adyen"
    config: type[msgspec.Struct] = AdyenConfig

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether it is a settlement details report, by its header."""
        del name, connection
        return inbound.is_ours(head)

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Lines and payouts of the file. Raises NeedsDecision (settlement_unreadable)."""
        del name
        return inbound.read(stream, connection.settings)
