"""What follows from an order's evidence: always target less booked. Pure and total.

decide(state, record) -> outcome: fold the fact, then emit the differences as valued facts (money),
commands (stock) and documents (ERP). Nothing here knows in which order facts arrived.
"""

from __future__ import annotations

from collections.abc import Callable

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.atoms.quantity import to_text as quantity_text
from tillbridge.canonical.cards import CardRedeemed
from tillbridge.canonical.channel_documents import CHANNEL_KINDS
from tillbridge.canonical.documents import (
    DocumentAccepted,
    DocumentRefused,
)
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import Order, OrderCancelled, OrderChanged, OrderPlaced
from tillbridge.canonical.payments import (
    AuthorizationLapsing,
    DisputeResolved,
    Payment,
    PaymentDisputed,
    PaymentRefunded,
)
from tillbridge.canonical.receivables import BankPaymentMatched
from tillbridge.canonical.registry import Body
from tillbridge.canonical.returns import RefundIssued, ReturnTold
from tillbridge.canonical.stock import StockReserved, StockShort
from tillbridge.canonical.valued import DepositReceived, RefundPaid, ValuedTender
from tillbridge.orchestration.decision import Decision
from tillbridge.orchestration.orders import tax
from tillbridge.orchestration.orders.disputes import disputed
from tillbridge.orchestration.orders.evolve import evolve
from tillbridge.orchestration.orders.goods import goods
from tillbridge.orchestration.orders.on_account import settle
from tillbridge.orchestration.orders.paying_back import APPROVAL, pay_back
from tillbridge.orchestration.orders.payment_notices import REASONS, payment_notices
from tillbridge.orchestration.orders.payments import tender_row
from tillbridge.orchestration.orders.pickup import EXPIRED, to_be_refunded
from tillbridge.orchestration.orders.recharge import recharge
from tillbridge.orchestration.orders.recognise import recognise, reverse
from tillbridge.orchestration.orders.refunding import allocated, rank_of
from tillbridge.orchestration.orders.replacing import hand_over, tell_replaced
from tillbridge.orchestration.orders.requested import is_answer
from tillbridge.orchestration.orders.requesting import (
    LEFT_ALL_THE_SAME,
    left_all_the_same,
    requests,
)
from tillbridge.orchestration.orders.return_notices import (
    beyond_shipment,
    for_nothing_named,
    in_other_currency,
)
from tillbridge.orchestration.orders.returns import came_back, paid_at_tills
from tillbridge.orchestration.orders.sales_order import sales_order
from tillbridge.orchestration.orders.same_goods import TOLD_TWICE, told_twice
from tillbridge.orchestration.orders.state import (
    OrderState,
    captured,
    paid_unnamed,
    repaid,
    repaid_here,
    taken_here,
)
from tillbridge.orchestration.orders.stock import stock
from tillbridge.orchestration.orders.substitution import PRICED, REFUSED, priced, refused
from tillbridge.orchestration.orders.till import VOIDED, gone_unpaid
from tillbridge.orchestration.orders.to_channel import counted, tell_channel
from tillbridge.orchestration.orders.transfer_price import transfer_price
from tillbridge.orchestration.orders.valuing import When, about
from tillbridge.orchestration.policies import Policies

# answers to what was asked here; they change no target, unless the order's channel gives them
_ANSWERS = (StockReserved, StockShort, DocumentAccepted, DocumentRefused)
_MONEY_BACK = (
    RefundIssued,
    PaymentRefunded,
    OrderPlaced,
    OrderChanged,
    OrderCancelled,
    ReturnTold,
)
_MONEY = (
    *_MONEY_BACK,
    Payment,
    CardRedeemed,
    AuthorizationLapsing,
    PaymentDisputed,
    DisputeResolved,
    BankPaymentMatched,
)


