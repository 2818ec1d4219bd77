"""PayPal as a settlement source: the settlement report (STL)."""

from tillbridge.connectors.paypal.connector import PaypalConnector

connector = PaypalConnector()
