"""Stripe as a settlement source: balance transactions and payouts."""

from tillbridge.connectors.stripe.connector import StripeConnector

connector = StripeConnector()
