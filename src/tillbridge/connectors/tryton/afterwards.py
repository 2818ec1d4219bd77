"""What is told of a sales order after it: its changes, its cancellation, its goods; and goods moved
inside the house.

Tryton 8.2 without its amendment module can neither change nor cancel a sale that is in process. So
a change is a further sale under the same number, whose origin is the first one, with what is wanted
more or less than Tryton holds by now: signed quantities. A cancellation takes back all it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tillbridge.atoms import money
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.documents import (
    IN_TRANSIT,
    GoodsDocument,
    SalesOrderCancelDocument,
    SalesOrderChangeDocument,
    StockMoveDocument,
)
from tillbridge.canonical.orders import OrderLine
from tillbridge.connectors.tryton import outbound
from tillbridge.connectors.tryton.dispatch import Dispatch
from tillbridge.connectors.tryton.drafting import (
    bodies,
    channel_of,
    drafted,
    problem_of,
    receipt_of,
)
from tillbridge.connectors.tryton.farside import Product, Setting, Warehouse
from tillbridge.connectors.tryton.goods_rows import delivery_row, internal_row, return_row
from tillbridge.connectors.tryton.kinds import (
    Found,
    InternalShipments,
    Returns,
    Sales,
    Shipments,
)
from tillbridge.connectors.tryton.lookups import HeldSale
from tillbridge.connectors.tryton.pricing import amount
from tillbridge.connectors.tryton.sending import Draft, Ending
from tillbridge.contract.promises import Assignment, Receipt

Change = SalesOrderChangeDocument | SalesOrderCancelDocument


class Afterwards(Dispatch):
    """Documents of one legal entity that follow a sales order, or that move its goods."""

    def changes(self, assignments: Sequence[Assignment]) -> list[Receipt]:
        """Changes or cancellations of sales orders of one channel."""
        documents: dict[str, Change] = {}
        for kind in (SalesOrderChangeDocument, SalesOrderCancelDocument):
            documents |= bodies(assignments, kind)
        shop = self._look.shop(channel_of(documents.values()))
        trade = self._trade(assignments, documents)
        orders = [document.order for document in documents.values()]
        held = self._look.held_sales(shop, orders, leaving_out=list(documents))
        theirs = self._theirs(held.values())
        sales = Sales(shop)
        found = sales.find(self._client, self._look.company, [*documents])
        there = {one.operation for one in found}
        endings: dict[str, Ending] = {}
        drafts: list[Draft] = []
        for operation, document in documents.items():
            try:
                sale = _sure(held, document.order)
                setting = _knowing(trade(document, shop=shop), theirs)
                lines = _differences(document, sale, setting)
                if operation in there:  # whatever followed it since, it stands as it was made
                    drafts.append(Draft(operation, {}))
                elif lines:
                    row = outbound.change_row(operation, document, lines, setting, sale.id)
                    total = amount(sum(line.net for line in lines), document.currency)
                    drafts.append(Draft(operation, row, total))
                else:  # lines are as they should be: the buyer or the address is another
                    endings[operation] = Found(
                        id=sale.id, operation=operation, state="processing", number=sale.number
                    )
            except Refused as refusal:
                endings[operation] = problem_of(refusal)
        self._keep_addresses(assignments, documents)
        unchanged = {op for op, ending in endings.items() if isinstance(ending, Found)}
        endings |= self._send(sales, drafts)
        return [_told(receipt_of(one, endings), unchanged) for one in assignments]

    def _theirs(self, held: Iterable[HeldSale]) -> dict[str, Product]:
        """Products of held lines that may be wanted no more, by their ids over there."""
        codes = {code for sale in held for code in sale.products.values()}
        found = self._look.products(codes)
        return {_held_name(product.id): product for product in found.values()}

    def deliveries(self, assignments: Sequence[Assignment]) -> list[Receipt]:
        """Goods that left, of one channel: shipments that are done, by lines of their sales."""
        documents: dict[str, GoodsDocument] = bodies(assignments, GoodsDocument)
        shop = self._look.shop(channel_of(documents.values()))
        trade = self._trade(assignments, documents)
        sale_lines = self._look.sale_lines(shop, [doc.order for doc in documents.values()])
        customer = self._look.customer_location()

        def draft(operation: str, document: GoodsDocument) -> Draft:
            if document.order not in sale_lines:
                words = f"its sales order {document.order} is not in Tryton yet"
                raise Refused(words, code="retry")
            lines = sale_lines[document.order]
            setting = trade(document, sale_lines=lines, customer_location=customer)
            row = delivery_row(operation, document.goods_date, document.lines, setting)
            return Draft(operation, row)

        drafts, endings = drafted(documents, draft)
        endings |= self._send(Shipments(), drafts)
        return [receipt_of(assignment, endings) for assignment in assignments]

    def returns(self, assignments: Sequence[Assignment]) -> list[Receipt]:
        """Goods that came back, of one channel: returns received and put away."""
        documents: dict[str, GoodsDocument] = bodies(assignments, GoodsDocument)
        trade = self._trade(assignments, documents)
        customer = self._look.customer_location()

        def draft(operation: str, document: GoodsDocument) -> Draft:
            setting = trade(document, customer_location=customer)
            return Draft(
                operation, return_row(operation, document.goods_date, document.lines, setting)
            )

        drafts, endings = drafted(documents, draft)
        endings |= self._send(Returns(), drafts)
        return [receipt_of(assignment, endings) for assignment in assignments]

    def stock_moves(self, assignments: Sequence[Assignment]) -> list[Receipt]:
        """Goods that changed place inside the house: internal shipments that are done."""
        documents: dict[str, StockMoveDocument] = bodies(assignments, StockMoveDocument)
        products = self._products(documents.values())
        warehouses = self._warehouses_of(
            end for doc in documents.values() for end in (doc.origin, doc.destination)
        )
        others = {
            "": self._look.location("location_lost_found"),
            IN_TRANSIT: self._look.location("location_transit"),
        }

        def draft(operation: str, document: StockMoveDocument) -> Draft:
            currency = document.currency or self._look.company_currency
            setting = self._setting(currency, products=products)
            ends = (
                _end(document.origin, warehouses, others),
                _end(document.destination, warehouses, others),
            )
            return Draft(operation, internal_row(operation, document, setting, ends))

        drafts, endings = drafted(documents, draft)
        endings |= self._send(InternalShipments(), drafts)
        return [receipt_of(assignment, endings) for assignment in assignments]

    def _keep_addresses(
        self, assignments: Sequence[Assignment], documents: Mapping[str, Change]
    ) -> None:
        """The buyer's address as it is told now, for all papers that follow."""
        for assignment in assignments:
            document = documents[assignment.document.id]
            details = assignment.parties.get(document.party)
            if details is not None and isinstance(document, SalesOrderChangeDocument):
                self._look.keep_address(self._party(document), details)


