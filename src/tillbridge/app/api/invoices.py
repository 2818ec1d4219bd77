"""Invoices and credit notes, and what buyers on account owe, over HTTP."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tillbridge.app.api.problems import refusal
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import Call
from tillbridge.atoms.errors import Refused
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.answers import Answer, answer
from tillbridge.watch import invoices
from tillbridge.watch.invoices import Invoice

PAGE_MOST = 250
_NONE = refusal("not-found", "There is no such invoice.")


class InvoiceQuery(msgspec.Struct, frozen=True):
    """Which papers. entity, order (its key), party: "" = whichever. open: only invoices with
    something left to pay.
    """

    entity: str = ""
    order: str = ""
    party: str = ""
    open: bool = False
    limit: Annotated[int, msgspec.Meta(ge=0)] = PAGE_MOST


class Invoices(msgspec.Struct, frozen=True):
    """Papers, the newest first; amounts in minor units."""

    invoices: list[Invoice]


def tell_invoices(_: Resources, connection: Connection, call: Call) -> Answer:
    """Invoices and credit notes of the operator's entities."""
    query: InvoiceQuery = call.query
    mine = (call.who.within(query.entity),) if query.entity else call.who.entities
    wanted = invoices.Wanted(
        entities=mine,
        open=query.open,
        order=query.order,
        party=query.party,
        limit=min(query.limit, PAGE_MOST),
    )
    told = Invoices(invoices.invoices(connection, wanted))
    return answer(200, msgspec.json.encode(told))


def tell_invoice(_: Resources, connection: Connection, call: Call) -> Answer:
    """One invoice or credit note, by key or number."""
    try:
        found = invoices.invoice(connection, call.path["invoice"], call.who.entities)
    except Refused:
        return _NONE
    return answer(200, msgspec.json.encode(found))
