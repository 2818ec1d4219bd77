"""`POST /v1/returns/authorizations`: what of a sale may come back, asked before anybody is paid.

The sale is found by order or receipt number, whatever channel sold it. With `commit` what may come
back is authorised: the fact goes to the log in the transaction of the stored answer. Above the
limits of the policy it is a proposal that a second person decides.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from psycopg import errors

from tillbridge.app.api import stored_answers
from tillbridge.app.api.problems import refusal
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.return_answers import (
    ReturnAsked,
    ReturnLineTold,
    ReturnTold,
    State,
    TenderTold,
)
from tillbridge.app.api.routes import Call
from tillbridge.app.api.stored_answers import Stored, told_again
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import key_of, lane_of
from tillbridge.atoms.money import MoneyError, to_minor, to_text
from tillbridge.atoms.quantity import SCALE, to_thousandths
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.registry import decode
from tillbridge.canonical.returns import ReturnAuthorized, ReturnedLine
from tillbridge.canonical.returns import ReturnTold as Telling
from tillbridge.canonical.sales import SaleRung
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.inbox.answers import Answer, answer
from tillbridge.orchestration.orders.refunding import allocated, rank_of, refundable
from tillbridge.orchestration.orders.returnable import (
    Judged,
    Sold,
    amount_back,
    judged,
    sold_by_order,
    sold_by_till,
    until_of,
)
from tillbridge.orchestration.orders.returns import fold_return
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.sales.state import SaleReturns
from tillbridge.orchestration.terms import OrderTerms, needs_person
from tillbridge.triage.approvals import Wish, propose

QUERIES = load("tillbridge.app.api", "returns.sql", "order", "sale", "told", "alone")
ACTION = "returns.authorize"
_ID_BYTES = 6


class Sale(msgspec.Struct, frozen=True):
    """A sale of any kind as far as returns need it. remains: tender -> (kind, minor units), in the
    order in which they are paid back. rounding: what lines and total differ by, minor units.
    """

    key: str
    number: str
    currency: str
    entity: str
    lines: list[Sold]
    remains: dict[str, tuple[str, int]]
    terms: OrderTerms
    until: date | None
    rounding: int = 0


def authorize(resources: Resources, connection: Connection, call: Call) -> Answer:
    """Look at a return, or authorise it."""
    asked: ReturnAsked = call.body
    if unknown := resources.unknown_place([asked.location]):
        return refusal("location-unknown", f"There is no location {unknown}.", location=unknown)
    identity = (call.who.name, call.key)
    known = stored_answers.find(connection, [identity]).get(identity)
    if known is not None:
        return told_again(known, call.asked)
    if asked.commit and not asked.lines:
        return refusal("request-invalid", "Say which lines come back.")
    try:
        sale = _found(resources, connection, asked)
        told = _told(resources, connection, call, sale)
    except Refused as problem:
        return refusal("not-found" if problem.code == "nothing" else "refused", problem.words)
    except MoneyError as problem:
        return refusal("request-invalid", str(problem))
    body = msgspec.json.encode(told[0])
    try:
        now = resources.clock.now()
        mine = Stored(call.who.name, call.key, call.asked, 200, body)
        stored_answers.keep(connection, [mine], now.date())
        log.append_and_commit(connection, [_record(fact, call) for fact in told[1]])
    except errors.UniqueViolation:  # the same request was answered beside this one
        connection.rollback()
        again = stored_answers.find(connection, [identity]).get(identity)
        return (
            refusal("store-away", "Ask again.") if again is None else told_again(again, call.asked)
        )
    return answer(200, body)


def _found(resources: Resources, connection: Connection, asked: ReturnAsked) -> Sale:
    """The sale that goods are brought back of. Raises Refused."""
    if asked.order and asked.receipt:
        raise Refused("Name the order or the receipt, not both.")
    if not asked.order and not asked.receipt:
        return _without_receipt(resources, asked)
    text = asked.order or asked.receipt
    query = QUERIES.order if asked.order else QUERIES.sale
    rows = connection.execute(query, {"text": text, "channel": asked.channel}).fetchall()
    if not rows:
        raise Refused(f"The hub knows no sale {text}.", code="nothing")
    if len(rows) > 1:
        raise Refused(f"Several sales are called {text}; name the channel or the key.")
    key = rows[0][0]
    if asked.commit:
        connection.execute(QUERIES.alone, (key,))
    return (_of_order if asked.order else _of_till)(resources, connection, *rows[0])


def _of_order(resources: Resources, connection: Connection, key: str, body: bytes) -> Sale:
    state = msgspec.json.decode(body, type=OrderState)
    order, entity = state.order, state.entities.selling
    if order is None or order.test:
        raise Refused("The order was not told yet.", code="nothing")
    state.returns = dict(state.returns)
    _fold(connection, key, state.returns)
    terms = resources.policies.terms(order, entity)
    rank = rank_of(terms.refund_order, resources.policies.kind_of)
    left = refundable(state, rank)
    kinds = resources.policies.kind_of
    return Sale(
        key,
        order.number,
        order.currency,
        entity,
        sold_by_order(state, order),
        {tender: (kinds(tender), left[tender]) for tender in sorted(left, key=rank)},
        terms,
        until_of(terms, order.placed_at.date(), state),
        abs(sum(line.gross for line in order.lines if line.kind == "rounding")),
    )


def _of_till(
    resources: Resources,
    connection: Connection,
    key: str,
    voided: bool,  # noqa: FBT001 - a row of the query
    returns: bytes | None,
    version: int,
    body: bytes,
) -> Sale:
    sale = decode("SaleRung", version, body)
    if not isinstance(sale, SaleRung):
        raise TypeError(f"{key} is no sale")
    kept = SaleReturns() if returns is None else msgspec.json.decode(returns, type=SaleReturns)
    back = dict(kept.back)
    _fold(connection, key, back)
    terms = resources.terms_of(sale.channel, sale.entities.selling, sale.business_date)
    kinds = {one.tender: one.kind for one in sale.tenders}
    rank = rank_of(terms.refund_order, lambda tender: kinds[tender])
    paid: dict[str, int] = {}
    for one in sale.tenders:
        paid[one.tender] = paid.get(one.tender, 0) + one.amount
    lines = sold_by_till(sale, back, voided=voided)
    given = allocated(sum(line.given for line in lines), paid, rank)
    remains = {
        tender: (kinds[tender], paid[tender] - given.get(tender, 0))
        for tender in sorted(paid, key=rank)
        if paid[tender] > given.get(tender, 0)
    }
    number = sale.receipt or sale.sequence
    entity, until = sale.entities.selling, until_of(terms, sale.business_date)
    rounding = abs(sum(paid.values()) - sale.total)
    return Sale(key, number, sale.currency, entity, lines, remains, terms, until, rounding)


def _without_receipt(resources: Resources, asked: ReturnAsked) -> Sale:
    """Goods nobody can say were sold: refused, or taken for store credit, as the policy says."""
    place, entity, currency = resources.till_of(asked.location)
    terms = resources.terms_of(place, entity, resources.clock.now().date())
    if terms.return_without_receipt == "refuse":
        raise Refused("Without a receipt nothing is taken back.")
    lines = []
    for number, line in enumerate(asked.lines, 1):
        if not line.product or not line.price:
            raise MoneyError("Without a receipt each line tells product and price.")
        quantity = _thousandths(line.quantity)
        gross = to_minor(line.price, currency) * quantity // SCALE
        lines.append(Sold(line.line or str(number), line.product, "", quantity, quantity, gross))
    total = sum(line.gross for line in lines)
    remains = {"store-credit": ("store_credit", total)} if total else {}
    return Sale("", "", currency, entity, lines, remains, terms, None)


def _fold(connection: Connection, key: str, returns: dict[str, Any]) -> None:
    for version, name, body in connection.execute(QUERIES.told, (key,)).fetchall():
        found = decode(name, version, bytes(body))
        if isinstance(found, Telling):
            fold_return(returns, found)


def _told(
    resources: Resources, connection: Connection, call: Call, sale: Sale
) -> tuple[ReturnTold, list[ReturnAuthorized]]:
    """The answer, and the fact that is stored with it."""
    asked: ReturnAsked = call.body
    now = resources.clock.now()
    found = judged(sale.lines, _wanted(asked, sale), sale.until, now.date())
    wrong = [one for one in found if one.quantity and one.why]
    amount = amount_back(found, sum(left for _, left in sale.remains.values()), sale.rounding)
    needs = any(
        needs_person(limits, amount, sale.currency)
        for limits in (sale.terms.return_approval, sale.terms.refund_approval)
    )
    state: State = "refused" if wrong else "allowed"
    number, proposal = "", None
    facts: list[ReturnAuthorized] = []
    if asked.commit and not wrong:
        number = f"H{resources.ids.random_hex(_ID_BYTES)}"
        fact = _fact(call, sale, found, number, now)
        if needs:
            wish = Wish(
                ACTION,
                number,
                {"fact": msgspec.to_builtins(fact)},
                asked.reason or f"a return of {to_text(amount, sale.currency)} {sale.currency}",
                sale.entity,
                amount,
            )
            proposal, state = propose(connection, call.who, wish), "approval"
        else:
            facts, state = [fact], "authorized"
    detail = "; ".join(f"line {one.sold.line}: {one.why}" for one in wrong)
    shares = allocated(
        amount, {name: left for name, (_, left) in sale.remains.items()}, _as_it_is(sale)
    )
    told = ReturnTold(
        state=state,
        key=sale.key,
        number=sale.number,
        return_id=number,
        proposal=proposal,
        currency=sale.currency,
        amount=to_text(amount, sale.currency),
        needs_approval=needs,
        until=sale.until,
        detail=detail,
        lines=tuple(_line(one, sale.currency) for one in found),
        tenders=tuple(
            TenderTold(
                name,
                kind,
                to_text(left, sale.currency),
                to_text(shares.get(name, 0), sale.currency),
            )
            for name, (kind, left) in sale.remains.items()
        ),
    )
    return told, facts


def _as_it_is(sale: Sale) -> Any:
    places = {tender: place for place, tender in enumerate(sale.remains)}
    return lambda tender: (places[tender], tender)


def _wanted(asked: ReturnAsked, sale: Sale) -> dict[str, int]:
    """Thousandths by line. A line that names only its product means the lines of it, in order.

    Raises Refused for what the sale does not hold.
    """
    if not sale.key:
        return {line.line: line.sold for line in sale.lines}
    wanted: dict[str, int] = {}
    for told in asked.lines:
        quantity = _thousandths(told.quantity)
        lines = [
            line
            for line in sale.lines
            if line.line == told.line or (not told.line and line.product == told.product)
        ]
        if not lines:
            raise Refused(f"{sale.number} holds no {told.line or told.product}.")
        for line in lines:
            last = line is lines[-1]
            taken = quantity if last else min(quantity, line.left - wanted.get(line.line, 0))
            if taken > 0:
                wanted[line.line] = wanted.get(line.line, 0) + taken
                quantity -= taken
    return wanted


def _thousandths(told: int | str) -> int:
    return told * SCALE if isinstance(told, int) else to_thousandths(told)


def _fact(call: Call, sale: Sale, found: list[Judged], number: str, now: Any) -> ReturnAuthorized:
    asked: ReturnAsked = call.body
    key = sale.key or key_of("return", call.who.channel, number)
    return ReturnAuthorized(
        key=key,
        id=f"{key}/return/{number}/authorized",
        source="hub",
        mapping="hub/1",
        occurred_at=now,
        business_date=now.date(),
        entities=Entities(selling=sale.entity),
        return_id=number,
        version=now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        lines=tuple(
            ReturnedLine(one.sold.line, one.quantity, one.sold.product, reason=asked.reason)
            for one in found
            if one.quantity
        ),
        until=sale.until,
        location=asked.location,
    )


def _record(fact: ReturnAuthorized, call: Call) -> Record:
    return Record(fact.key, "ReturnAuthorized", fact, lane_of(fact.key), trace=call.trace)


def _line(one: Judged, currency: str) -> ReturnLineTold:
    sold = one.sold
    return ReturnLineTold(
        line=sold.line,
        product=sold.product,
        title=sold.title,
        sold=quantity_text(sold.sold),
        handed_over=quantity_text(sold.gone),
        returned=quantity_text(sold.returned),
        expected=quantity_text(sold.expected),
        returnable=quantity_text(sold.left if not one.why or one.quantity else 0),
        why=one.why,
        quantity=quantity_text(one.quantity),
        amount=to_text(one.amount, currency),
    )
