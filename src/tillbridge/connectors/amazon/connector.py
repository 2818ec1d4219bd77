"""The connector: signs ReadsSettlements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.amazon import inbound
from tillbridge.connectors.amazon.config import AmazonConfig
from tillbridge.contract.promises import Connection


class AmazonConnector:
    """Settlement files of a seller's account. Keeps no state."""

    name = "amazon"
    config: type[msgspec.Struct] = AmazonConfig
    carries_forward = True
    """A settlement below zero is taken out of the next one, unless a card on file is charged."""

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether it is a flat file of a settlement, V2 or V1, by its header."""
        del name, connection
        return inbound.is_ours(head)

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Head and lines of the file. Raises NeedsDecision (settlement_unreadable)."""
        del name
        return inbound.read(stream, connection.settings)
