"""The connector: signs ReadsSettlements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.bai2 import inbound, wire
from tillbridge.connectors.bai2.config import Bai2Config
from tillbridge.contract.promises import Connection


class Bai2Connector:
    """Statements of a bank. Keeps no state."""

    name = "bai2"
    config: type[msgspec.Struct] = Bai2Config

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether it holds a statement, by its first record."""
        del name, connection
        return wire.is_statement(head)

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Lines and statements of the file. Raises NeedsDecision (settlement_unreadable)."""
        del name
        return inbound.read(stream, connection.settings)
