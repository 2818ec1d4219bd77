"""Avalara AvaTax (REST v2), a tax engine: works tax out and keeps committed tax documents."""

from tillbridge.connectors.avatax.connector import AvataxConnector

connector = AvataxConnector()
