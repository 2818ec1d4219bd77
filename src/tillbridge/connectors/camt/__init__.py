"""Bank statements as camt.053 (ISO 20022)."""

from tillbridge.connectors.camt.connector import CamtConnector

connector = CamtConnector()
