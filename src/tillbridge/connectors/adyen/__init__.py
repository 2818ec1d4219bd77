"""Adyen as a settlement source: the settlement details report."""

from tillbridge.connectors.adyen.connector import AdyenConnector

connector = AdyenConnector()
