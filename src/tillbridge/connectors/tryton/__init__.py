"""Tryton 8.2, an ERP: sales orders, invoices, credit notes, shipments and journals go out to it."""

from tillbridge.connectors.tryton.connector import TrytonConnector

connector = TrytonConnector()
