"""What came back of an order, from all its tellings. Pure.

Goods are counted as returned up to what left of their line and no further; what is told beyond
waits until its shipment is told. A receipt says where goods came in and in which condition they
are; a refund that restocks tells of the same goods, so it counts for what no receipt told. A till
that paid the buyer booked its goods itself: here they count as returned and nothing is moved.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from tillbridge.canonical.orders import Order, OrderLine
from tillbridge.canonical.returns import (
    GoodsReturned,
    ReturnAuthorized,
    ReturnCancelled,
    ReturnedLine,
    ReturnInspected,
    ReturnTold,
)
from tillbridge.canonical.sales import SaleLine
from tillbridge.canonical.stock import SELLABLE
from tillbridge.orchestration.orders.return_state import (
    Authorization,
    Inspection,
    Receipt,
    Return,
)
from tillbridge.orchestration.orders.state import OrderState, shipped
from tillbridge.orchestration.orders.substitution import ORDERED, Plan, by_product

QUARANTINE, DAMAGED, WRITE_OFF = "quarantine", "damaged", "write_off"
_CONDITIONS = {"": QUARANTINE, "restock": SELLABLE, "damaged": DAMAGED, "write_off": QUARANTINE}
Returns = dict[str, Return]
Left = dict[str, Plan]
"""What left and did not come back yet, by line and product."""


class Piece(msgspec.Struct):
    """Goods of one line that came in at a location. disposition: "" = nobody looked yet."""

    return_id: str
    line: str
    product: str
    location: str
    quantity: int
    disposition: str = ""

    @property
    def condition(self) -> str:
        """The condition they are in."""
        return _CONDITIONS[self.disposition]


class AtTill(msgspec.Struct, frozen=True):
    """Goods of one line that a till took back and paid for: `quantity` thousandths of the order's
    line, after `before` thousandths of the same line of the till's receipt (`rung`, None where it
    was not told). sent: the substitute that it left as, "" = as ordered.
    """

    return_id: str
    index: int
    line: str
    quantity: int
    before: int
    rung: SaleLine | None
    entity: str
    currency: str
    location: str
    sent: str = ""

    def share(self, amount: int) -> int:
        """Its part of an amount of the till's line, positive; the last part takes the rest."""
        rung = self.rung
        whole = abs(rung.quantity) if rung is not None else 0
        return _cumulative(-amount, self.before + self.quantity, whole) - _cumulative(
            -amount, self.before, whole
        )

    @property
    def gross(self) -> int:
        """What the till paid for it, minor units with tax."""
        rung = self.rung
        if rung is None:
            return 0
        return (
            self.share(rung.list)
            - self.share(rung.discount)
            + sum(self.share(tax.amount) for tax in rung.taxes)
        )


class CameBack(msgspec.Struct):
    """What counts as returned. lines: thousandths by line. pieces: what came in where. at_tills:
    what tills took back. restocked: what refunds restock besides, (line, product, location) ->
    thousandths. beyond: thousandths that receipts tell and that never left, by line or product.
    """

    lines: dict[str, int]
    pieces: list[Piece]
    at_tills: list[AtTill]
    restocked: dict[tuple[str, str, str], int]
    beyond: dict[str, int]


def fold_return(returns: Returns, body: ReturnTold) -> bool:
    """Merge a telling into the returns of a key (changed in place); False when it tells nothing
    new.
    """
    known = returns.get(body.return_id, Return())
    match body:
        case ReturnAuthorized():
            told = Authorization(body.version, body.lines, body.until, body.location)
            if known.authorized is not None and _rank(told) <= _rank(known.authorized):
                return False
            found = msgspec.structs.replace(known, authorized=told)
        case ReturnCancelled():
            if body.version <= known.cancelled:
                return False
            found = msgspec.structs.replace(known, cancelled=body.version)
        case GoodsReturned():
            receipt = Receipt(
                body.version,
                body.location,
                body.lines,
                body.refunded_by,
                body.entities.selling,
                body.rung,
                body.currency,
            )
            before = known.receipts.get(body.receipt)
            if before is not None and _rank(receipt) <= _rank(before):
                return False
            found = msgspec.structs.replace(
                known, receipts={**known.receipts, body.receipt: receipt}
            )
        case ReturnInspected():
            seen = Inspection(body.version, body.lines, body.location)
            last = known.inspections.get(body.inspection)
            if last is not None and _rank(seen) <= _rank(last):
                return False
            found = msgspec.structs.replace(
                known, inspections={**known.inspections, body.inspection: seen}
            )
        case _:
            return False
    returns[body.return_id] = found
    return True


def _rank(told: Authorization | Receipt | Inspection) -> tuple[str, bytes]:
    """Newest version first; at the same one bytes decide, so that arrival never does."""
    return told.version, msgspec.json.encode(told)


