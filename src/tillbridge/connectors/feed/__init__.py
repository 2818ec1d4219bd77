"""A retailer's own files, read without writing code: a mapping says which column means what."""

from tillbridge.connectors.feed.connector import FeedConnector

connector = FeedConnector()
