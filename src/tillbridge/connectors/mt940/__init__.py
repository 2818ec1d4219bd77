"""Bank statements as SWIFT MT940, and interim reports as MT942."""

from tillbridge.connectors.mt940.connector import Mt940Connector

connector = Mt940Connector()
