"""A delivery as it is handed to the store: texts kept short, identities never lost.

What strangers write into topics, ids and names has no length; an index page has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from tillbridge.contract.promises import Item
from tillbridge.durable.messages import Incoming

TEXT_MOST = 300
WORDS_MOST = 1_000
ITEM_MOST = 64 * 1024 * 1024


def arrival(
    connection: str,
    item: Item,
    received_at: datetime,
    *,
    headers: Mapping[str, str] | None = None,
    trace: bytes | None = None,
) -> Incoming:
    """An item of one connection as a delivery; `{connection}` in its key becomes the name.

    A key too long for an index is dropped (the delivery is then a key of its own); an id too long
    is replaced by its hash; an item without an id is known by its bytes.
    """
    key = item.key.replace("{connection}", connection)
    body, problem = item.body, item.problem
    if len(body) > ITEM_MOST:
        problem = problem or f"a piece of {len(body)} bytes is too large to keep"
        body = b""
    return Incoming(
        connection=connection,
        topic=item.topic[:TEXT_MOST],
        delivery=_identity(item),
        body=body,
        received_at=received_at,
        key=key if len(key) <= TEXT_MOST else "",
        headers=headers or {},
        place=item.place[:WORDS_MOST],
        problem=problem[:WORDS_MOST],
        trace=trace,
    )


def _identity(item: Item) -> str:
    if not item.delivery:
        return "sha256:" + hashlib.sha256(item.body).hexdigest()
    if len(item.delivery) <= TEXT_MOST:
        return item.delivery
    return "sha256:" + hashlib.sha256(item.delivery.encode("utf-8", "replace")).hexdigest()