def decide(state: OrderState, body: Body, policies: Policies) -> Decision:
    """Fold `body` into `state` (changed in place) and give what follows."""
    decision = Decision([], [], [])
    if not evolve(state, body):
        return decision
    state.revision += 1
    joined = counted(state, policies.run_by)
    if isinstance(body, StockShort):
        _notice(state, decision, _short(state, body))
    elif isinstance(body, StockReserved):
        _settle(state, decision, "stock_short")
    order = state.order
    if order is None or order.test:
        return decision
    if isinstance(body, _ANSWERS) and not (is_answer(body) or _of_channel(body)):
        if policies.run_by and isinstance(body, StockReserved | StockShort):
            policy = policies.of(order.channel, state.entities.selling)
            decision.emits += requests(state, order, policy, policies, _when(body))
        return decision
    state.terms = policies.terms(order, state.entities.selling)
    _one_currency(state, order)
    found = came_back(state)
    state.returned = found.lines
    _while(state, decision, "return_beyond_shipment", beyond_shipment(order, found))
    _while(state, decision, "return_in_other_currency", in_other_currency(order, found))
    at_tills = paid_at_tills(found, order)
    _look(state, decision, order, body, at_tills)
    _while(state, decision, TOLD_TWICE, told_twice(order, joined, state))
    when = _when(body)
    policy = policies.of(order.channel, state.entities.selling)
    decision.emits += [*tell_replaced(state, order, when), *hand_over(state, order, when)]
    _while(state, decision, "tax_missing", tax.missing(order, policy))
    decision.emits += _deposit(state, order, policies, when)
    goes = order.tax != "missing"  # nothing goes out or is earned before its tax is known
    decision.emits += sales_order(state, order, policy, when) if goes else []
    moved = stock(state, order, policy, policies, when)
    if goes:
        decision.emits += [
            *goods(state, order, policy, when),
            *recognise(state, order, policy, when),
            *reverse(state, order, policy, when),
            *transfer_price(state, order, found, policies, when),
        ]
    decision.emits += [
        *_refund(state, order, policies, when, at_tills),
        *recharge(state, order, found, when),
        *moved,
        *requests(state, order, policy, policies, when),
        *disputed(state, order, when),
        *tax.asks(state, order, policy, when),
        *tax.records(state, order, policy, when),
        *tell_channel(state, order, policy, joined, when),
        *settle(state, order, when),
    ]
    asked, notice = pay_back(state, order, policies)
    decision.emits += asked
    _while(state, decision, APPROVAL, notice)
    _while(state, decision, "refund_unexplained", for_nothing_named(state, order))
    _payments(state, order, policies, decision, anew=isinstance(body, _MONEY))
    return decision


def _of_channel(body: Body) -> bool:
    """Whether the channel took a document, by which its own tellings are known again."""
    return isinstance(body, DocumentAccepted) and body.kind in CHANNEL_KINDS


def _look(state: OrderState, decision: Decision, order: Order, body: Body, at_tills: int) -> None:
    """What a person has to see; nothing parks. at_tills: minor units tills paid back."""
    unnamed = paid_unnamed(state)
    if not unnamed:
        _settle(state, decision, "tender_missing")
    elif isinstance(body, OrderPlaced | OrderChanged | OrderCancelled):
        _notice(state, decision, _tender_missing(order, unnamed))
    beyond = sum(repaid(state).values()) + at_tills - sum(captured(state).values())
    if beyond <= 0:
        _settle(state, decision, "refund_beyond_payment")
    elif isinstance(body, _MONEY_BACK):
        _notice(state, decision, _refund_beyond(order, beyond))
    _while(state, decision, EXPIRED, to_be_refunded(state, order))
    _while(state, decision, VOIDED, gone_unpaid(state, order))
    _while(state, decision, REFUSED, refused(state, order))
    _while(state, decision, PRICED, priced(state, order))
    _while(state, decision, LEFT_ALL_THE_SAME, left_all_the_same(state, order))


def _while(
    state: OrderState, decision: Decision, reason: str, notice: NeedsDecision | None
) -> None:
    """A notice as long as its ground is there."""
    if notice is None:
        _settle(state, decision, reason)
    elif reason not in state.noticed:
        _notice(state, decision, notice)


def _payments(
    state: OrderState, order: Order, policies: Policies, decision: Decision, *, anew: bool
) -> None:
    """Notices of payments come and go with their ground; anew: told again with their new amount."""
    found = payment_notices(state, order, policies)
    for reason in REASONS:
        if reason not in found:
            _settle(state, decision, reason)
        elif anew or reason not in state.noticed:
            _notice(state, decision, found[reason])


def _notice(state: OrderState, decision: Decision, notice: NeedsDecision) -> None:
    decision.notices.append(notice)
    if notice.reason not in state.noticed:
        state.noticed = (*state.noticed, notice.reason)


def _settle(state: OrderState, decision: Decision, reason: str) -> None:
    """Whoever was told of it need not look any more."""
    if reason in state.noticed:
        decision.settles.append(reason)
        state.noticed = tuple(name for name in state.noticed if name != reason)


