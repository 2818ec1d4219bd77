"""The item master as stock needs it: units, packs, bundles, categories."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.fact import Fact


class Pack(msgspec.Struct, frozen=True):
    """Another unit of an item and how much of the base unit it holds, thousandths."""

    unit: str
    quantity: int


class Component(msgspec.Struct, frozen=True):
    """What one unit of a bundle holds of a product, thousandths of that product's base unit."""

    product: str
    quantity: int


class ItemDescribed(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """An item as its owner (ERP, item master file) describes it, whole.

    version: sortable text, the highest wins. unit: base unit. step: smallest quantity that can be
    moved, thousandths (1000 = whole units only). components: () unless it is a bundle, which has no
    stock of its own. sellable: False once it may not be sold any more.
    """

    product: str
    version: str
    title: str = ""
    unit: str = "EA"
    step: int = 1000
    category: str = ""
    sellable: bool = True
    packs: tuple[Pack, ...] = ()
    components: tuple[Component, ...] = ()
