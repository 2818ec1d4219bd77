"""The documents of the AvaTax simulator and the rules they are kept by, after the vendor's pages.

Known by company, code and type. Estimates (`SalesOrder`, `ReturnOrder`, and whatever has no type)
are worked out and kept nowhere. A kept document is Saved, then Committed; a committed one is
replaced by createoradjust only, and by nothing once it is locked (reported on a filing). Stricter
than the vendor: a ReturnInvoice has to be negative and to say the day of its sale, so that a
test sees when it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

import msgspec

CODE_MOST = 50
CENT = Decimal("0.01")
KEPT = ("SalesInvoice", "ReturnInvoice")
ESTIMATES = ("SalesOrder", "ReturnOrder")
EXEMPT = "NT"
_PAGES = "http://developer.avalara.com/avatax/errors"


class AvataxError(Exception):
    """An answer that is no success, in the vendor's form. number: of its list of errors."""

    def __init__(self, status: int, code: str, number: int, message: str, told: str = "") -> None:
        super().__init__(message)
        self.status = status
        detail = {
            "code": code,
            "number": number,
            "message": message,
            "description": told,
            "faultCode": "Client",
            "helpLink": f"{_PAGES}/{code}",
            "severity": "Error",
        }
        self.body = {
            "error": {"code": code, "message": message, "target": "Unknown", "details": [detail]}
        }


class Rate(msgspec.Struct, frozen=True):
    """A tax of a region from a day on; rate as a fraction of one."""

    country: str
    region: str
    name: str
    juris_name: str
    juris_type: str
    rate: Decimal
    begins: date = date(2000, 1, 1)