def _told(receipt: Receipt, unchanged: set[str]) -> Receipt:
    """A change that needed no sale of its own still has an id of its own."""
    if receipt.operation not in unchanged:
        return receipt
    return msgspec.structs.replace(receipt, remote_id=f"{receipt.remote_id}@{receipt.operation}")


def _sure(held: Mapping[str, HeldSale], order: str) -> HeldSale:
    found = held.get(order)
    if found is None:
        raise Refused(f"its sales order {order} is not in Tryton yet", code="retry")
    return found


def _end(place: str, warehouses: Mapping[str, Warehouse], others: Mapping[str, int]) -> int:
    if place in others:
        return others[place]
    if place not in warehouses:
        raise Refused(f"Tryton has no warehouse for location {place!r}", code="location_missing")
    return warehouses[place].storage


def _differences(document: Change, sale: HeldSale, setting: Setting) -> list[OrderLine]:
    """Signed lines that make what Tryton holds of the order what the document says."""
    wanted = document.lines if isinstance(document, SalesOrderChangeDocument) else ()
    left: dict[tuple[str, int], tuple[int, int]] = {
        line: (quantity, money.to_minor(total, document.currency))
        for line, (quantity, total) in sale.lines.items()
    }
    differences: list[OrderLine] = []
    for line in wanted:
        product = setting.product(line.product)
        key = (line.line, product.id if product else 0)
        quantity, net = left.pop(key, (0, 0))
        differences.append(_less(line, line.quantity - quantity, line.net - net))
    for (name, held_product), (quantity, net) in sorted(left.items()):
        gone = OrderLine(
            line=name,
            kind="goods" if held_product else "fee",
            product=_held_name(held_product) if held_product else "",
            quantity=0,
            list=0,
            title=sale.titles.get(name, name),
        )
        differences.append(_less(gone, -quantity, -net))
    return [line for line in differences if line.quantity or line.list]


def _held_name(product: int) -> str:
    """What a product over there is called here, whatever our code for it is."""
    return f"#{product}"


def _knowing(setting: Setting, theirs: Mapping[str, Product]) -> Setting:
    return msgspec.structs.replace(setting, products={**theirs, **setting.products})


def _less(line: OrderLine, quantity: int, net: int) -> OrderLine:
    title: dict[str, Any] = {"title": line.title or line.product or line.kind}
    return msgspec.structs.replace(line, quantity=quantity, list=net, discount=0, **title)
