"""The kinds of record the hub makes over there: how each is found again, finished and read.

All are idempotent the same way: found by the operation id, made when missing, then brought to their
end from whatever state they are in. Only the sale has a unique key in the database of Tryton; of
invoices, shipments and moves a lost attempt may leave a second draft, which is removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from tillbridge.connectors.tryton.client import TrytonClient, TrytonRefused, company_context
from tillbridge.connectors.tryton.dating import lift_dates

WARNINGS_MAX = 5


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A record over there: id, operation it was made for, state, number, total in major units."""

    id: int
    operation: str
    state: str
    number: str
    total: Decimal | None = None
    move: int = 0


class Kind(Protocol):
    """What the sender needs to know of a kind of record."""

    model: str
    done: frozenset[str]
    dead: frozenset[str]
    draft: str

    def find(self, client: TrytonClient, company: int, operations: Sequence[str]) -> list[Found]:
        """Records made for these operations, oldest first; several for one are possible."""

    def finish(self, client: TrytonClient, company: int, ids: Sequence[int]) -> None:
        """Press the buttons that bring records to their end; all or none per button."""


class Sales:
    """`sale.sale`, found by (web shop, web id), brought to `processing`."""

    model = "sale.sale"
    done = frozenset({"processing", "done"})
    dead = frozenset({"cancelled"})
    draft = "draft"

    def __init__(self, shop: int) -> None:
        """shop: the web shop of the channel."""
        self._shop = shop

    def find(self, client: TrytonClient, company: int, operations: Sequence[str]) -> list[Found]:
        """Sales of the shop under these web ids."""
        domain = [["web_shop", "=", self._shop], ["web_id", "in", list(operations)]]
        fields = ["web_id", "state", "number", "untaxed_amount"]
        rows = client.search_read(self.model, domain, fields, company=company)
        return _oldest_first(rows, "web_id", "untaxed_amount")

    def finish(self, client: TrytonClient, company: int, ids: Sequence[int]) -> None:
        """Quote, confirm; `process` follows inside Tryton, or is pressed where a worker is slow."""
        steps = (("draft", "quote"), ("quotation", "confirm"), ("confirmed", "process"))
        walk(client, self.model, steps, ids, company)


class Invoices:
    """`account.invoice`, found by reference, posted. Warnings are acknowledged: the hub's document
    is law, and what Tryton warns of (a date in its future, taxes it would compute otherwise, a
    similar invoice) is known here.
    """

    model = "account.invoice"
    done = frozenset({"posted", "paid"})
    dead = frozenset({"cancelled"})
    draft = "draft"

    def find(self, client: TrytonClient, company: int, operations: Sequence[str]) -> list[Found]:
        """Customer invoices and credit notes of the company under these references."""
        domain = [
            ["company", "=", company],
            ["type", "=", "out"],
            ["reference", "in", list(operations)],
        ]
        fields = ["reference", "state", "number", "total_amount", "move"]
        rows = client.search_read(self.model, domain, fields, company=company)
        return _oldest_first(rows, "reference", "total_amount")

    def finish(self, client: TrytonClient, company: int, ids: Sequence[int]) -> None:
        """Post, which numbers and books them; dated anew when another post came in between."""
        steps = (("draft", "post"), ("validated", "post"))
        lift_dates(client, company, ids)
        try:
            walk(client, self.model, steps, ids, company)
        except TrytonRefused:
            if not lift_dates(client, company, ids):
                raise
            walk(client, self.model, steps, ids, company)


class Shipments:
    """`stock.shipment.out`, found by reference, brought to `done`; stock is not asked for."""

    model = "stock.shipment.out"
    done = frozenset({"done"})
    dead = frozenset({"cancelled"})
    draft = "draft"

    def find(self, client: TrytonClient, company: int, operations: Sequence[str]) -> list[Found]:
        """Customer shipments of the company under these references."""
        domain = [["company", "=", company], ["reference", "in", list(operations)]]
        fields = ["reference", "state", "number"]
        rows = client.search_read(self.model, domain, fields, company=company)
        return _oldest_first(rows, "reference", "")

    def finish(self, client: TrytonClient, company: int, ids: Sequence[int]) -> None:
        """Walk from each one's state to `done`."""
        steps = (
            ("draft", "wait"),
            ("waiting", "assign_force"),
            ("assigned", "pick"),
            ("picked", "pack"),
            ("packed", "do"),
            ("shipped", "do"),
        )
        walk(client, self.model, steps, ids, company)