def _one_currency(state: OrderState, order: Order) -> None:
    """Amounts of another currency cannot be added to the order's; a missing rate is never 1."""
    told = {currency: f"payment {name}" for name, (_, _, currency) in state.captures.items()}
    told |= {money: f"refund {name}" for name, (_, _, money) in state.refund_payments.items()}
    told |= {one.currency: f"payment {one.reference}" for one in state.payments.values()}
    if state.account is not None:
        told |= {one.currency: f"payment {name}" for name, one in state.account.banked.items()}
    told |= {one.currency: f"dispute {name}" for name, one in state.disputes.items()}
    told |= {refund.currency: f"refund {name}" for name, refund in state.refunds.items()}
    for currency, what in told.items():
        if currency and currency != order.currency:
            raise NeedsDecision(
                "currency_mismatch",
                f"order {order.number} is in {order.currency}, but its {what} in {currency}",
                owner="finance",
                amount=order.total,
                currency=order.currency,
            )


def _tender_missing(order: Order, unnamed: int) -> NeedsDecision:
    """A notice, nothing parks: the transaction that names the gateway may be on its way."""
    return NeedsDecision(
        "tender_missing",
        f"order {order.number} is told as paid but "
        + (
            f"no transaction tells how it splits over {', '.join(order.tenders)}"
            if order.tenders
            else "names no payment gateway"
        ),
        owner="ecommerce",
        amount=unnamed,
        currency=order.currency,
    )


def _refund_beyond(order: Order, beyond: int) -> NeedsDecision:
    """A notice, nothing parks: what is told as paid may be on its way; until then it is not booked
    that more was given back than ever came in.
    """
    return NeedsDecision(
        "refund_beyond_payment",
        f"order {order.number}: {to_text(beyond, order.currency)} {order.currency} more is told as "
        "given back than as paid; that part is not booked until its payment is told",
        owner="finance",
        amount=beyond,
        currency=order.currency,
    )


def _when(body: Body) -> When:
    if isinstance(body, Fact):
        return When(body.occurred_at, body.business_date)
    raise TypeError(f"{type(body).__name__} is no fact")


def _short(state: OrderState, body: StockShort) -> NeedsDecision:
    number = state.order.number if state.order is not None else state.key
    return NeedsDecision(
        "stock_short",
        f"order {number}: {body.product} lacks {quantity_text(body.wanted - body.free)}",
        owner="fulfilment",
        remedy=f"tillbridge stock show --product {body.product}",
        details={
            "product": body.product,
            "wanted": quantity_text(body.wanted),
            "free": quantity_text(body.free),
        },
    )


def _tenders(
    target: dict[str, int], booked: dict[str, int], kind_of: Callable[[str], str]
) -> tuple[ValuedTender, ...]:
    """Differences by purse; `booked` is brought up to the target."""
    rows = []
    for tender in sorted(target.keys() | booked.keys()):
        difference = target.get(tender, 0) - booked.get(tender, 0)
        if difference:
            booked[tender] = target.get(tender, 0)
            rows.append(tender_row(tender, difference, kind_of(tender)))
    return tuple(rows)


def _deposit(state: OrderState, order: Order, policies: Policies, when: When) -> list[Body]:
    rows = _tenders(taken_here(state), state.deposited, policies.kind_of)
    if not rows:
        return []
    return [DepositReceived(tenders=rows, **about(state, order, when, "deposit"))]


def _refund(
    state: OrderState, order: Order, policies: Policies, when: When, at_tills: int
) -> list[Body]:
    """at_tills: minor units that tills paid back, which are nobody's to pay back again."""
    target: dict[str, int] = {}
    paid, told = captured(state), repaid_here(state)
    at_tills += sum(repaid(state).values()) - sum(told.values())
    left = max(sum(paid.values()) - at_tills, 0)
    unnamed = told.pop("", 0)
    for tender, amount in sorted(told.items()):
        target[tender] = min(amount, left)
        left -= target[tender]
    if unnamed:
        remains = {tender: amount - target.get(tender, 0) for tender, amount in paid.items()}
        terms = policies.terms(order, state.entities.selling)
        rank = rank_of(terms.refund_order, policies.kind_of)
        for tender, amount in allocated(min(unnamed, left), remains, rank).items():
            target[tender] = target.get(tender, 0) + amount
    rows = _tenders(target, state.refunded, policies.kind_of)
    if not rows:
        return []
    return [RefundPaid(tenders=rows, **about(state, order, when, "refund"))]
