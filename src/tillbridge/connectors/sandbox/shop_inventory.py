"""Inventory of the sandbox shop: levels, and `inventorySetQuantities` as strict as the vendor's.

All lines of a call or none. Each line says what it believes to be there (`changeFromQuantity`, and
`compareQuantity` before 2026-04); a stale one refuses the call. From 2026-04 on a call without the
directive `@idempotent` is refused, the same key gives the first result again, and the same key with
other content is refused. 250 lines at most, no item at a place twice, no item where it is not
stocked. What the shop sells by itself it takes off `available` at once.
Source: shopify.dev, inventorySetQuantities, its error codes and its changelog of 2026-04.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tillbridge.connectors.sandbox.graphql_query import DIRECTIVES, Connection, QueryError

LINES_MAX = 250
IDEMPOTENT_SINCE = "2026-04"
_ITEM = "gid://shopify/InventoryItem/"
_SKU = re.compile(r"sku:'((?:[^'\\]|\\.)*)'")
_PLACE = "gid://shopify/Location/"


class Change(msgspec.Struct, frozen=True):
    """One level as a call left it, whole pieces. call: number of the call, from 1."""

    call: int
    item: str
    location: str
    before: int
    after: int


class ShopInventory:
    """Levels by (item, location), numbers as text; safe to use from many threads."""

    def __init__(self) -> None:
        """An empty shop: nothing is stocked anywhere."""
        self._lock = threading.Lock()
        self._levels: dict[tuple[str, str], int] = {}
        # SKU of each item that has one
        self.skus: dict[str, str] = {}
        self._results: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self.calls = 0
        # whether complaints say which line they are about
        self.names_lines = True
        # what calls changed, in order; repetitions of a key change nothing
        self.changes: list[Change] = []

    def stock(self, item: str, location: str, available: int) -> None:
        """Stock an item at a place, or say by hand what is there (somebody in the shop's admin)."""
        with self._lock:
            self._levels[item, location] = available

    def sell(self, item: str, location: str, pieces: int) -> bool:
        """A buyer in the shop: taken off at once; False when the shop shows too little."""
        with self._lock:
            left = self._levels[item, location] - pieces
            if left < 0:
                return False
            self._levels[item, location] = left
            return True

    def available(self, item: str, location: str) -> int | None:
        """What the shop shows; None when not stocked there."""
        with self._lock:
            return self._levels.get((item, location))

    # -- GraphQL ------------------------------------------------------------------------------

    def item(self, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """`inventoryItem(id)`."""
        number = str(arguments.get("id")).removeprefix(_ITEM)
        with self._lock:
            known = any(item == number for item, _ in self._levels)
        if not known:
            return None
        return {
            "__typename": "InventoryItem",
            "id": f"{_ITEM}{number}",
            "inventoryLevel": lambda asked: self._level(number, asked),
        }

    def place(self, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        """`location(id)` with its `inventoryLevels`."""
        number = str(arguments.get("id")).removeprefix(_PLACE)
        with self._lock:
            items = sorted(item for item, location in self._levels if location == number)
        if not items:
            return None
        levels = [self._level(item, {"locationId": number}) for item in items]
        stocked = [
            {
                **level,
                "item": {
                    "__typename": "InventoryItem",
                    "id": f"{_ITEM}{item}",
                    "sku": self.skus.get(item),
                },
            }
            for item, level in zip(items, levels, strict=True)
            if level is not None
        ]
        return {
            "__typename": "Location",
            "id": f"{_PLACE}{number}",
            "inventoryLevels": Connection(stocked),
        }

    def _level(self, item: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        found = self.available(item, str(asked.get("locationId")).removeprefix(_PLACE))
        if found is None:
            return None
        quantity = {"__typename": "InventoryQuantity", "name": "available", "quantity": found}

        def quantities(named: Mapping[str, Any]) -> list[dict[str, Any]]:
            if named.get("names") != ["available"]:
                raise QueryError("the simulator knows what is available only")
            return [quantity]

        return {"__typename": "InventoryLevel", "quantities": quantities}

    def variants(self, arguments: Mapping[str, Any]) -> Connection:
        """`productVariants(query)`: a search for a SKU, found by its beginning as over there."""
        match = _SKU.fullmatch(str(arguments.get("query") or ""))
        if match is None:
            raise QueryError("the simulator searches variants by sku:'...' only")
        wanted = re.sub(r"\\(.)", r"\1", match[1])
        return Connection(
            [
                {
                    "__typename": "ProductVariant",
                    "sku": sku,
                    "inventoryItem": {"__typename": "InventoryItem", "id": f"{_ITEM}{item}"},
                }
                for item, sku in self.skus.items()
                if sku.startswith(wanted)
            ]
        )

    def set_quantities(self, arguments: Mapping[str, Any], version: str) -> dict[str, Any]:
        """`inventorySetQuantities(input) @idempotent(key)`."""
        wanted = arguments.get("input")
        if not isinstance(wanted, dict):
            raise QueryError("argument input is required", "missingRequiredArguments")
        content = msgspec.json.encode(wanted, order="deterministic")
        key = str(arguments[DIRECTIVES].get("idempotent", {}).get("key") or "")
        with self._lock:
            self.calls += 1
            if version >= IDEMPOTENT_SINCE:
                if not key:
                    words = "The @idempotent directive is required for this mutation"
                    raise QueryError(words, "BAD_REQUEST")
                if key in self._results:
                    before, result = self._results[key]
                    if before == content:
                        return result
                    return _answer([("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)])
            result = self._set(wanted, version)
            if version >= IDEMPOTENT_SINCE and not result["userErrors"]:
                self._results[key] = content, result
            return result

    def _set(self, wanted: Mapping[str, Any], version: str) -> dict[str, Any]:
        lines: Sequence[Mapping[str, Any]] = wanted.get("quantities") or ()
        if wanted.get("name") != "available":
            return _answer([("INVALID_NAME", None)])
        if not lines or len(lines) > LINES_MAX:
            raise QueryError(f"quantities holds {len(lines)} lines, not 1 to {LINES_MAX}")
        errors: list[tuple[str, int | None]] = []
        new: dict[tuple[str, str], int] = {}
        for n, line in enumerate(lines):
            place = _place_of(line)
            code = self._wrong(line, place, version)
            if place in new:
                code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
            if code:
                # as seen over there, a stale compare names no line
                named = self.names_lines and not code.endswith("STALE")
                errors.append((code, n if named else None))
            new[place] = int(line["quantity"])
        if not errors:
            for place, quantity in new.items():
                change = Change(self.calls, *place, self._levels[place], quantity)
                self.changes.append(change)
            self._levels |= new
        return _answer(errors)

    def _wrong(self, line: Mapping[str, Any], place: tuple[str, str], version: str) -> str:
        compare = "changeFromQuantity" if version >= IDEMPOTENT_SINCE else "compareQuantity"
        if compare not in line:
            words = f"Field '{compare}' of InventoryQuantityInput is required"
            raise QueryError(words, "BAD_USER_INPUT")
        if line["quantity"] < 0:
            return "INVALID_QUANTITY_NEGATIVE"
        if place not in self._levels:
            known = any(item == place[0] for item, _ in self._levels)
            return "ITEM_NOT_STOCKED_AT_LOCATION" if known else "INVALID_INVENTORY_ITEM"
        if line[compare] is not None and line[compare] != self._levels[place]:
            return f"{'CHANGE_FROM' if version >= IDEMPOTENT_SINCE else 'COMPARE'}_QUANTITY_STALE"
        return ""


def _place_of(line: Mapping[str, Any]) -> tuple[str, str]:
    item, location = str(line["inventoryItemId"]), str(line["locationId"])
    return item.removeprefix(_ITEM), location.removeprefix(_PLACE)


def _answer(errors: Sequence[tuple[str, int | None]]) -> dict[str, Any]:
    return {
        "__typename": "InventorySetQuantitiesPayload",
        "userErrors": [
            {
                "__typename": "InventorySetQuantitiesUserError",
                "code": code,
                "field": None if n is None else ["input", "quantities", str(n)],
                "message": code.lower().replace("_", " "),
            }
            for code, n in errors
        ],
    }