class Override(msgspec.Struct, frozen=True, rename="camel"):
    """Another day's rates, or the tax that was charged."""

    type: Literal["TaxDate", "TaxAmount", "None"]
    reason: str
    tax_date: date | None = None
    tax_amount: Decimal | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A line as it comes in."""

    amount: Decimal
    number: str = ""
    quantity: Decimal = Decimal(1)
    tax_code: str = ""
    item_code: str = ""
    tax_included: bool = False
    tax_override: Override | None = None


class Address(msgspec.Struct, frozen=True, rename="camel"):
    """A place."""

    country: str = ""
    region: str = ""
    postal_code: str = ""
    city: str = ""
    line1: str = ""


class Incoming(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """CreateTransactionModel; fields the rules need."""

    company_code: str = ""
    date: date
    customer_code: str = ""
    lines: tuple[Line, ...] = ()
    addresses: dict[str, Address] = {}
    type: str = "SalesOrder"
    code: str = ""
    commit: bool = False
    currency_code: str = "USD"
    tax_override: Override | None = None


class Kept(msgspec.Struct):
    """A document as it stands in the books. history: how often it was put there."""

    id: int
    model: Incoming
    lines: list[dict[str, Any]]
    status: str = "Saved"
    locked: bool = False
    history: int = 1

    @property
    def tax(self) -> Decimal:
        """Its whole tax."""
        return sum((line["tax"] for line in self.lines), Decimal(0))

    @property
    def amount(self) -> Decimal:
        """Its whole amount without tax."""
        return sum((line["lineAmount"] for line in self.lines), Decimal(0))

    def shown(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "id": self.id,
            "code": self.model.code,
            "date": self.model.date,
            "type": self.model.type,
            "status": self.status,
            "currencyCode": self.model.currency_code,
            "totalAmount": self.amount,
            "totalTax": self.tax,
            "locked": self.locked,
            "version": self.history,
            "lines": self.lines,
        }


class AvataxBooks:
    """The documents of one account."""

    def __init__(self, company: str, rates: Sequence[Rate]) -> None:
        self._company = company
        self.rates = list(rates)
        self.kept: dict[tuple[str, str], Kept] = {}
        self._numbers = 0

    def create(self, model: Incoming) -> dict[str, Any]:
        """transactions/create: an estimate, or a new or still uncommitted document."""
        examined = self._examined(model)
        if model.type in ESTIMATES:
            return Kept(0, model, examined, status="Temporary").shown()
        there = self.kept.get((model.code, model.type))
        if there is not None and there.status not in ("Saved", "Posted"):
            raise AvataxError(
                400, "GetTaxError", 300, "DocStatus is invalid for this operation.",
                "Expected Saved|Posted",
            )  # fmt: skip
        return self._put(model, examined, there)

    def create_or_adjust(self, model: Incoming) -> dict[str, Any]:
        """transactions/createoradjust: the document of this code from now on."""
        examined = self._examined(model)
        if model.type in ESTIMATES:
            return Kept(0, model, examined, status="Temporary").shown()
        there = self.kept.get((model.code, model.type))
        if there is not None:
            self._changeable(there)
        return self._put(model, examined, there)

    def find(self, code: str, kind: str) -> Kept:
        """The document of a code and type."""
        if kind in ESTIMATES:
            raise AvataxError(
                400, "InvalidDocumentTypesToFetch", 315, "Temporary documents cannot be fetched."
            )
        there = self.kept.get((code, kind))
        if there is None:
            raise AvataxError(
                404, "EntityNotFoundError", 4, "Entity not found", f"{kind} {code} does not exist"
            )
        return there

    def commit(self, code: str, kind: str) -> dict[str, Any]:
        """Make it count. A second commit is an error, as the status is no longer right for it."""
        there = self.find(code, kind)
        if there.status not in ("Saved", "Posted"):
            raise AvataxError(
                400, "DocStatusError", 300, "DocStatus is invalid for this operation.",
                f"Expected Saved|Posted, found {there.status}",
            )  # fmt: skip
        there.status = "Committed"
        return there.shown()

    def void(self, code: str, kind: str) -> dict[str, Any]:
        """Take it back, before it was filed."""
        there = self.find(code, kind)
        if there.status == "Cancelled":
            raise AvataxError(400, "TransactionAlreadyCancelled", 198, "Already cancelled")
        self._changeable(there)
        there.status = "Cancelled"
        return there.shown()

    def _changeable(self, there: Kept) -> None:
        if there.locked:
            raise AvataxError(
                400, "CannotModifyLockedTransaction", 1100,
                "A locked transaction may not be modified.", there.model.code,
            )  # fmt: skip

    def _put(
        self, model: Incoming, lines: list[dict[str, Any]], there: Kept | None
    ) -> dict[str, Any]:
        self._numbers += 1
        status = "Committed" if model.commit else "Saved"
        history = 1 if there is None else there.history + 1
        kept = Kept(self._numbers, model, lines, status=status, history=history)
        self.kept[(model.code, model.type)] = kept
        return kept.shown()

    def _examined(self, model: Incoming) -> list[dict[str, Any]]:
        """Lines with their taxes; raises AvataxError for what the vendor would not take."""
        if model.type not in (*KEPT, *ESTIMATES):
            raise AvataxError(400, "InvalidEnumValue", 164, "type", model.type)
        if model.company_code != self._company:
            raise AvataxError(404, "EntityNotFoundError", 4, "Company not found")
        if not model.customer_code:
            raise AvataxError(400, "ValueRequiredError", 5, "customerCode is required")
        if not model.lines:
            raise AvataxError(400, "MissingLine", 311, "A transaction has at least one line")
        if len(model.code) > CODE_MOST or any(len(line.number) > CODE_MOST for line in model.lines):
            raise AvataxError(400, "MaxStringLengthError", 14, "A code has at most 50 characters")
        if model.type in KEPT and not model.code:
            raise AvataxError(400, "ValueRequiredError", 5, "code is required here")
        self._as_a_return(model)
        day = model.date
        if model.tax_override is not None and model.tax_override.type == "TaxDate":
            day = model.tax_override.tax_date or day
        rates = self._rates(_place(model), day)
        return [_taxed(line, rates) for line in model.lines]

    def _as_a_return(self, model: Incoming) -> None:
        if model.type not in ("ReturnInvoice", "ReturnOrder"):
            return
        if sum((line.amount for line in model.lines), Decimal(0)) > 0:
            raise AvataxError(400, "GetTaxError", 300, "A return has negative amounts")
        override = model.tax_override
        if override is None or override.type != "TaxDate" or override.tax_date is None:
            raise AvataxError(
                400, "GetTaxError", 300, "A return says the day of its sale (taxDate)"
            )

    def _rates(self, place: Address, day: date) -> list[Rate]:
        """The newest rate of each tax of a place; no rate: the company has no nexus there."""
        newest: dict[str, Rate] = {}
        for rate in self.rates:
            if (rate.country, rate.region) == (place.country, place.region) and rate.begins <= day:
                known = newest.get(rate.name)
                if known is None or known.begins < rate.begins:
                    newest[rate.name] = rate
        return [newest[name] for name in sorted(newest)]


def _place(model: Incoming) -> Address:
    """Where the goods go."""
    place = model.addresses.get("shipTo") or model.addresses.get("singleLocation")
    origin = model.addresses.get("shipFrom") or model.addresses.get("singleLocation")
    if place is None or origin is None or not place.country or not origin.country:
        raise AvataxError(400, "MissingAddress", 304, "Origin and destination are required")
    if place.country == "US" and not (place.postal_code or place.region):
        raise AvataxError(400, "InvalidAddress", 309, "The address is incomplete")
    return place


def _taxed(line: Line, rates: Sequence[Rate]) -> dict[str, Any]:
    """A line with its taxes, each rounded by itself; a tax that was charged is shared by rate."""
    held = [] if line.tax_code == EXEMPT else list(rates)
    whole = sum((rate.rate for rate in held), Decimal(0))
    net = line.amount
    if line.tax_included and whole:
        net = (line.amount / (1 + whole)).quantize(CENT, ROUND_HALF_UP)
    taxes = [(net * rate.rate).quantize(CENT, ROUND_HALF_UP) for rate in held]
    override = line.tax_override
    charged = override is not None and override.type == "TaxAmount"
    if override is not None and charged:
        told = override.tax_amount or Decimal(0)
        if not held and told:
            held = [Rate("", "", "TAX", "", "State", Decimal(0))]
            whole = Decimal(0)
        share = [(told * r.rate / whole).quantize(CENT) if whole else told for r in held]
        taxes = [*share[:-1], told - sum(share[:-1], Decimal(0))] if share else []
        if line.tax_included:
            net = line.amount - told
    elif line.tax_included and taxes:
        taxes[-1] += line.amount - net - sum(taxes, Decimal(0))
    return {
        "lineNumber": line.number,
        "lineAmount": net,
        "tax": sum(taxes, Decimal(0)),
        "taxIncluded": line.tax_included,
        "itemCode": line.item_code,
        "taxCode": line.tax_code,
        "details": [
            {
                "taxName": rate.name,
                "jurisName": rate.juris_name,
                "jurisType": rate.juris_type,
                "rate": rate.rate,
                "tax": tax,
                "taxableAmount": net,
            }
            for rate, tax in zip(held, taxes, strict=True)
        ],
    }
