"""The comparisons of stock that a workspace asks for: one per connection that tells its own."""

from __future__ import annotations

import msgspec

from tillbridge.app import registry
from tillbridge.app.hub import Hub
from tillbridge.contract.promises import TellsStock
from tillbridge.reconciliation.stock.comparison import Plan, StockComparison


def comparisons(hub: Hub) -> dict[str, StockComparison]:
    """A comparison for every connection whose settings name locations (`compare_stock`)."""
    settings = hub.workspace.settings
    stores = frozenset(place.code for place in settings.location if place.kind == "store")
    found: dict[str, StockComparison] = {}
    for name, one in settings.connection.items():
        connector = registry.connector(one.connector)
        if one.compare_stock.locations and isinstance(connector, TellsStock):
            places = settings.places_of(one.compare_stock.locations)
            rules = msgspec.structs.replace(one.compare_stock, locations=places)
            found[name] = StockComparison(
                connector,
                hub.sources[name],
                hub.secrets(name),
                hub.transport(name),
                clock=hub.agreed_clock,
                plan=Plan(rules, stores, hub.availability_rules),
                leases=hub.leases,
            )
    return found
