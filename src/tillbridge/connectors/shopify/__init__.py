"""Shopify: orders, payments, shipments, refunds, products and stock levels of one web shop."""

from tillbridge.connectors.shopify.connector import ShopifyConnector

connector = ShopifyConnector()

__all__ = ["ShopifyConnector", "connector"]
