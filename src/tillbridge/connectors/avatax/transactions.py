"""AvaTax as a tax service: what stands there is looked up before anything is put there."""

from __future__ import annotations

from collections.abc import Mapping

from tillbridge.atoms.errors import Refused
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.taxes import LineTaxes, TaxDocument
from tillbridge.connectors.avatax.client import AvataxClient
from tillbridge.connectors.avatax.config import AvataxSettings
from tillbridge.connectors.avatax.outbound import code_of, kind_of, model_of, signed, taxes_of
from tillbridge.connectors.avatax.wire import CANCELLED, COMMITTED, SAVED, Transaction
from tillbridge.contract.taxes import TaxAnswer, TaxDirectory

Parties = Mapping[str, PartyDetails]


class AvataxService:
    """One company of one account."""

    def __init__(
        self,
        client: AvataxClient,
        settings: AvataxSettings,
        directory: TaxDirectory,
        connection: str,
    ) -> None:
        self._client = client
        self._settings = settings
        self._directory = directory
        self._connection = connection

    def calculate(self, document: TaxDocument, parties: Parties) -> TaxAnswer:
        """An estimate, or a kept and uncommitted document where it is to be recorded."""
        model = model_of(
            document, self._settings, self._directory, parties, charged=False, commit=False
        )
        if not document.recorded:
            found = self._client.estimate(model)
        else:
            there = self._find(document)
            if there is not None and there.status == SAVED and _net(there, document):
                found = there
            else:
                found = self._client.put(model)
        return self._answer(found, document)

    def record(self, document: TaxDocument, parties: Parties) -> TaxAnswer:
        """Kept and committed in one call, with the taxes that were charged."""
        there = self._find(document)
        if there is not None and there.status == COMMITTED and _same(there, document):
            return self._charged(there, document)
        model = model_of(
            document, self._settings, self._directory, parties, charged=True, commit=True
        )
        return self._charged(self._client.put(model), document)

    adjust = record

    def commit(self, document: TaxDocument, parties: Parties) -> TaxAnswer:
        """Commit what was calculated; anything else that stands there is replaced."""
        there = self._find(document)
        if there is not None and there.status == SAVED and _same(there, document):
            return self._charged(
                self._client.commit(code_of(document), kind_of(document)), document
            )
        return self.record(document, parties)

    def void(self, document: TaxDocument, parties: Parties) -> TaxAnswer:
        """Taken back; what is not there or gone already needs no call."""
        del parties
        there = self._find(document)
        if there is None or there.status == CANCELLED:
            return TaxAnswer(remote_id=f"{there.id}" if there else "")
        gone = self._client.void(code_of(document), kind_of(document))
        return TaxAnswer(remote_id=str(gone.id), number=gone.code)

    def _find(self, document: TaxDocument) -> Transaction | None:
        return self._client.find(code_of(document), kind_of(document))

    def _answer(self, found: Transaction, document: TaxDocument) -> TaxAnswer:
        lines = taxes_of(found, document, self._directory, self._connection)
        remote_id = f"{found.id}" if found.id else ""
        return TaxAnswer(lines=lines, remote_id=remote_id, number=found.code if found.id else "")

    @staticmethod
    def _charged(found: Transaction, document: TaxDocument) -> TaxAnswer:
        """What was charged is what counts; over there it has to be the same."""
        if found.status != COMMITTED:
            raise Refused(f"AvaTax left {found.code} {found.status}", code="status")
        if not _same(found, document):
            raise Refused(
                f"AvaTax keeps {found.code} with {found.total_amount} and tax {found.total_tax}, "
                f"charged were {signed(document, _untaxed(document))} and tax "
                f"{signed(document, document.tax)}",
                code="amounts",
            )
        lines = tuple(LineTaxes(item.line, item.taxes) for item in document.items)
        return TaxAnswer(lines=lines, remote_id=str(found.id), number=found.code)


def _untaxed(document: TaxDocument) -> int:
    """What the document's items are without tax, as far as their taxes are named."""
    inside = sum(tax.amount for item in document.items if item.inclusive for tax in item.taxes)
    return document.amount - inside


def _net(there: Transaction, document: TaxDocument) -> bool:
    """Whether what stands there is of the same lines; taxes inside amounts are not compared."""
    inclusive = any(item.inclusive for item in document.items)
    told = signed(document, document.amount)
    kept = there.total_amount + there.total_tax if inclusive else there.total_amount
    return kept == told and len(there.lines or ()) == len(document.items)


def _same(there: Transaction, document: TaxDocument) -> bool:
    """Whether what stands there has these amounts and taxes."""
    net = there.total_amount == signed(document, _untaxed(document))
    return net and there.total_tax == signed(document, document.tax)
