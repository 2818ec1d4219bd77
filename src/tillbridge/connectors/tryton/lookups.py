"""Reads from Tryton what documents name: company, accounts, products, parties, shops, places.

One search per kind of name for a whole batch, never one per document. Nothing is kept between
batches, so a change over there is seen at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from tillbridge.atoms.errors import Refused
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.connectors.tryton.client import TrytonClient, TrytonRefused, company_context, shaped
from tillbridge.connectors.tryton.farside import Account, Buyer, Product, Warehouse
from tillbridge.connectors.tryton.outbound import party_row


class Lookups:
    """Look-ups inside one legal entity, through one session."""

    def __init__(self, client: TrytonClient, entity: str) -> None:
        """Finds the company whose party has the entity's code; Refused when there is none."""
        self.client = client
        found = client.search_read(
            "company.company", [["party.code", "=", entity]], ["currency.code"], limit=1
        )
        if not found:
            raise Refused(f"Tryton has no company with code {entity!r}", code="entity_missing")
        self.company = int(found[0]["id"])
        self.company_currency = str(found[0]["currency."]["code"])
        self._currencies: dict[str, int] = {}

    def currency(self, code: str) -> int:
        """Id of a currency; Refused when Tryton does not know it."""
        if not self._currencies:
            rows = self._read("currency.currency", [], ["code"])
            self._currencies = {row["code"]: row["id"] for row in rows}
        if code not in self._currencies:
            raise Refused(f"Tryton has no currency {code}", code="currency_missing")
        return self._currencies[code]

    def accounts(self) -> dict[str, Account]:
        """Every open account of the company by code."""
        domain = [["company", "=", self.company], ["type", "!=", None], ["closed", "=", False]]
        rows = self._read("account.account", domain, ["code", "type.revenue"], limit=10_000)
        return {
            row["code"]: Account(row["id"], bool(row["type."]["revenue"]))
            for row in rows
            if row["code"]
        }

    def receivable(self) -> int:
        """The account buyers owe on: the company's default, else the first of that type."""
        field = "default_account_receivable"
        kept = self._read("account.configuration", [], [field], limit=1)
        if kept and kept[0].get(field):
            return int(kept[0][field])
        domain = [["company", "=", self.company], ["type.receivable", "=", True]]
        return self._first(
            "account.account", [*domain, ["party_required", "=", True]], "account of receivables"
        )

    def journal(self, kind: str, code: str = "") -> int:
        """A journal by code, else the first of its type (`revenue`, `general`)."""
        domain = [["code", "=", code]] if code else [["type", "=", kind]]
        return self._first("account.journal", domain, f"journal {code or kind}")

    def period(self, day: date) -> int:
        """The open period of a day; Refused when the ERP keeps none open."""
        domain = [
            ["company", "=", self.company],
            ["type", "=", "standard"],
            ["state", "=", "open"],
            ["start_date", "<=", day],
            ["end_date", ">=", day],
        ]
        return self._first("account.period", domain, f"open period for {day}")

    def shop(self, channel: str) -> int:
        """The web shop of a channel, by name."""
        domain = [["company", "=", self.company], ["name", "=", channel]]
        return self._first("web.shop", domain, f"web shop {channel!r}")

    def customer_location(self) -> int:
        """Where goods go when they leave."""
        return self._first("stock.location", [["type", "=", "customer"]], "customer location")

    def warehouses(self) -> dict[str, Warehouse]:
        """Every warehouse by code; the first one also under ""."""
        fields = ["code", "output_location", "storage_location"]
        rows = self._read("stock.location", [["type", "=", "warehouse"]], fields)
        found = {
            row["code"] or str(row["id"]): Warehouse(
                row["id"], row["output_location"], row["storage_location"]
            )
            for row in sorted(rows, key=lambda row: int(row["id"]))
        }
        if found:
            found.setdefault("", next(iter(found.values())))
        return found

    def stock(self, warehouse: int, after: int, limit: int) -> list[tuple[int, str, Any]]:
        """(id, code, quantity) of goods on hand in a warehouse today, products
        behind an id, in order; those of which there is none too.
        """
        domain = [["type", "=", "goods"], ["code", "!=", None], ["id", ">", after]]
        fields = ["code", "quantity"]
        context = {"locations": [warehouse], "with_childs": True}
        rows = self.client.call(
            "model.product.product.search_read",
            domain,
            0,
            limit,
            [["id", "ASC"]],
            fields,
            context={**company_context(self.company), **context},
        )
        return [
            (row["id"], row["code"], row["quantity"]) for row in shaped(list[dict[str, Any]], rows)
        ]

    def products(self, codes: Iterable[str]) -> dict[str, Product]:
        """Products by code, with their unit."""
        wanted = sorted(set(codes))
        if not wanted:
            return {}
        fields = ["code", "default_uom.digits"]
        rows = self._read("product.product", [["code", "in", wanted]], fields)
        return {
            row["code"]: Product(
                row["id"], row["default_uom."]["id"], row["default_uom."]["digits"]
            )
            for row in rows
        }

    def create_products(self, titles: Mapping[str, str]) -> None:
        """Create products by code with a title, as goods sold by the piece."""
        if not titles:
            return
        unit = self.client.call("model.ir.model.data.get_id", "product", "uom_unit")
        category = self.client.search("product.category", [["accounting", "=", True]], limit=1)
        rows = [
            {
                "name": title or code,
                "type": "goods",
                "salable": True,
                "default_uom": unit,
                "sale_uom": unit,
                "account_category": category[0] if category else None,
                "products": [["create", [{"suffix_code": code}]]],
            }
            for code, title in titles.items()
        ]
        self.client.create("product.template", rows, company=self.company)

    def buyers(self, wanted: Mapping[str, PartyDetails | None]) -> dict[str, Buyer]:
        """Parties by code, made where they are missing. Party codes are unique over there, so a
        party somebody else made meanwhile is found on the second look.
        """
        found = self._parties(wanted)
        missing = [code for code in wanted if code not in found]
        if not missing:
            return found
        countries = self._countries(wanted)
        rows = [
            party_row(code, wanted[code], countries.get(_country(wanted[code]))) for code in missing
        ]
        try:
            self.client.create("party.party", rows, company=self.company)
        except TrytonRefused:
            self._create_singly(rows)
        return self._parties(wanted)

    def sale_lines(self, shop: int, operations: Iterable[str]) -> dict[str, dict[str, int]]:
        """Per operation of a sales order: our line id -> id of the sale's line."""
        wanted = sorted({operation for operation in operations if operation})
        if not wanted:
            return {}
        domain = [["sale.web_shop", "=", shop], ["sale.web_id", "in", wanted]]
        rows = self._read("sale.line", domain, ["note", "sale.web_id"], limit=10_000)
        lines: dict[str, dict[str, int]] = {}
        for row in rows:
            of_sale = lines.setdefault(row["sale."]["web_id"], {})
            if row["note"]:
                of_sale[row["note"]] = row["id"]
        return lines

    def _create_singly(self, rows: list[dict[str, Any]]) -> None:
        """One party after the other; one that is refused is left to its own document to report."""
        for row in rows:
            try:
                self.client.create("party.party", [row], company=self.company)
            except TrytonRefused:
                # Contact data Tryton does not believe (an invalid e-mail) is the usual reason.
                bare = row | {"contact_mechanisms": []}
                self._create_quietly(bare)

    def _create_quietly(self, row: dict[str, Any]) -> None:
        try:
            self.client.create("party.party", [row], company=self.company)
        except TrytonRefused:
            return  # somebody made it meanwhile, or its document says `party_missing`

    def _parties(self, codes: Iterable[str]) -> dict[str, Buyer]:
        wanted = sorted(codes)
        rows = self._read("party.party", [["code", "in", wanted]], ["code", "addresses"])
        return {
            row["code"]: Buyer(row["id"], row["addresses"][0]) for row in rows if row["addresses"]
        }

    def _countries(self, wanted: Mapping[str, PartyDetails | None]) -> dict[str, int]:
        codes = sorted({_country(details) for details in wanted.values()} - {""})
        if not codes:
            return {}
        rows = self._read("country.country", [["code", "in", codes]], ["code"])
        return {row["code"]: row["id"] for row in rows}

    def _first(self, model: str, domain: list[Any], what: str) -> int:
        found = self.client.search(model, domain, company=self.company, limit=1)
        if not found:
            raise Refused(f"Tryton has no {what} in this company", code="setup_missing")
        return found[0]

    def _read(
        self, model: str, domain: list[Any], fields: list[str], limit: int = 1000
    ) -> list[dict[str, Any]]:
        return self.client.search_read(model, domain, fields, company=self.company, limit=limit)


def _country(details: PartyDetails | None) -> str:
    return details.country.upper() if details else ""
