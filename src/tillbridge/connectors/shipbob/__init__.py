"""ShipBob (API 2026-07), a fulfilment service: picks, packs and sends for us from its centers."""

from tillbridge.connectors.shipbob.connector import ShipbobConnector

connector = ShipbobConnector()
