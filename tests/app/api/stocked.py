"""A workspace with two places and two channels, and stock in them."""

from __future__ import annotations

from psycopg import Connection

from tillbridge.app.settings_tables import (
    ChannelSettings,
    EntitySettings,
    LocationSettings,
    Settings,
)

SETTINGS = Settings(
    entity=[EntitySettings(code="us", currency="USD")],
    location=[LocationSettings(code=code, entity="us") for code in ("wh", "store")],
    channel=[
        ChannelSettings(code="web", entity="us", fulfil_from=("wh", "store")),
        ChannelSettings(code="app", entity="us"),
    ],
)


def stock(connection: Connection, location: str, product: str, pieces: int) -> None:
    """So many pieces of a product at a place."""
    connection.execute(
        "insert into stock (location, product, on_hand) values (%s, %s, %s)",
        (location, product, pieces * 1000),
    )
    connection.commit()
