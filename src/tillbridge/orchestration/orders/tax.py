"""Tax of an order that its source does not name, and what a tax service keeps of it. Pure.

Two wishes go to a tax service, each about one subject of the order. *Work it out*: an order told
without tax, a refund with lines whose tax is missing or inside their amount; the answer is folded
by the digest of what it was asked about, so the order of arrival never matters. *Keep it* (where
we owe the tax): every step of the sale by itself, every refund as it stands now; the tax document's
own machine (orchestration/taxes) turns that into record, commit, adjust or void.
"""

from __future__ import annotations

import hashlib

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import split
from tillbridge.canonical.orders import Order, TaxLine
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import RefundLine
from tillbridge.canonical.taxes import (
    TaxAsked,
    TaxCalculated,
    TaxDocument,
    TaxItem,
    TaxRefused,
)
from tillbridge.orchestration.orders.state import (
    LineValue,
    OrderState,
    Refund,
    TaxAnswer,
)
from tillbridge.orchestration.orders.valuing import When
from tillbridge.orchestration.policies import ChannelPolicy

UNTOLD = ("missing", "included")
SEP = "\x1f"
ORDER = "order"


# -- answers ------------------------------------------------------------------------------------


def answered(state: OrderState, body: TaxCalculated | TaxRefused) -> bool:
    """Fold an answer; what was worked out once stays, a refusal only stands until then."""
    place = _place(body.subject, body.digest)
    known = state.taxes.get(place)
    if known is not None and not known.words:
        return False
    if isinstance(body, TaxCalculated):
        told = TaxAnswer(lines={one.line: one.taxes for one in body.lines})
    else:
        told = TaxAnswer(words=body.words)
    if known == told:
        return False
    state.taxes[place] = told
    if body.subject == ORDER and state.untaxed is not None:
        state.order = with_tax(state, state.untaxed)
    for number, refund in state.untaxed_refunds.items():
        state.refunds[number] = refund_with_tax(state, number, refund)
    return True


def with_tax(state: OrderState, order: Order) -> Order:
    """The order as it was told, with its tax where a service has answered."""
    answer = _answer(state, ORDER, _digest(_items(order)))
    if answer is None:
        return order
    lines = tuple(
        msgspec.structs.replace(line, taxes=answer.lines.get(line.line, ())) for line in order.lines
    )
    total = sum(line.gross for line in lines)
    return msgspec.structs.replace(order, lines=lines, total=total, tax="calculated")


def refund_with_tax(state: OrderState, number: str, refund: Refund) -> Refund:
    """The refund as it was told, with the taxes a service has answered for its lines."""
    answer = _answer(state, subject_of(number), _refund_digest(refund))
    if answer is None:
        return refund
    lines = tuple(
        _with_answer(line, answer.lines[_name(index, line.line)])
        if line.tax in UNTOLD and _name(index, line.line) in answer.lines
        else line
        for index, line in enumerate(refund.lines)
    )
    return msgspec.structs.replace(refund, lines=lines)


def untold(refund: Refund) -> bool:
    """Whether a tax of it has to be worked out."""
    return any(line.tax in UNTOLD for line in refund.lines)


def within_sale(step: LineValue, earned: LineValue, before: LineValue) -> LineValue:
    """What is taken back of a line with a tax that was worked out, within what the sale charged:
    all of the line takes back all of its tax, and a part of it never more than is left. Where the
    service names other jurisdictions than the sale, it lowers what the sale owes.
    """
    left = {key: amount - before.taxes.get(key, 0) for key, amount in earned.taxes.items()}
    net = before.list - before.discount + step.list - step.discount
    if before.quantity + step.quantity >= earned.quantity and net >= earned.list - earned.discount:
        taxes = left
    elif all(amount <= left.get(key, 0) for key, amount in step.taxes.items()):
        taxes = step.taxes
    else:
        rest = {key: max(amount, 0) for key, amount in sorted(left.items())}
        total = min(sum(step.taxes.values()), sum(rest.values()))
        taxes = dict(zip(rest, split(total, list(rest.values())), strict=True))
    return msgspec.structs.replace(step, taxes={key: tax for key, tax in taxes.items() if tax})


def _with_answer(line: RefundLine, taxes: tuple[TaxLine, ...]) -> RefundLine:
    inside = sum(tax.amount for tax in taxes) if line.tax == "included" else 0
    return msgspec.structs.replace(line, net=line.net - inside, taxes=taxes, tax="calculated")


