"""The promises POSLog signs, one method each; the work is beside it."""

from collections.abc import Iterator
from typing import BinaryIO

from tillbridge.connectors.poslog.config import PoslogSettings
from tillbridge.connectors.poslog.files import split, totals
from tillbridge.connectors.poslog.inbound import translate
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Item, Message, Translation
from tillbridge.contract.totals import FileTotals


class PoslogConnector:
    """POSLog files. Keeps no state; everything it needs is handed in."""

    name = "poslog"
    config = PoslogSettings

    def translate(self, message: Message, connection: Connection, names: Names) -> Translation:
        """Facts of one transaction. Raises NeedsDecision when it cannot be believed."""
        return translate(message, connection, names)

    def split(
        self, stream: BinaryIO, name: str, connection: Connection, topic: str = ""
    ) -> Iterator[Item]:
        """Transactions of a file in the file's order, in constant memory."""
        return split(stream, name, connection, topic)

    def totals(self, stream: BinaryIO, name: str, connection: Connection) -> FileTotals | None:
        """How many transactions a file says it holds; None where the settings name no element."""
        return totals(stream, name, connection)