def came_back(state: OrderState) -> CameBack:
    """Read all tellings once."""
    found = CameBack({}, [], [], {}, {})
    order = state.order
    if order is None or not (state.returns or state.refunds):
        return found
    left: Left = {line: {ORDERED: much} for line, much in shipped(state).items()}
    left |= by_product(state, order) if state.shipments else {}
    goods = {line.line: line for line in order.lines if line.kind == "goods"}
    for return_id in sorted(state.returns):
        one = state.returns[return_id]
        for number in sorted(one.receipts):
            _received(found, return_id, one.receipts[number], goods, left)
        _inspected(found.pieces, return_id, one)
    _restocked(state, found, goods, left)
    return found


def _received(
    found: CameBack,
    return_id: str,
    receipt: Receipt,
    goods: dict[str, OrderLine],
    left: Left,
) -> None:
    for index, told in enumerate(receipt.lines):
        rest = told.quantity
        for name, sent in _lines_of(told, goods, left):
            part = min(rest, left[name][sent])
            if part <= 0:
                continue
            if receipt.refunded_by:
                rung = receipt.rung[index] if index < len(receipt.rung) else None
                before = told.quantity - rest
                about = (receipt.entity, receipt.currency, receipt.location, sent)
                found.at_tills.append(AtTill(return_id, index, name, part, before, rung, *about))
            else:
                product = sent or goods[name].product
                piece = Piece(return_id, name, product, receipt.location, part, told.disposition)
                found.pieces.append(piece)
            left[name][sent] -= part
            found.lines[name] = found.lines.get(name, 0) + part
            rest -= part
        if rest > 0:
            name = told.line or told.product
            found.beyond[name] = found.beyond.get(name, 0) + rest


def _lines_of(
    told: ReturnedLine, goods: dict[str, OrderLine], left: Left
) -> Iterator[tuple[str, str]]:
    """The order's lines that a telling may mean, and as what they left: ORDERED or a substitute.

    A line that is named is meant whatever left for it, first what is told as its product.
    """
    if told.line:
        line = goods.get(told.line)
        for sent in _sent_as(left.get(told.line, {}), told.product) if line is not None else ():
            yield told.line, sent
        return
    for name, line in goods.items():
        if name in left:
            sent = ORDERED if line.product == told.product else told.product
            if sent in left[name]:
                yield name, sent


def _sent_as(plan: Plan, product: str) -> list[str]:
    """What left for a line, a product that is named first, then what was ordered."""
    return sorted(plan, key=lambda sent: (sent != product, sent))


def _inspected(pieces: list[Piece], return_id: str, one: Return) -> None:
    """Give what was received its disposition; what was looked at and never came in waits."""
    for number in sorted(one.inspections):
        seen = one.inspections[number]
        for told in seen.lines:
            rest = told.quantity
            for piece in [p for p in pieces if _means(told, seen.location, p, return_id)]:
                part = min(rest, piece.quantity)
                if part <= 0:
                    break
                rest -= part
                if part < piece.quantity:
                    piece.quantity -= part
                    piece = msgspec.structs.replace(piece, quantity=part)  # noqa: PLW2901
                    pieces.append(piece)
                piece.disposition = told.disposition


def _means(told: ReturnedLine, location: str, piece: Piece, return_id: str) -> bool:
    named = piece.line == told.line if told.line else piece.product == told.product
    here = location in ("", piece.location)
    return named and here and piece.return_id == return_id and not piece.disposition


def _restocked(state: OrderState, found: CameBack, goods: dict[str, OrderLine], left: Left) -> None:
    """What refunds restock beyond what receipts told of the same lines."""
    received: dict[str, int] = {}
    for piece in found.pieces:
        received[piece.line] = received.get(piece.line, 0) + piece.quantity
    for number in sorted(state.refunds):
        for told in state.refunds[number].lines:
            if told.restock != "return" or told.line not in goods:
                continue
            known = min(told.quantity, received.get(told.line, 0))
            if known:
                received[told.line] -= known
            rest = told.quantity - known
            for sent in _sent_as(left.get(told.line, {}), ORDERED):
                part = min(rest, left[told.line][sent])
                if part <= 0:
                    continue
                rest -= part
                left[told.line][sent] -= part
                found.lines[told.line] = found.lines.get(told.line, 0) + part
                place = (told.line, sent or goods[told.line].product, told.location)
                found.restocked[place] = found.restocked.get(place, 0) + part


def paid_at_tills(found: CameBack, order: Order) -> int:
    """Minor units that tills paid back for goods of an order, as far as in its currency."""
    return sum(one.gross for one in found.at_tills if one.currency == order.currency)


def is_owed(one: AtTill, state: OrderState, order: Order) -> bool:
    """Whether a store of another entity paid for the seller, in the order's currency."""
    own = one.entity in ("", state.entities.selling)
    return one.rung is not None and one.currency == order.currency and not own


def _cumulative(amount: int, quantity: int, of: int) -> int:
    if of == 0 or quantity >= of:
        return amount
    share = abs(amount) * quantity // of
    return share if amount >= 0 else -share
