"""Goods in Tryton's records: deliveries, customer returns, internal shipments. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from tillbridge.atoms.errors import Refused
from tillbridge.canonical.documents import GoodsLine, StockMoveDocument
from tillbridge.connectors.tryton.farside import Setting
from tillbridge.connectors.tryton.pricing import Priced, priced

Row = dict[str, Any]


def delivery_row(reference: str, day: date, lines: Sequence[GoodsLine], setting: Setting) -> Row:
    """Goods leaving their warehouse for the buyer; each move says which line of the sale it is."""
    buyer, warehouse = setting.sure_buyer(), setting.sure_warehouse()
    moves = []
    for line in lines:
        origin = setting.sale_lines.get(line.line)
        moves.append(
            _move(line, day, setting, (warehouse.output, setting.customer_location))
            | ({"origin": f"sale.line,{origin}"} if origin else {})
        )
    return {
        "company": setting.company,
        "reference": reference,
        "customer": buyer.id,
        "delivery_address": buyer.address,
        "warehouse": warehouse.id,
        "warehouse_output": warehouse.output,
        "warehouse_storage": warehouse.storage,
        "planned_date": day,
        "effective_date": day,
        "outgoing_moves": [["create", moves]],
    }


def return_row(reference: str, day: date, lines: Sequence[GoodsLine], setting: Setting) -> Row:
    """Goods of the buyer coming back into a warehouse.

    Their moves name no line of the sale: Tryton would count them as shipped once more.
    """
    buyer, warehouse = setting.sure_buyer(), setting.sure_warehouse()
    ends = (setting.customer_location, warehouse.input)
    return {
        "company": setting.company,
        "reference": reference,
        "customer": buyer.id,
        "contact_address": buyer.address,
        "warehouse": warehouse.id,
        "warehouse_input": warehouse.input,
        "warehouse_storage": warehouse.storage,
        "planned_date": day,
        "effective_date": day,
        "incoming_moves": [["create", [_move(line, day, setting, ends) for line in lines]]],
    }


def internal_row(
    reference: str, document: StockMoveDocument, setting: Setting, ends: tuple[int, int]
) -> Row:
    """Goods going from one storage location to another; ends: their ids."""
    day = document.goods_date
    moves = []
    for line in document.lines:
        move = _move(line, day, setting, ends)
        del move["unit_price"], move["currency"]  # nothing is sold or bought
        moves.append(move)
    return {
        "company": setting.company,
        "reference": reference,
        "from_location": ends[0],
        "to_location": ends[1],
        "planned_date": day,
        "planned_start_date": day,
        "effective_start_date": day,
        "effective_date": day,
        "moves": [["create", moves]],
    }


def _move(line: GoodsLine, day: date, setting: Setting, ends: tuple[int, int]) -> Row:
    product = setting.product(line.product)
    if product is None:
        raise Refused(f"line {line.line} names no product")
    if line.unit not in ("", "EA"):
        raise Refused(f"{line.product}: it is told in {line.unit}, Tryton keeps it in its own unit")
    made: Priced = priced(line.quantity, line.net, setting.code, product.digits)
    if not made.whole:
        raise Refused(f"{line.product}: {made.text}is finer than its unit in Tryton allows")
    return {
        "company": setting.company,
        "product": product.id,
        "unit": product.unit,
        "quantity": made.quantity,
        "from_location": ends[0],
        "to_location": ends[1],
        "unit_price": made.price,
        "currency": setting.currency,
        "planned_date": day,
        "effective_date": day,
    }
