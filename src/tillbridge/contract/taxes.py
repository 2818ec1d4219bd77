"""The port of tax services: what a table of rates and an outside engine both do for the hub.

A service works tax out (`calculate`), keeps what was charged (`record`), makes it count
(`commit`), puts other content in its place (`adjust`) and takes it back (`void`). All of them
are asked by the code of the document, and asked again they change nothing: whoever calls looks up
what stands there first. A service that only calculates answers the others without doing anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.taxes import LineTaxes, TaxDocument


class TaxDirectory(Protocol):
    """Names of one tax service: ours to theirs, and theirs to ours."""

    def theirs(self, table: str, ours: str) -> str | None:
        """Their name for ours, or None when there is no cross-reference."""

    def ours(self, table: str, theirs: str) -> str | None:
        """Our name for theirs, or None when there is no cross-reference."""


class TaxAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a service says of a document. lines: taxes in the document's direction, in its order.

    remote_id: its own id of this version ("" = it keeps none). number: what its users call it.
    """

    lines: tuple[LineTaxes, ...] = ()
    remote_id: str = ""
    number: str = ""


class TaxService(Protocol):
    """One tax service as one document at a time sees it. parties: for the address of the buyer.

    Every method raises RetryLater, Refused, or NeedsDecision (something has no name).
    """

    def calculate(self, document: TaxDocument, parties: Mapping[str, PartyDetails]) -> TaxAnswer:
        """Taxes of every item at the rates of its tax_date; a recorded document is kept over there,
        not yet committed.
        """

    def record(self, document: TaxDocument, parties: Mapping[str, PartyDetails]) -> TaxAnswer:
        """Keep and commit the document with the taxes it names."""

    def commit(self, document: TaxDocument, parties: Mapping[str, PartyDetails]) -> TaxAnswer:
        """Commit what was calculated."""

    def adjust(self, document: TaxDocument, parties: Mapping[str, PartyDetails]) -> TaxAnswer:
        """Put this content in the place of what is kept, and commit it."""

    def void(self, document: TaxDocument, parties: Mapping[str, PartyDetails]) -> TaxAnswer:
        """Take the document back."""
