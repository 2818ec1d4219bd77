"""The connector: only translates, because the API itself takes the orders in."""

from __future__ import annotations

import msgspec

from tillbridge.connectors.direct import inbound
from tillbridge.connectors.direct.config import DirectSettings
from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection, Message, Translation


class DirectConnector:
    """Translates."""

    name = "direct"
    config: type[msgspec.Struct] = DirectSettings

    def translate(self, message: Message, connection: Connection, names: Names) -> Translation:
        """The order as a fact, its buyer for the vault; names are ours already, tenders are not
        believed.
        """
        return inbound.translate(message, connection, names)
