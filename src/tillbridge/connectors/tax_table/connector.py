"""The connector: signs Taxes. It calculates; it keeps nothing, so there is nothing to commit."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.taxes import LineTaxes, TaxDocument
from tillbridge.connectors.tax_table.calculation import taxes_of
from tillbridge.connectors.tax_table.config import TaxTableSettings
from tillbridge.contract.promises import Connection
from tillbridge.contract.taxes import TaxAnswer, TaxDirectory, TaxService
from tillbridge.contract.transport import Transport


class TaxTable:
    """The table as a tax service."""

    def __init__(self, settings: TaxTableSettings) -> None:
        self._settings = settings

    def calculate(self, document: TaxDocument, parties: Mapping[str, PartyDetails]) -> TaxAnswer:
        """Taxes at the rates of its tax_date."""
        del parties
        return TaxAnswer(lines=taxes_of(document, self._settings))

    def record(self, document: TaxDocument, parties: Mapping[str, PartyDetails]) -> TaxAnswer:
        """What was charged stays as it is; the table keeps nothing."""
        del parties
        return TaxAnswer(lines=tuple(LineTaxes(one.line, one.taxes) for one in document.items))

    commit = adjust = void = record


class TaxTableConnector:
    """A table of rates in the workspace."""

    name = "tax_table"
    config: type[msgspec.Struct] = TaxTableSettings

    def tax_service(
        self,
        connection: Connection,
        secrets: Mapping[str, str],
        directory: TaxDirectory,
        transport: Transport,
    ) -> TaxService:
        """The table of the connection's settings."""
        del secrets, directory, transport
        return TaxTable(connection.settings)
