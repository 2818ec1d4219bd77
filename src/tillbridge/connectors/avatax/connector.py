"""The connector: signs Taxes and ChecksConnection."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.avatax.client import AvataxClient
from tillbridge.connectors.avatax.config import SECRET_NAME, AvataxSettings
from tillbridge.connectors.avatax.transactions import AvataxService
from tillbridge.contract.promises import Connection
from tillbridge.contract.taxes import TaxDirectory
from tillbridge.contract.transport import Transport
from tillbridge.contract.wire import WireError


class AvataxConnector:
    """Avalara AvaTax, REST v2."""

    name = "avatax"
    config: type[msgspec.Struct] = AvataxSettings

    def check(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> str:
        """A sentence about AvaTax; raises RetryLater, or Refused for a wrong key."""
        try:
            ping = _client(connection, secrets, transport).ping()
        except WireError as problem:
            raise RetryLater(f"what answers there is no AvaTax: {problem}") from None
        if not ping.authenticated:
            raise Refused("AvaTax does not know the account and key", code="key")
        return f"AvaTax {ping.version} answers and accepts the account and key"

    def tax_service(
        self,
        connection: Connection,
        secrets: Mapping[str, str],
        directory: TaxDirectory,
        transport: Transport,
    ) -> AvataxService:
        """The company of the connection's settings."""
        client = _client(connection, secrets, transport)
        return AvataxService(client, connection.settings, directory, connection.name)


def _client(
    connection: Connection, secrets: Mapping[str, str], transport: Transport
) -> AvataxClient:
    settings: AvataxSettings = connection.settings
    key = secrets.get(SECRET_NAME, "")
    if not key:
        raise RetryLater(f"connection {connection.name} has no secret called {SECRET_NAME}")
    return AvataxClient(
        settings.url, settings.account, key, settings.company, transport, settings.timeout_seconds
    )
