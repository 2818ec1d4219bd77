"""A connector that tells its stock signs it by having the method."""

from __future__ import annotations

from typing import Any

from tillbridge.connectors.sandbox.connector import SandboxConnector
from tillbridge.connectors.shopify.connector import ShopifyConnector
from tillbridge.connectors.tryton.connector import TrytonConnector
from tillbridge.contract.levels import Held, StockPage
from tillbridge.contract.promises import TellsStock
from tillbridge.contract.signed import promises_of


class Shelf:
    """One product, always."""

    stock_basis = "on_hand"

    def stock(self, *_: Any) -> StockPage:
        """One page."""
        return StockPage(held=(Held(("p",), 1000),))


def test_who_has_the_method_signs_the_promise() -> None:
    assert promises_of(Shelf()) == ("TellsStock",)
    assert Shelf().stock() == StockPage(held=(Held(("p",), 1000),), as_of=None, more=False)


def test_an_erp_tells_what_is_there_and_a_channel_what_it_shows() -> None:
    connectors = (TrytonConnector(), SandboxConnector(), ShopifyConnector())
    assert all(isinstance(one, TellsStock) for one in connectors)
    assert [one.stock_basis for one in connectors] == ["on_hand", "on_hand", "available"]
