"""Orders handed in at the hub's own API by programs that have no connector: call centre, kiosk."""

from tillbridge.connectors.direct.connector import DirectConnector

connector = DirectConnector()
