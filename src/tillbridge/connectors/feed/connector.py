"""The feed connector: Translates, ReadsFiles and ReadsSettlements, driven by the mapping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from tillbridge.canonical.settlement import Told
from tillbridge.connectors.feed import files, inbound, inbound_settlements
from tillbridge.connectors.feed.config import FeedConfig
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Item, Message, Translation
from tillbridge.contract.totals import FileTotals


class FeedConnector:
    """Custom files (CSV, TSV, JSON lines, fixed width) as facts."""

    name = "feed"
    config: type[msgspec.Struct] = FeedConfig

    def translate(self, message: Message, connection: Connection, names: Names) -> Translation:
        """Facts of one sale, order, count, product or payment."""
        return inbound.translate(message, connection, names)

    def split(
        self, stream: BinaryIO, name: str, connection: Connection, topic: str = ""
    ) -> Iterator[Item]:
        """Items of a file; the mapping knows the topic."""
        return files.split(stream, name, connection)

    def totals(self, stream: BinaryIO, name: str, connection: Connection) -> FileTotals | None:
        """What a file's control record says; None where the mapping has none."""
        return files.totals(stream, name, connection)

    def settles(self, name: str, head: bytes, connection: Connection) -> bool:
        """Whether the connection's mapping is one of settlements."""
        del name, head
        return inbound_settlements.settles(connection)

    def settlement(self, stream: BinaryIO, name: str, connection: Connection) -> Iterator[Told]:
        """Lines and payouts of a file. Raises NeedsDecision (settlement_unreadable)."""
        del name
        return inbound_settlements.read(stream, connection)
