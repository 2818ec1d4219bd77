"""Files of saved API answers and payloads: envelopes opened, each object one delivery.

Taken: one object bare or in its envelope (`{"order": {...}}`), a list bare or in its envelope
(`{"orders": [...]}`), several of these one after the other (JSON lines). A note beside the object
(`"notice"`) is skipped. A broken piece becomes an item with a problem that keeps its bytes; the
pieces after it go on where the structure allows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from tillbridge.atoms.ids import key_of
from tillbridge.contract.json_scanner import Scanner
from tillbridge.contract.promises import Item

# Envelope -> (what one object in it is called, the topic when none is asked for).
ENVELOPES: dict[str, tuple[str, str]] = {
    "order": ("order", "orders/updated"),
    "orders": ("order", "orders/updated"),
    "refund": ("refund", "refunds/create"),
    "refunds": ("refund", "refunds/create"),
    "fulfillment": ("fulfillment", "fulfillments/update"),
    "fulfillments": ("fulfillment", "fulfillments/update"),
    "product": ("product", "products/update"),
    "products": ("product", "products/update"),
    "inventory_level": ("inventory_level", "inventory_levels/update"),
    "inventory_levels": ("inventory_level", "inventory_levels/update"),
    "transaction": ("transaction", "order_transactions/create"),
    "transactions": ("transaction", "order_transactions/create"),
    # Known, and no topic takes them.
    **{
        name: (name, "")
        for name in (
            "balance",
            "count",
            "customer",
            "customers",
            "data",
            "disputes",
            "errors",
            "fulfillment_orders",
            "gift_cards",
            "inventory_items",
            "locations",
            "original_fulfillment_order",
            "payouts",
            "tender_transactions",
            "variants",
        )
    },
}
WANTED = {
    "orders": "order",
    "refunds": "refund",
    "fulfillments": "fulfillment",
    "products": "product",
    "inventory_levels": "inventory_level",
    "order_transactions": "transaction",
}
# Their bodies are wrapped on the wire, so the wrapping stays.
WRAPPED = ("orders/edited", "reread/order")
NOTES = ("notice",)
_FIRST_KEY = re.compile(rb'\{\s*"([a-z_]{1,40})"\s*:')


class _Shown(msgspec.Struct):
    """A shallow look at an object: what may name it."""

    id: Any = None
    order_id: Any = None
    inventory_item_id: Any = None
    location_id: Any = None
    order: Any = None
    order_edit: Any = None


def split(stream: BinaryIO, name: str, connection: str, topic: str) -> Iterator[Item]:
    """Items of a file, in its order. Never raises for what the file holds."""
    return _Cut(Scanner(stream), name, connection, topic).items()


class _Cut:
    """One file being cut."""

    def __init__(self, scanner: Scanner, name: str, connection: str, topic: str) -> None:
        self._scanner = scanner
        self._name = name
        self._connection = connection
        self._topic = topic
        self._wanted = WANTED.get(topic.partition("/")[0], "")
        self._lost = False

    def items(self) -> Iterator[Item]:
        """Every value at the top of the file."""
        if self._scanner.ahead(3) == b"\xef\xbb\xbf":
            self._scanner.take(3)
        while first := self._scanner.blanks():
            if first == b"[" and self._topic:
                self._scanner.take(1)
                yield from self._elements(self._topic)
            elif first != b"{":
                alone = "a list alone: say which topic it is of: --topic orders/create"
                yield from self._all_left(alone if first == b"[" else "this is no JSON object")
            elif self._is_envelope():
                yield from self._members()
            else:
                yield from self._object(self._topic)

    def _is_envelope(self) -> bool:
        match = _FIRST_KEY.match(self._scanner.ahead(4096))
        if match is None or self._topic in WRAPPED:
            return False
        key = match[1].decode()
        return key in ENVELOPES or key in NOTES

    def _members(self) -> Iterator[Item]:
        """Members of an envelope: objects and lists of them; notes are skipped."""
        scanner = self._scanner
        scanner.take(1)
        while True:
            mark = scanner.blanks()
            if mark in (b",", b"}"):
                scanner.take(1)
                if mark == b"}":
                    return
                continue
            key = scanner.value() if mark == b'"' else None
            if key is None or scanner.blanks() != b":":
                yield from self._all_left("the object around the deliveries is broken here")
                return
            scanner.take(1)
            scanner.blanks()
            yield from self._member(key[1:-1].decode("ascii", "replace"))

    def _member(self, key: str) -> Iterator[Item]:
        place = self._place
        first = self._scanner.ahead(1)
        holds, usual = ENVELOPES.get(key, ("", ""))
        topic = self._topic or usual
        fits = bool(holds and topic and holds == (self._wanted or holds) and usual)
        if fits and first == b"[":
            self._scanner.take(1)
            yield from self._elements(topic)
        elif fits and first == b"{":
            yield from self._object(topic)
        else:
            raw = self._scanner.value()
            if raw is None:
                yield from self._all_left("this value does not end")
            elif holds or raw[:1] in (b"{", b"["):
                yield self._broken(raw, place, self._misfit(key))

    def _misfit(self, key: str) -> str:
        shown = key if re.fullmatch(r"[a-z_]{1,40}", key) else "something else"
        if not self._wanted:
            return f"the file holds {shown}; topic {self._topic or '(none)'} cannot take that"
        return f"the file holds {shown}, topic {self._topic} wants {self._wanted}"

    def _elements(self, topic: str) -> Iterator[Item]:
        """Objects of a list, up to its end."""
        scanner = self._scanner
        while mark := scanner.blanks():
            if mark in (b",", b"]"):
                scanner.take(1)
                if mark == b"]":
                    return
            elif mark == b"{":
                yield from self._object(topic)
            else:
                place = self._place
                for piece in scanner.until(b"{]"):
                    yield self._broken(piece, place, "this is no object")
                    place = self._place
        # What came so far may be whole; that the file was cut must be seen all the same.
        if not self._lost:
            yield self._broken(b"[", self._place, "the file ends inside a list")

    def _object(self, topic: str) -> Iterator[Item]:
        place = self._place
        raw = self._scanner.value()
        if raw is None:
            yield from self._all_left("this object does not end, or is too large")
            return
        try:
            shown = msgspec.json.decode(raw, type=_Shown)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as problem:
            yield self._broken(raw, place, f"not JSON: {problem}"[:200])
            return
        if not topic:
            yield self._broken(raw, place, "say which topic this object is: --topic orders/create")
            return
        digest = hashlib.sha256(raw).hexdigest()
        yield Item(
            topic=topic,
            delivery=f"{topic}:{digest}",
            body=raw,
            key=_key(shown, topic, self._connection),
            place=f"{self._name}:{place}",
        )

    def _all_left(self, problem: str) -> Iterator[Item]:
        """The rest of the file, which cannot be told apart any more."""
        self._lost = True
        place = self._place
        for piece in self._scanner.rest():
            yield self._broken(piece, place, problem)
            place = self._place

    def _broken(self, raw: bytes, place: str, problem: str) -> Item:
        digest = hashlib.sha256(place.encode() + b" " + raw).hexdigest()
        topic = self._topic or "unknown"
        return Item(
            topic=topic,
            delivery=f"{topic}:broken:{digest}",
            body=raw,
            place=f"{self._name}:{place}",
            problem=problem,
        )

    @property
    def _place(self) -> str:
        return self._scanner.place


def _key(shown: _Shown, topic: str, connection: str) -> str:
    """Aggregate key of an object as far as its own ids tell, else ""."""
    kind = topic.partition("/")[0]
    parts: tuple[Any, ...]
    if kind == "inventory_levels":
        kind, parts = "stock", (shown.inventory_item_id, shown.location_id)
    elif kind == "products":
        kind, parts = "product", (shown.id,)
    elif topic in WRAPPED:
        inner = shown.order if topic != "orders/edited" else shown.order_edit
        name = "id" if topic != "orders/edited" else "order_id"
        kind, parts = "order", (inner.get(name) if isinstance(inner, dict) else None,)
    else:
        kind, parts = "order", (shown.id if kind == "orders" else shown.order_id,)
    numbers = [str(part).rsplit("/", 1)[-1] for part in parts]
    if not all(re.fullmatch(r"[0-9]{1,20}", number) for number in numbers):
        return ""
    return key_of(kind, connection, *numbers)