def _answer(state: OrderState, subject: str, digest: str) -> TaxAnswer | None:
    found = state.taxes.get(_place(subject, digest))
    return None if found is None or found.words else found


def _place(subject: str, digest: str) -> str:
    return f"{subject}{SEP}{digest}"


def missing(order: Order, policy: ChannelPolicy) -> NeedsDecision | None:
    """A notice, nothing parks: the order waits for a channel that names a tax service."""
    if order.tax != "missing" or policy.tax_service:
        return None
    return NeedsDecision(
        "tax_missing",
        f"order {order.number} is told without tax, and channel {order.channel} names no tax "
        "service to work it out; it does not go out",
        owner="integration",
        remedy=f"name a tax_service for channel {order.channel} in tillbridge.toml, start again",
        amount=order.total,
        currency=order.currency,
    )


# -- wishes -------------------------------------------------------------------------------------


def asks(state: OrderState, order: Order, policy: ChannelPolicy, when: When) -> list[Body]:
    """What a tax service has to work out now; each content of a subject is asked for once."""
    if not policy.tax_service:
        return []
    found: list[Body] = []
    if state.untaxed is not None and order.tax == "missing" and order.cancelled_at is None:
        items = _items(state.untaxed)
        found += _ask(state, order, policy, when, ORDER, _digest(items), items)
    for number in sorted(state.untaxed_refunds):
        refund = state.untaxed_refunds[number]
        items = _refund_items(order, refund)
        if items:
            subject, digest = subject_of(number), _refund_digest(refund)
            found += _ask(state, order, policy, when, subject, digest, items)
    return found


def _ask(
    state: OrderState,
    order: Order,
    policy: ChannelPolicy,
    when: When,
    subject: str,
    digest: str,
    items: tuple[TaxItem, ...],
) -> list[Body]:
    if _place(subject, digest) in state.taxes or state.tax_asked.get(subject) == digest:
        return []
    state.tax_asked[subject] = digest
    direction = "sale" if subject == ORDER else "return"
    kept = policy.tax_records and direction == "return"
    document = _document(state, order, when, subject, direction, items, recorded=kept)
    return [_wish(state, policy, subject, digest, "calculated", document)]


def records(state: OrderState, order: Order, policy: ChannelPolicy, when: When) -> list[Body]:
    """What a tax service has to keep: the next step of the sale, and refunds that changed."""
    if not (policy.tax_service and policy.tax_records):
        return []
    return [
        *_sale_step(state, order, policy, when),
        *_returns(state, order, policy, when),
    ]


def _sale_step(state: OrderState, order: Order, policy: ChannelPolicy, when: When) -> list[Body]:
    steps = {}
    for line in sorted(state.recognised.keys() | state.tax_recorded.keys()):
        step = _less(state.recognised.get(line), state.tax_recorded.get(line))
        if step is not None:
            steps[line] = step
    if not steps:
        return []
    state.tax_recorded = dict(state.recognised)
    total = sum(one.list - one.discount + sum(one.taxes.values()) for one in steps.values())
    direction, sign = ("sale", 1) if total >= 0 else ("return", -1)
    items = _valued_items(order, steps, sign)
    if not items:
        return []
    subject = f"sale-{state.step('tax_sale')}"
    document = _document(state, order, when, subject, direction, items, recorded=True)
    return [_wish(state, policy, subject, _digest(items), "committed", document)]


def _returns(state: OrderState, order: Order, policy: ChannelPolicy, when: When) -> list[Body]:
    """Each refund as it is reversed by now; while its own tax is being worked out it waits."""
    by_refund: dict[str, dict[str, LineValue]] = {}
    for key, value in state.reversed.items():
        number, index, *substitute, line = key.split(SEP)
        by_refund.setdefault(number, {})[_name(index, ".".join((*substitute, line)))] = value
    wishes: list[Body] = []
    for number in sorted(by_refund.keys() | set(state.tax_returned)):
        refund = state.refunds.get(number)
        if refund is not None and untold(refund) and _refund_items(order, refund):
            continue
        items = _valued_items(order, by_refund.get(number, {}), 1)
        digest = _digest(items) if items else ""
        if state.tax_returned.get(number, "") == digest:
            continue
        state.tax_returned[number] = digest
        subject = subject_of(number)
        document = _document(state, order, when, subject, "return", items, recorded=True)
        goal = "committed" if items else "voided"
        wishes.append(_wish(state, policy, subject, f"{goal}/{digest}", goal, document))
    return wishes


