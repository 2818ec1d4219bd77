"""The checkout of a shop without a connector: what it hands in over the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from typing import Any

from tests.app.api.caller import Caller, Told, client_key
from tests.stories.shop import House
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.inbox.group_commit import IntakeWriter
from tillbridge.triage import operators

SCOPES = ("orders:write", "payments:write")


class Checkout:
    """Orders and payments of the channel `phone`, each carried through the rooms when told."""

    def __init__(self, shop: House, caller: Caller) -> None:
        self.shop = shop
        self._caller = caller
        self._key = client_key(shop.connection, *SCOPES, name="checkout", channel="phone")
        me = operators.Grant("me", ["admin"], os_user=getuser())  # who runs the verbs
        operators.put(shop.connection, me, "ann", "")
        shop.connection.commit()
        self._asked = 0

    def order(self, number: str, total: str, *, flow: bool = True, **fields: Any) -> Told:
        """An order of one line of P1 unless told otherwise."""
        told = {
            "number": number,
            "placed_at": "2026-03-02T09:30:00Z",
            "currency": "USD",
            "total": total,
            "lines": [{"line": "1", "product": "P1", "quantity": "1", "list": total}],
            **fields,
        }
        return self._ask("/v1/orders", told, flow=flow)

    def payment(
        self, order: str, kind: str, reference: str, amount: str, *, flow: bool = True, **more: Any
    ) -> Told:
        """Something that happened to a payment."""
        told = {
            "order": order,
            "kind": kind,
            "reference": reference,
            "at": "2026-03-02T09:31:00Z",
            "currency": "USD",
            "tender": "card",
            **({"amount": amount} if amount else {}),
            **more,
        }
        return self._ask("/v1/payments", told, flow=flow)

    def _ask(self, path: str, body: dict[str, Any], *, flow: bool) -> Told:
        self._asked += 1
        heads = {b"idempotency-key": f"k-{self._asked}".encode()}
        told = self._caller.ask(path, self._key, body=body, heads=heads)
        assert told.status == 202, told.body
        if flow:
            self.shop.flow()
        return told


@contextmanager
def checkout(shop: House) -> Iterator[Checkout]:
    """A checkout that talks to the hub of a house."""
    writer = IntakeWriter(shop.hub.url)
    resources = Resources(shop.hub.url, shop.hub.workspace.settings, writer)
    for part in (writer, resources):
        part.start()
    try:
        yield Checkout(shop, Caller(Api(resources)))
    finally:
        for part in (resources, writer):
            part.stop()
