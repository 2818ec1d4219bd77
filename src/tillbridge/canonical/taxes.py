"""Tax that has to be asked for, and what is told to a tax service: papers, commands, answers.

A channel's tax is kept as given. A tax service is asked only where a source names no tax, and told
of what was earned and taken back where we, and no marketplace, owe the tax.
"""

from __future__ import annotations

from datetime import date

import msgspec

from tillbridge.canonical.fact import Command, Fact
from tillbridge.canonical.orders import Place, TaxLine

CALCULATE, RECORD, COMMIT = "tax_calculate", "tax_record", "tax_commit"
ADJUST, VOID = "tax_adjust", "tax_void"
TAX_KINDS = (CALCULATE, RECORD, COMMIT, ADJUST, VOID)
"""What is asked of a tax service with one document: work the tax out; keep and commit it with the
tax it names; commit what was worked out; put other content in its place; take it back.
"""
DIRECTIONS = ("sale", "return")
GOALS = ("calculated", "committed", "voided")


class TaxItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a tax document: minor units in the direction of the document (a return's are
    positive too), negative only against it; thousandths.

    category: our department, for the tax code of the thing. inclusive: amount holds its tax.
    taxes: what was charged or given back; () where it is to be worked out.
    """

    line: str
    kind: str
    product: str
    quantity: int
    amount: int
    category: str = ""
    inclusive: bool = False
    taxes: tuple[TaxLine, ...] = ()


class TaxDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a tax service is told. code: its identity over there, for ever. number: the order people
    know. document_date: when it counts; tax_date: whose rates hold (a return: those of its sale).
    recorded: whether the service keeps it (we owe the tax) or only works it out.
    """

    code: str
    number: str
    channel: str
    currency: str
    direction: str
    document_date: date
    tax_date: date
    items: tuple[TaxItem, ...]
    recorded: bool = False
    party: str = ""
    location: str = ""
    ship_to: Place = Place()

    @property
    def amount(self) -> int:
        """Sum of the items as told, minor units."""
        return sum(item.amount for item in self.items)

    @property
    def tax(self) -> int:
        """Sum of the taxes named, minor units."""
        return sum(tax.amount for item in self.items for tax in item.taxes)


class LineTaxes(msgspec.Struct, frozen=True, omit_defaults=True):
    """The taxes a service gives one line of a document."""

    line: str
    taxes: tuple[TaxLine, ...] = ()


class TaxAsked(Command, frozen=True, kw_only=True, omit_defaults=True):
    """An order wants a tax document brought to a goal (GOALS); key is the document's own.

    order: key of the order. subject: what of it (`order`, `refund-7`, `sale-1`). digest: content of
    what it is about, given back with the answer. service: connection of the tax service.
    """

    order: str
    subject: str
    digest: str
    goal: str
    service: str
    entity: str
    document: TaxDocument


class TaxCalculated(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A tax service worked out the tax of a subject of an order."""

    document: str
    subject: str
    digest: str
    currency: str
    lines: tuple[LineTaxes, ...]


class TaxRefused(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A tax service will not work out the tax of a subject; words are its own."""

    document: str
    subject: str
    digest: str
    words: str
