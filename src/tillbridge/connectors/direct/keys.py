"""What all that is handed in has alike: the order's key, the translator's version."""

from __future__ import annotations

from tillbridge.atoms.ids import key_of

MAPPING = "direct/1"


def order_key(connection: str, number: str) -> str:
    """Aggregate key of an order handed in."""
    return key_of("order", connection, number)
