"""The connector: signs ReadsSettlements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.paypal import inbound, wire
from tillbridge.connectors.paypal.config import PaypalConfig
from tillbridge.contract.promises import Connection


class PaypalConnector:
    """Settlement reports of a PayPal account. Keeps no state."""

    name = "paypal"
    config: type[msgspec.Struct] = PaypalConfig

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether it is a settlement report, by its records and columns."""
        del name, connection
        return wire.is_report(head)

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Lines, and what each day sent to the bank. Raises NeedsDecision."""
        del name
        return inbound.read(stream, connection.settings)
