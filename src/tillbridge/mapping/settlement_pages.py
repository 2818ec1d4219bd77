"""What a poll brought of settlements: the poll wrote its lines, so it tells the flow nothing."""

from __future__ import annotations

from tillbridge.contract.names import Names
from tillbridge.contract.promises import (
    Connection,
    Connector,
    Message,
    Polls,
    ReadsSettlements,
    Translates,
    Translation,
)


class SettlementPages:
    """Translates deliveries of a connection that polls nothing but settlements."""

    def translate(self, message: Message, connection: Connection, names: Names) -> Translation:
        """Nothing, with the reason."""
        del message, connection, names
        return Translation(ignored="a settlement; its lines were written when it was received")


def translates(connector: Connector) -> Translates | None:
    """Who translates the deliveries of a connector, None = it brings none."""
    if isinstance(connector, Translates):
        return connector
    if isinstance(connector, Polls) and isinstance(connector, ReadsSettlements):
        return SettlementPages()
    return None
