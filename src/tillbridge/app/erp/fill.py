"""Fills an initialised Tryton through its JSON-RPC only: companies, charts, years, shops, products.

Runs once per cached database; one call per kind of thing where the API takes lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from tillbridge.app.erp.books import Books, LedgerAccount, LegalEntity
from tillbridge.app.erp.progress import Progress
from tillbridge.connectors.tryton.client import TrytonClient, company_context

INTEGRATION_USER = "tillbridge"
INTEGRATION_GROUPS = (
    ("account", "group_account"),
    ("account", "group_account_admin"),
    ("account_product", "group_account_product_admin"),
    ("party", "group_party_admin"),
    ("product", "group_product_admin"),
    ("sale", "group_sale"),
    ("sale", "group_sale_admin"),
    ("stock", "group_stock"),
    ("stock", "group_stock_admin"),
    ("stock", "group_stock_force_assignment"),
)
# What Tryton must know of an account type, by the kind of the hub's chart.
_TYPE_FLAGS: dict[str, dict[str, Any]] = {
    "asset": {"statement": "balance", "assets": True},
    "liability": {"statement": "balance", "assets": False},
    "equity": {"statement": "balance", "assets": False},
    "income": {"statement": "income", "revenue": True},
    "expense": {"statement": "income", "expense": True},
}


def fill(client: TrytonClient, books: Books, password: str, progress: Progress) -> None:
    """Write the books into a database that was just initialised; `client` is its administrator.

    password: of the integration user. Raises TrytonRefused, RetryLater.
    """
    filling = _Filling(client, books)
    steps: list[tuple[str, Callable[[], None]]] = [
        ("currencies", filling.currencies),
        ("companies", filling.companies),
        ("charts of accounts", filling.charts),
        ("accounts of the hub", filling.accounts),
        ("fiscal years", filling.fiscal_years),
        ("products", filling.products),
        ("warehouses", filling.places),
        ("web shops", filling.shops),
        ("integration user", lambda: filling.integration_user(password)),
    ]
    for number, (name, step) in enumerate(steps):
        progress(f"filling the ERP: {name}", number, len(steps))
        step()
    progress("filling the ERP", len(steps), len(steps))


class _Filling:
    """One run; keeps the ids that later steps need."""

    def __init__(self, client: TrytonClient, books: Books) -> None:
        self._client = client
        self._books = books
        self._currency: dict[str, int] = {}
        self._company: dict[str, int] = {}
        self._account: dict[tuple[str, str], int] = {}

    def currencies(self) -> None:
        """Every currency with one rate from the beginning of the first year."""
        rates = dict(self._books.rates)
        start = date(self._books.years.start, 1, 1)
        codes = self._books.currencies
        rows = [
            {
                "name": code,
                "symbol": code,
                "code": code,
                "rates": [["create", [{"date": start, "rate": Decimal(rates.get(code, "1"))}]]],
            }
            for code in codes
        ]
        self._currency = dict(
            zip(codes, self._client.create("currency.currency", rows), strict=True)
        )

    def companies(self) -> None:
        """A party and a company per entity; the administrator works in all of them."""
        entities = self._books.entities
        parties = self._client.create(
            "party.party",
            [{"name": e.name, "code": e.code, "addresses": [["create", [{}]]]} for e in entities],
        )
        rows = [
            {"party": party, "currency": self._currency[entity.currency]}
            for party, entity in zip(parties, entities, strict=True)
        ]
        ids = self._client.create("company.company", rows)
        self._company = {entity.code: ref for entity, ref in zip(entities, ids, strict=True)}
        admin = self._client.search("res.user", [["login", "=", "admin"]])
        self._client.call(
            "model.res.user.write",
            admin,
            {"companies": [["add", ids]], "company": ids[0], "company_filter": "all"},
        )
        self._client.login()

    def charts(self) -> None:
        """The small English chart from its template, through the wizard a person would use."""
        template = self._xml_id("account", "account_template_root_en")
        for entity in self._books.entities:
            self._chart(entity, template)

    def accounts(self) -> None:
        """Accounts the hub's journals name, in every entity, under types of their kind."""
        wanted = self._books.accounts
        for entity in self._books.entities:
            company = self._company[entity.code]
            root, chart = self._roots(company)
            types = self._types(wanted, company, root)
            rows = [
                {
                    "code": account.code,
                    "name": account.title,
                    "type": types[account.kind],
                    "parent": chart,
                    "company": company,
                }
                for account in wanted
            ]
            self._client.create("account.account", rows, company=company)

    def fiscal_years(self) -> None:
        """A fiscal year per calendar year with twelve periods, sequences for moves and invoices."""
        for entity in self._books.entities:
            for year in self._books.years:
                self._fiscal_year(entity, year)

    def products(self) -> None:
        """Products by code, goods or services, sold by the piece, in one account category."""
        category = self._category()
        unit = self._xml_id("product", "uom_unit")
        rows = [
            {
                "name": item.title or item.product,
                "type": "goods" if item.goods else "service",
                "salable": True,
                "default_uom": unit,
                "sale_uom": unit,
                "account_category": category,
                "products": [["create", [{"suffix_code": item.product}]]],
            }
            for item in self._books.items
        ]
        if rows:
            self._client.create("product.template", rows)

    def places(self) -> None:
        """A warehouse with its zones per place, by code."""
        for place in self._books.places:
            zones = self._client.create(
                "stock.location",
                [
                    {"name": f"{place.title} {zone}", "type": "storage"}
                    for zone in ("input", "output", "storage")
                ],
            )
            self._client.create(
                "stock.location",
                [
                    {
                        "name": place.title,
                        "code": place.location,
                        "type": "warehouse",
                        "input_location": zones[0],
                        "output_location": zones[1],
                        "storage_location": zones[2],
                    }
                ],
            )

    def shops(self) -> None:
        """A web shop per channel: its sales are unique by (shop, web id)."""
        for entity in self._books.entities:
            rows = [
                {
                    "name": shop.channel,
                    "company": self._company[shop.entity],
                    "currency": self._currency[shop.currency],
                }
                for shop in self._books.shops
                if shop.entity == entity.code
            ]
            if rows:
                self._client.create("web.shop", rows, company=self._company[entity.code])

    def integration_user(self, password: str) -> None:
        """The user the hub works as: sells, ships, invoices and posts in every entity."""
        groups = [self._xml_id(module, name) for module, name in INTEGRATION_GROUPS]
        companies = list(self._company.values())
        self._client.create(
            "res.user",
            [
                {
                    "name": "Tillbridge",
                    "login": INTEGRATION_USER,
                    "password": password,
                    "groups": [["add", groups]],
                    "companies": [["add", companies]],
                    "company": companies[0],
                    "company_filter": "all",
                }
            ],
        )

    def _category(self) -> int:
        """The account category all products share: revenue per entity, no taxes of the ERP's own.

        A product without one cannot stand on an invoice, although the hub names every account.
        """
        ref = 0
        for entity in self._books.entities:
            company = self._company[entity.code]
            revenue = self._revenue(company)
            if not ref:
                row = {"name": "Hub goods", "accounting": True, "account_revenue": revenue}
                (ref,) = self._client.create("product.category", [row], company=company)
            else:
                context = company_context(company)
                change = {"account_revenue": revenue}
                self._client.call("model.product.category.write", [ref], change, context=context)
        return ref

    def _revenue(self, company: int) -> int:
        """First revenue account of the hub in a company, else of the chart."""
        domain = [["company", "=", company], ["type.revenue", "=", True]]
        own = [account.code for account in self._books.accounts if account.kind == "income"]
        found = self._client.search(
            "account.account", [*domain, ["code", "in", own]], company=company, limit=1
        )
        return (found or self._client.search("account.account", domain, company=company, limit=1))[
            0
        ]

    def _chart(self, entity: LegalEntity, template: int) -> None:
        company = self._company[entity.code]
        context = company_context(company)
        session, _, _ = self._client.call("wizard.account.create_chart.create", context=context)
        chosen = {"account": {"company": company, "account_template": template}}
        run = "wizard.account.create_chart.execute"
        self._client.call(run, session, chosen, "create_account", context=context)
        party_accounts = {
            "company": company,
            "account_receivable": self._flagged("receivable", company),
            "account_payable": self._flagged("payable", company),
        }
        chosen["properties"] = party_accounts
        self._client.call(run, session, chosen, "create_properties", context=context)
        self._client.call("wizard.account.create_chart.delete", session, context=context)

    def _flagged(self, flag: str, company: int) -> int:
        """First account of the chart whose type carries a flag (receivable, payable)."""
        domain = [
            ["company", "=", company],
            [f"type.{flag}", "=", True],
            ["party_required", "=", True],
        ]
        return self._client.search("account.account", domain, company=company, limit=1)[0]

    def _roots(self, company: int) -> tuple[int, int]:
        """Root of the account types and root of the chart of a company."""
        own = [["company", "=", company], ["parent", "=", None]]
        root = self._client.search("account.account.type", own, company=company, limit=1)[0]
        chart = self._client.search("account.account", own, company=company, limit=1)[0]
        return root, chart

    def _types(self, accounts: Sequence[LedgerAccount], company: int, root: int) -> dict[str, int]:
        """A type per kind in use, so that the hub's accounts stand together on every statement."""
        kinds = sorted({account.kind for account in accounts})
        rows = [{"name": f"Hub {kind}", "company": company, **_TYPE_FLAGS[kind]} for kind in kinds]
        ids = self._client.create("account.account.type", rows, company=company)
        return dict(zip(kinds, ids, strict=True))

    def _fiscal_year(self, entity: LegalEntity, year: int) -> None:
        company = self._company[entity.code]
        name = f"{entity.code} {year}"
        moves, invoices, notes = self._client.create(
            "ir.sequence.strict",
            [
                self._sequence(
                    f"{name} moves", "account", "sequence_type_account_move", company, f"M{year}-"
                ),
                self._sequence(
                    f"{name} invoices",
                    "account_invoice",
                    "sequence_type_account_invoice",
                    company,
                    f"INV{year}-",
                ),
                self._sequence(
                    f"{name} credit notes",
                    "account_invoice",
                    "sequence_type_account_invoice",
                    company,
                    f"CN{year}-",
                ),
            ],
            company=company,
        )
        used = {
            "company": company,
            "out_invoice_sequence": invoices,
            "in_invoice_sequence": invoices,
            "out_credit_note_sequence": notes,
            "in_credit_note_sequence": notes,
        }
        years = self._client.create(
            "account.fiscalyear",
            [
                {
                    "name": name,
                    "company": company,
                    "start_date": date(year, 1, 1),
                    "end_date": date(year, 12, 31),
                    "move_sequence": moves,
                    "invoice_sequences": [["create", [used]]],
                }
            ],
            company=company,
        )
        self._client.press("account.fiscalyear", "create_period", years, company=company)

    def _sequence(
        self, name: str, module: str, kind: str, company: int, prefix: str
    ) -> Mapping[str, Any]:
        return {
            "name": name,
            "sequence_type": self._xml_id(module, kind),
            "company": company,
            "prefix": prefix,
        }

    def _xml_id(self, module: str, name: str) -> int:
        """Database id of a record the modules ship, by its name there."""
        return int(self._client.call("model.ir.model.data.get_id", module, name))
