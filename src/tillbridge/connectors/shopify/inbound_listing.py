"""What the shop counts and lists of a window, in our words: for the comparison with the hub."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from tillbridge.atoms.ids import key_of
from tillbridge.atoms.money import MoneyError, to_minor
from tillbridge.connectors.shopify.inbound_scope import version
from tillbridge.connectors.shopify.wire import number
from tillbridge.contract import wire
from tillbridge.contract.promises import Listed, Window


class _Money(msgspec.Struct, rename="camel"):
    amount: str
    currency_code: str


class _Bag(msgspec.Struct, rename="camel"):
    shop_money: _Money


class _Node(msgspec.Struct, rename="camel"):
    id: str
    updated_at: datetime
    total_price_set: _Bag
    total_refunded_set: _Bag


def condition(window: Window) -> str:
    """The window in the search syntax."""
    return f"updated_at:>='{version(window.since)}' AND updated_at:<'{version(window.until)}'"


def listed(node: Mapping[str, Any], connection: str, topic: str) -> Listed:
    """One order of a page; amounts in shop money. Raises WireError."""
    found = wire.convert(_Node, node, where="orders")
    digits = number(found.id)
    money = found.total_price_set.shop_money
    return Listed(
        key=key_of("order", connection, digits),
        topic=topic,
        reference=found.id,
        version=version(found.updated_at),
        currency=money.currency_code,
        amount=_minor(money),
        refunded=_minor(found.total_refunded_set.shop_money),
    )


def _minor(money: _Money) -> int:
    try:
        return to_minor(money.amount, money.currency_code)
    except MoneyError as problem:
        raise wire.WireError(str(problem)) from None
