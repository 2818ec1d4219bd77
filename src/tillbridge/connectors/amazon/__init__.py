"""Amazon as a settlement source: the flat files V2 and V1 of a seller's settlements."""

from tillbridge.connectors.amazon.connector import AmazonConnector

connector = AmazonConnector()
