"""The connector: signs ReadsSettlements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.mt940 import inbound, wire
from tillbridge.connectors.mt940.config import Mt940Config
from tillbridge.contract.promises import Connection


class Mt940Connector:
    """Statements of a bank. Keeps no state."""

    name = "mt940"
    config: type[msgspec.Struct] = Mt940Config

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether it holds a statement, by its first fields."""
        del name, connection
        return wire.is_statement(head)

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Lines and statements of the file. Raises NeedsDecision (settlement_unreadable)."""
        del name
        return inbound.read(stream, connection.settings)
