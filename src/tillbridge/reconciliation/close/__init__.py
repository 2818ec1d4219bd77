"""Closing a month: what still blocks it, each with its owner and what to do."""
