"""Reads from Tryton what documents name: company, accounts, products, parties, shops, places.

One search per kind of name for a whole batch, never one per document. Nothing is kept between
batches, so a change over there is seen at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.quantity import SCALE
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.connectors.tryton.client import TrytonClient, TrytonRefused, company_context, shaped
from tillbridge.connectors.tryton.farside import Account, Buyer, Product, Warehouse
from tillbridge.connectors.tryton.outbound import REST, party_row


class HeldSale(msgspec.Struct):
    """What the sales of one order sum to: (our line, product id) -> thousandths and amount.

    id, number: of the first one. products: codes over there; titles: by our line.
    """

    id: int
    number: str
    lines: dict[tuple[str, int], tuple[int, Decimal]] = {}
    products: dict[int, str] = {}
    titles: dict[str, str] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Sum up a line; a rounding line counts as the amount of its own line."""
        note, product = str(row["note"] or ""), int(row["product"] or 0)
        line = note.removesuffix(REST)
        if not line:
            return
        rest = line != note
        if product:
            self.products[product] = str(row["product."]["code"] or "")
        elif rest:
            product = next((one for name, one in self.lines if name == line), 0)
        if not rest:
            self.titles.setdefault(line, str(row["description"] or line))
        quantity, total = self.lines.get((line, product), (0, Decimal(0)))
        more = 0 if rest else round(Decimal(row["quantity"] or 0) * SCALE)
        self.lines[line, product] = (quantity + more, total + (row["amount"] or Decimal(0)))


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
        fields = ["code", "output_location", "storage_location", "input_location"]
        rows = self._read("stock.location", [["type", "=", "warehouse"]], fields)
        found = {
            row["code"] or str(row["id"]): Warehouse(
                row["id"], row["output_location"], row["storage_location"], row["input_location"]
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
        """Per operation of a sales order: our line id -> id of the line that sells it, in the sale
        or in one that changed it.
        """
        sales = self._sales_of(shop, operations)
        rows = self._read(
            "sale.line", [["sale", "in", sorted(sales)]], ["note", "sale", "quantity"], 10_000
        )
        lines: dict[str, dict[str, int]] = {operation: {} for operation in sales.values()}
        for row in sorted(rows, key=lambda row: int(row["id"])):
            if row["note"] and (row["quantity"] or 0) > 0:
                lines[sales[row["sale"]]].setdefault(row["note"], row["id"])
        return lines

    def held_sales(
        self, shop: int, operations: Iterable[str], *, leaving_out: Sequence[str] = ()
    ) -> dict[str, HeldSale]:
        """Per operation of a sales order: what all its sales over there sum to by now, without
        those made for the operations that are left out.
        """
        sales = self._sales_of(shop, operations, leaving_out)
        heads = self._read("sale.sale", [["id", "in", sorted(sales)]], ["web_id", "number"])
        fields = ["note", "sale", "quantity", "amount", "product", "product.code", "description"]
        rows = self._read("sale.line", [["sale", "in", sorted(sales)]], fields, 10_000)
        held: dict[str, HeldSale] = {
            row["web_id"]: HeldSale(row["id"], row["number"] or "")
            for row in heads
            if row["web_id"] in sales.values()
        }
        for row in rows:
            held[sales[row["sale"]]].add(row)
        return held

    def _sales_of(
        self, shop: int, operations: Iterable[str], leaving_out: Sequence[str] = ()
    ) -> dict[int, str]:
        """Ids of sales orders and of the sales that changed them -> the order's operation."""
        wanted = sorted({operation for operation in operations if operation})
        if not wanted:
            return {}
        rows = self._read(
            "sale.sale", [["web_shop", "=", shop], ["web_id", "in", wanted]], ["web_id"]
        )
        first = {int(row["id"]): str(row["web_id"]) for row in rows}
        changes = self._read(
            "sale.sale",
            [
                ["origin", "in", [f"sale.sale,{number}" for number in first]],
                ["web_id", "not in", list(leaving_out)],
                ["state", "!=", "cancelled"],
            ],
            ["origin"],
        )
        return first | {
            int(row["id"]): first[int(str(row["origin"]).rpartition(",")[2])] for row in changes
        }

    def location(self, name: str) -> int:
        """Id of a location Tryton itself brings, by its name in the module stock."""
        return int(self.client.call("model.ir.model.data.get_id", "stock", name))

    def keep_address(self, party: str, details: PartyDetails) -> None:
        """Write the address of a party where it is told otherwise now."""
        (row,) = self._read("party.party", [["code", "=", party]], ["addresses"]) or ({},)
        if not row.get("addresses"):
            return
        country = self._countries({party: details}).get(_country(details))
        wanted = party_row(party, details, country)["addresses"][0][1][0]
        (known,) = self._read("party.address", [["id", "=", row["addresses"][0]]], [*wanted]) or (
            {},
        )
        if any((known.get(name) or "") != (value or "") for name, value in wanted.items()):
            self.client.call(
                "model.party.address.write",
                [row["addresses"][0]],
                wanted,
                context=company_context(self.company),
            )

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
