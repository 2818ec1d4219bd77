"""Items: what describes one, and what is left out of its stored form."""

from __future__ import annotations

from datetime import UTC, datetime

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.items import Component, ItemDescribed, Pack
from tillbridge.canonical.registry import decode, encode

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_an_item_keeps_its_packs_and_components() -> None:
    item = ItemDescribed(
        key="item/GIFT-SET",
        id="item/GIFT-SET/7",
        source="erp",
        mapping="erp/1",
        occurred_at=NOON,
        business_date=NOON.date(),
        entities=Entities(selling="us"),
        product="GIFT-SET",
        version="7",
        packs=(Pack("CS", 12_000),),
        components=(Component("SOAP", 2_000), Component("TOWEL", 1_000)),
    )
    stored = encode(item)
    assert decode("ItemDescribed", 1, stored) == item
    assert b"sellable" not in stored
    assert b'"packs":[{"unit":"CS","quantity":12000}]' in stored
