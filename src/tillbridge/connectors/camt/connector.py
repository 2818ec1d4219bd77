"""The connector: signs ReadsSettlements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.camt import inbound
from tillbridge.connectors.camt.config import CamtConfig
from tillbridge.contract.promises import Connection


class CamtConnector:
    """Statements of a bank. Keeps no state."""

    name = "camt"
    config: type[msgspec.Struct] = CamtConfig

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether it is XML of the camt family."""
        del name, connection
        return b"camt.05" in head or b"BkToCstmr" in head

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Statements and booked lines. Raises NeedsDecision (settlement_unreadable)."""
        del name
        return inbound.read(stream, connection.settings)
