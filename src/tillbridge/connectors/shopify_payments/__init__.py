"""Shopify Payments as a settlement source: payouts and their balance transactions."""

from tillbridge.connectors.shopify_payments.connector import ShopifyPaymentsConnector

connector = ShopifyPaymentsConnector()
