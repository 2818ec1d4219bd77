"""What the demo's Tryton is filled with: the example retailer's entities, places and products."""

from __future__ import annotations

from datetime import date

from tillbridge.app.erp.books import (
    Books,
    Item,
    LedgerAccount,
    LegalEntity,
    Place,
    WebShop,
    accounts_of,
)
from tillbridge.connectors.sandbox.assortment import LEVIES, LOCATIONS, PRODUCTS
from tillbridge.posting.money.book import default_text
from tillbridge.posting.money.chart import parse_chart

CAD_PER_USD = "1.38"


def retailer_books(day: date) -> Books:
    """The books of the year of that day; the same for every day of it, so that they are cached."""
    return Books(
        entities=(
            LegalEntity("us", "Tillbridge Outfitters Inc.", "USD"),
            LegalEntity("ca", "Tillbridge Outfitters Canada Ltd.", "CAD"),
        ),
        first_day=date(day.year, 1, 1),
        last_day=date(day.year, 12, 31),
        accounts=(
            *accounts_of(parse_chart(default_text("chart.toml"), "chart.toml")),
            *(LedgerAccount(f"sales-tax/{levy.code}", levy.title, "liability") for levy in LEVIES),
        ),
        shops=(WebShop("web", "us", "USD"),),
        places=tuple(Place(location.code, location.title) for location in LOCATIONS),
        items=(
            *(Item(product.item, product.name) for product in PRODUCTS),
            Item("ITEM-GIFT50", "Gift card 50", goods=False),
        ),
        rates=(("CAD", CAD_PER_USD),),
    )
