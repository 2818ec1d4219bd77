"""One entity's share of a batch: look names up, make rows, send them, tell how each ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tillbridge.atoms import money
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.canonical.documents import (
    CreditNoteDocument,
    GoodsDocument,
    InvoiceDocument,
    JournalDocument,
    SalesOrderCancelDocument,
    SalesOrderDocument,
    StockMoveDocument,
)
from tillbridge.canonical.orders import LINE_KINDS
from tillbridge.connectors.tryton import outbound
from tillbridge.connectors.tryton.clearing import Clearing
from tillbridge.connectors.tryton.client import TrytonClient
from tillbridge.connectors.tryton.config import TrytonSettings
from tillbridge.connectors.tryton.drafting import (
    bodies,
    channel_of,
    drafted,
    problem_of,
    receipt_of,
)
from tillbridge.connectors.tryton.farside import Account, Buyer, Product, Setting, Warehouse
from tillbridge.connectors.tryton.kinds import Found, Invoices, Moves, Sales, Shipments
from tillbridge.connectors.tryton.lookups import Lookups
from tillbridge.connectors.tryton.pricing import amount
from tillbridge.connectors.tryton.sending import Draft, Ending, Problem, Sender
from tillbridge.contract.promises import Assignment, Directory, Receipt

Traded = (
    SalesOrderDocument
    | SalesOrderCancelDocument
    | InvoiceDocument
    | CreditNoteDocument
    | GoodsDocument
)
Charge = InvoiceDocument | CreditNoteDocument


class Dispatch:
    """Documents of one legal entity. Each method takes documents of one channel and kind."""

    def __init__(
        self, client: TrytonClient, settings: TrytonSettings, directory: Directory, entity: str
    ) -> None:
        """Raises Refused when Tryton has no such company."""
        self._client = client
        self._settings = settings
        self._directory = directory
        self._look = Lookups(client, entity)

    def sales(self, assignments: Sequence[Assignment]) -> list[Receipt]:
        """Sales orders of one channel, through their workflow to `processing`."""
        documents = bodies(assignments, SalesOrderDocument)
        shop = self._look.shop(channel_of(documents.values()))
        trade = self._trade(assignments, documents)
        drafts, endings = drafted(
            documents,
            lambda operation, document: Draft(
                operation,
                outbound.sale_row(operation, document, trade(document, shop=shop)),
                amount(sum(line.net for line in document.lines), document.currency),
            ),
        )
        endings |= self._send(Sales(shop), drafts)
        return [receipt_of(assignment, endings) for assignment in assignments]

    def charges(self, assignments: Sequence[Assignment]) -> list[Receipt]:
        """Invoices or credit notes of one channel, posted; with their goods where that is set."""
        documents: dict[str, Charge] = {}
        for kind in (InvoiceDocument, CreditNoteDocument):
            documents |= bodies(assignments, kind)
        shop = self._look.shop(channel_of(documents.values()))
        trade = self._trade(assignments, documents)
        sale_lines = self._look.sale_lines(shop, [doc.order for doc in documents.values()])
        accounts = {kind: self._settings.line_account(kind) for kind in LINE_KINDS}
        template = self._settings.tax_account
        known = self._accounts(_charge_accounts(documents.values(), accounts, template))
        common = {
            "accounts": known,
            "journal": self._look.journal("revenue"),
            "receivable": self._look.receivable(),
        }

        def setting(document: Charge) -> Setting:
            if document.order and document.order not in sale_lines:
                words = f"its sales order {document.order} is not in Tryton yet"
                raise Refused(words, code="retry")
            return trade(document, sale_lines=sale_lines.get(document.order, {}), **common)

        shipping = {op: doc for op, doc in documents.items() if getattr(doc, "moves_goods", False)}
        endings = self._ship(shipping, setting) if self._settings.ship_with_invoice else {}
        drafts, refused = drafted(
            {operation: doc for operation, doc in documents.items() if operation not in endings},
            lambda operation, document: Draft(
                operation,
                outbound.invoice_row(operation, document, setting(document), accounts, template),
                _signed_total(document),
            ),
        )
        endings |= refused | self._send(Invoices(), drafts)
        try:
            booked = self._booked(endings)
            endings |= self._paid(endings, documents, known)
        except RetryLater as later:
            raise RetryLater(later.words, unknown=True) from None  # they stand there, posted
        return [receipt_of(assignment, endings, booked) for assignment in assignments]

    def journals(self, assignments: Sequence[Assignment]) -> list[Receipt]:
        """Ledger moves in the entity's functional currency, posted."""
        documents = bodies(assignments, JournalDocument)
        names = {line.account for doc in documents.values() for line in doc.lines}
        accounts = self._accounts(names)
        journal = self._look.journal("general", self._settings.journal)
        periods: dict[Any, int] = {}

        def draft(operation: str, document: JournalDocument) -> Draft:
            if document.currency != self._look.company_currency:
                raise Refused(
                    f"the journal is in {document.currency}, "
                    f"the company keeps its books in {self._look.company_currency}"
                )
            day = document.journal_date
            if day not in periods:
                periods[day] = self._look.period(day)
            setting = self._setting(
                document.currency, accounts=accounts, journal=journal, period=periods[day]
            )
            return Draft(operation, outbound.move_row(operation, document, setting))

        drafts, endings = drafted(documents, draft)
        endings |= self._send(Moves(), drafts)
        return [receipt_of(assignment, endings, move_kind=True) for assignment in assignments]

    def _ship(
        self, documents: Mapping[str, Charge], setting: Callable[[Charge], Setting]
    ) -> dict[str, Ending]:
        """Ship the goods of invoices; gives the endings of those that may not go on."""
        customer = self._look.customer_location()
        drafts: list[Draft] = []
        stopped: dict[str, Ending] = {}
        for operation, document in documents.items():
            if not isinstance(document, InvoiceDocument):
                continue
            try:
                place = _with_customer(setting(document), customer)
                row = outbound.shipment_row(operation, document, place)
            except Refused as refusal:
                stopped[operation] = problem_of(refusal)
                continue
            if row is not None:
                drafts.append(Draft(outbound.goods_key(operation), row))
        sent = self._send(Shipments(), drafts)
        for operation in documents:
            ending = sent.get(outbound.goods_key(operation))
            if isinstance(ending, Problem):
                words = f"its goods: {ending.words}"
                stopped[operation] = Problem(ending.outcome, words, ending.after_seconds)
        return stopped

    def _trade(
        self, assignments: Sequence[Assignment], documents: Mapping[str, Traded]
    ) -> Callable[..., Setting]:
        """What all trade documents need, looked up once: buyers, products, warehouses."""
        buyers = self._buyers(assignments, documents)
        products = self._products(documents.values())
        warehouses = self._warehouses(documents.values())

        def setting(document: Traded, **more: Any) -> Setting:
            return self._setting(
                document.currency,
                buyer=buyers.get(self._party(document)),
                warehouse=warehouses.get(document.location),
                products=products,
                **more,
            )

        return setting

    def _setting(self, currency: str, **more: Any) -> Setting:
        return Setting(
            company=self._look.company,
            currency=self._look.currency(currency),
            code=currency,
            **more,
        )

    def _party(self, document: Traded) -> str:
        """Code of the buyer's party, or of the one all buyers of a channel share."""
        named = self._settings.named_buyers and document.party
        return named or f"channel-{document.channel}"

    def _buyers(
        self, assignments: Sequence[Assignment], documents: Mapping[str, Traded]
    ) -> dict[str, Buyer]:
        details = {
            party: known
            for assignment in assignments
            for party, known in assignment.parties.items()
        }
        wanted = {self._party(document) for document in documents.values()}
        return self._look.buyers({code: details.get(code) for code in sorted(wanted)})

    def _products(self, documents: Iterable[Traded | StockMoveDocument]) -> dict[str, Product]:
        titles = {
            line.product: line.title
            for document in documents
            for line in getattr(document, "lines", ())
            if line.product
        }
        theirs = {ours: self._directory.theirs("product", ours) or ours for ours in titles}
        found = self._look.products(theirs.values())
        if self._settings.create_products:
            missing = {code: titles[ours] for ours, code in theirs.items() if code not in found}
            self._look.create_products(missing)
            found |= self._look.products(missing)
        return {ours: found[code] for ours, code in theirs.items() if code in found}

    def _warehouses(self, documents: Iterable[Traded]) -> dict[str, Warehouse]:
        return self._warehouses_of(document.location for document in documents)

    def _warehouses_of(self, locations: Iterable[str]) -> dict[str, Warehouse]:
        """Warehouses by our location code; "" is the one of the settings."""
        known = self._look.warehouses()
        default = known.get(self._settings.warehouse)
        found: dict[str, Warehouse] = {}
        for location in set(locations):
            code = self._directory.theirs("location", location) or location
            warehouse = known.get(code) if location else default
            if warehouse:
                found[location] = warehouse
        return found

    def _accounts(self, names: Iterable[str]) -> dict[str, Account]:
        """Accounts by our name, for the names and all their prefixes."""
        known = self._look.accounts()
        found: dict[str, Account] = {}
        for name in names:
            parts = name.split("/")
            for length in range(1, len(parts) + 1):
                ours = "/".join(parts[:length])
                code = self._directory.theirs("account", ours) or ours
                if code in known:
                    found[ours] = known[code]
        return found

    def _send(self, kind: Any, drafts: Sequence[Draft]) -> dict[str, Ending]:
        return Sender(self._client, self._look.company, kind).send(drafts)

    def _paid(
        self,
        endings: Mapping[str, Ending],
        documents: Mapping[str, Charge],
        accounts: Mapping[str, Account],
    ) -> dict[str, Ending]:
        """Pay booked documents from where buyers' money stands; gives those that were not."""
        place = Setting(company=self._look.company, currency=0, code="", accounts=accounts)
        paid_from = {
            operation: place.account(document.paid_from).id
            for operation, document in documents.items()
            if document.paid_from and isinstance(endings.get(operation), Found)
        }
        if not paid_from:
            return {}
        journal = self._look.journal("general", self._settings.journal)
        return {**Clearing(self._client, self._look, journal).pay(endings, paid_from)}

    def _booked(self, endings: Mapping[str, Ending]) -> dict[int, int]:
        """Per ledger move of a posted invoice: what it put on the buyer's account, minor units."""
        moves = [end.move for end in endings.values() if isinstance(end, Found) and end.move]
        if not moves:
            return {}
        rows = self._client.search_read(
            "account.move.line",
            [["move", "in", moves], ["account.type.receivable", "=", True]],
            ["move", "debit", "credit"],
            company=self._look.company,
            limit=10_000,
        )
        booked = dict.fromkeys(moves, 0)
        for row in rows:
            minor = money.to_minor(row["debit"] - row["credit"], self._look.company_currency)
            booked[row["move"]] += minor
        return booked


def _charge_accounts(
    documents: Collection[Charge], accounts: Mapping[str, str], template: str
) -> set[str]:
    taxes = {
        template.format(jurisdiction=jurisdiction)
        for document in documents
        for line in document.lines
        for jurisdiction, _ in line.taxes
    }
    paid_from = {document.paid_from for document in documents} - {""}
    return {*accounts.values(), *taxes, *paid_from}


def _signed_total(document: Charge) -> Any:
    sign = -1 if isinstance(document, CreditNoteDocument) else 1
    return amount(sign * document.total, document.currency)


def _with_customer(setting: Setting, customer: int) -> Setting:
    return msgspec.structs.replace(setting, customer_location=customer)