def _wish(
    state: OrderState,
    policy: ChannelPolicy,
    subject: str,
    digest: str,
    goal: str,
    document: TaxDocument,
) -> TaxAsked:
    key = document.code
    return TaxAsked(
        key=key,
        id=f"{key}/asked/{state.step('tax')}",
        order=state.key,
        subject=subject,
        digest=digest,
        goal=goal,
        service=policy.tax_service,
        entity=state.entities.selling,
        document=document,
    )


def subject_of(refund: str) -> str:
    """The subject of a refund; a slash in its number is no part of a key."""
    return f"refund-{refund}".replace("/", "%2F")


# -- documents ----------------------------------------------------------------------------------


def _document(
    state: OrderState,
    order: Order,
    when: When,
    subject: str,
    direction: str,
    items: tuple[TaxItem, ...],
    *,
    recorded: bool,
) -> TaxDocument:
    sold = order.placed_at.date()
    return TaxDocument(
        code=f"tax/{state.key}/{subject}",
        number=order.number,
        channel=order.channel,
        currency=order.currency,
        direction=direction,
        document_date=sold if subject == ORDER else max(when.business_date, sold),
        tax_date=sold,
        items=items,
        recorded=recorded,
        party=order.party,
        location=order.collect_at or order.location,
        ship_to=order.ship_to,
    )


def _items(order: Order) -> tuple[TaxItem, ...]:
    return tuple(
        TaxItem(
            line=line.line,
            kind=line.kind,
            product=line.product,
            quantity=line.quantity,
            amount=line.net,
            category=line.department,
        )
        for line in order.lines
        if line.kind not in ("gift_card", "rounding", "tip")
    )


def _refund_items(order: Order, refund: Refund) -> tuple[TaxItem, ...]:
    """Lines of a refund whose tax has to be asked for; what never left is given back as sold."""
    lines = {line.line: line for line in order.lines}
    items = []
    for index, told in enumerate(refund.lines):
        line = lines.get(told.line)
        if line is None or told.tax not in UNTOLD or told.restock == "cancel":
            continue
        items.append(
            TaxItem(
                line=_name(index, told.line),
                kind=line.kind,
                product=line.product,
                quantity=told.quantity,
                amount=told.net,
                category=line.department,
                inclusive=told.tax == "included",
            )
        )
    return tuple(items)


def _valued_items(order: Order, values: dict[str, LineValue], sign: int) -> tuple[TaxItem, ...]:
    """What was booked, with the taxes we owe; what a marketplace remits is not told."""
    lines = {line.line: line for line in order.lines}
    items = []
    for name, value in sorted(values.items()):
        if not _owed(value) and (value.taxes or value.kind == "gift_card"):
            continue
        _, _, of = name.partition(".")
        line = lines.get(name) or lines.get(of) or lines.get(of.rpartition(".")[2])
        product = "" if line is None else of.rpartition(".")[0] or line.product
        items.append(
            TaxItem(
                line=name,
                kind=value.kind,
                product=product,
                quantity=sign * value.quantity,
                amount=sign * (value.list - value.discount),
                category=value.department,
                taxes=tuple(
                    TaxLine(code, jurisdiction, sign * amount)
                    for (jurisdiction, code), amount in sorted(_owed(value).items())
                ),
            )
        )
    return tuple(items)


def _owed(value: LineValue) -> dict[tuple[str, str], int]:
    """Taxes of ours, without those a marketplace remits."""
    owed = {}
    for key, amount in value.taxes.items():
        jurisdiction, code, collector = key.split(SEP)
        if collector == "seller":
            owed[(jurisdiction, code)] = amount
    return owed


def _less(now: LineValue | None, before: LineValue | None) -> LineValue | None:
    """What was booked on a line since; None when nothing was."""
    if now == before:
        return None
    now, before = now or LineValue(), before or LineValue()
    known = now if now.quantity or now.list else before
    taxes = {
        key: now.taxes.get(key, 0) - before.taxes.get(key, 0)
        for key in sorted(now.taxes.keys() | before.taxes.keys())
    }
    return LineValue(
        now.quantity - before.quantity,
        now.list - before.list,
        now.discount - before.discount,
        {key: amount for key, amount in taxes.items() if amount},
        known.kind,
        known.department,
        known.promotion,
    )


def _name(index: int | str, line: str) -> str:
    """A line of a refund: its place there and the order's line, or the kind of an adjustment."""
    return f"{index}.{line}"


def _refund_digest(refund: Refund) -> str:
    return _digest(tuple(line for line in refund.lines if line.tax != "told"))


def _digest(content: object) -> str:
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:16]