class Returns:
    """`stock.shipment.out.return`, found by reference, brought to `done`: received and put away."""

    model = "stock.shipment.out.return"
    done = frozenset({"done"})
    dead = frozenset({"cancelled"})
    draft = "draft"

    def find(self, client: TrytonClient, company: int, operations: Sequence[str]) -> list[Found]:
        """Customer returns of the company under these references."""
        domain = [["company", "=", company], ["reference", "in", list(operations)]]
        fields = ["reference", "state", "number"]
        rows = client.search_read(self.model, domain, fields, company=company)
        return _oldest_first(rows, "reference", "")

    def finish(self, client: TrytonClient, company: int, ids: Sequence[int]) -> None:
        """Receive, then put away."""
        walk(client, self.model, (("draft", "receive"), ("received", "do")), ids, company)


class InternalShipments:
    """`stock.shipment.internal`, found by reference, brought to `done`; stock is not asked for."""

    model = "stock.shipment.internal"
    done = frozenset({"done"})
    dead = frozenset({"cancelled"})
    draft = "draft"

    def find(self, client: TrytonClient, company: int, operations: Sequence[str]) -> list[Found]:
        """Internal shipments of the company under these references."""
        domain = [["company", "=", company], ["reference", "in", list(operations)]]
        fields = ["reference", "state", "number"]
        rows = client.search_read(self.model, domain, fields, company=company)
        return _oldest_first(rows, "reference", "")

    def finish(self, client: TrytonClient, company: int, ids: Sequence[int]) -> None:
        """Walk from each one's state to `done`; between two warehouses Tryton has a way of its own,
        and wants it packed and shipped onto it.
        """
        begin = (("request", "draft"), ("draft", "wait"), ("waiting", "assign_force"))
        walk(client, self.model, begin, ids, company)
        domain = [["id", "in", list(ids)]]
        rows = client.search_read(self.model, domain, ["transit_location"], company=company)
        onto_way = [row["id"] for row in rows if row["transit_location"]]
        there = [row["id"] for row in rows if not row["transit_location"]]
        over = (("assigned", "pack"), ("packed", "ship"), ("shipped", "do"))
        walk(client, self.model, over, onto_way, company)
        walk(client, self.model, (("assigned", "do"),), there, company)


class Moves:
    """`account.move`, found by description, posted."""

    model = "account.move"
    done = frozenset({"posted"})
    dead: frozenset[str] = frozenset()
    draft = "draft"

    def find(self, client: TrytonClient, company: int, operations: Sequence[str]) -> list[Found]:
        """Moves of the company under these descriptions."""
        domain = [["company", "=", company], ["description", "in", list(operations)]]
        fields = ["description", "state", "number"]
        rows = client.search_read(self.model, domain, fields, company=company)
        return _oldest_first(rows, "description", "")

    def finish(self, client: TrytonClient, company: int, ids: Sequence[int]) -> None:
        """Post; PostgreSQL underneath refuses what does not balance."""
        walk(client, self.model, (("draft", "post"),), ids, company)


def walk(
    client: TrytonClient,
    model: str,
    steps: Sequence[tuple[str, str]],
    ids: Sequence[int],
    company: int,
) -> None:
    """Press (state, button) after (state, button) on whatever of `ids` stands in that state.

    States are read before each button: a part of the records may have been moved by an earlier
    attempt, or by the half of a batch that succeeded.
    """
    for state, button in steps:
        domain = [["id", "in", list(ids)], ["state", "=", state]]
        standing = sorted(client.search(model, domain, company=company))
        if standing:
            press_through_warnings(client, model, button, standing, company)


def press_through_warnings(
    client: TrytonClient, model: str, button: str, ids: Sequence[int], company: int
) -> None:
    """Press a button and acknowledge the warnings Tryton asks about, at most WARNINGS_MAX."""
    for _ in range(WARNINGS_MAX):
        try:
            client.press(model, button, ids, company=company)
        except TrytonRefused as refusal:
            if not refusal.warning:
                raise
            acknowledge(client, refusal.warning, company)
        else:
            return
    client.press(model, button, ids, company=company)


def acknowledge(client: TrytonClient, warning: str, company: int) -> None:
    """Say yes to a warning by its name, once, as the person at the screen would."""
    context = company_context(company)
    client.call("model.res.user.warning.skip", warning, False, context=context)


def _oldest_first(rows: list[dict[str, Any]], key: str, total: str) -> list[Found]:
    return [
        Found(
            id=row["id"],
            operation=row[key],
            state=row["state"],
            number=row["number"] or "",
            total=row[total] if total else None,
            move=row.get("move") or 0,
        )
        for row in sorted(rows, key=lambda row: int(row["id"]))
    ]
