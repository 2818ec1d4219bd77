"""Orders on account: open is what was invoiced less credited less paid, whatever came first."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import KEY, Model, Trade, about, capture, parcel, placed, trades
from tests.orchestration.trade import line as order_line
from tests.orchestration.trade import order as order_of
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import OrderChanged, OrderPlaced
from tillbridge.canonical.payments import PaymentRefunded
from tillbridge.canonical.receivables import (
    BankPaymentMatched,
    CreditNoteIssued,
    InvoiceIssued,
    ReceivableSettled,
)
from tillbridge.orchestration.orders.account_state import Account, Issued
from tillbridge.orchestration.orders.on_account import shared
from tillbridge.orchestration.policies import ChannelPolicy, Policies

_SETTINGS = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PAID_FIRST = Policies(
    channels={
        "web": ChannelPolicy(channel="web", entity="us", fulfil_from=("wh",), order_point="paid")
    }
)
JOURNALS = Policies(
    channels={"web": ChannelPolicy(channel="web", entity="us", fulfil_from=("wh",), gl="journals")}
)
TWO = order_of([order_line("a", quantity=2000, list=2000)], payment_days=30)


def banked(amount: int, at: int, invoice: str = "", tender: str = "wire") -> BankPaymentMatched:
    """Money a line of the bank brings for the order."""
    return BankPaymentMatched(
        order=KEY,
        currency="USD",
        amount=amount,
        bank="house-bank",
        tender=tender,
        reference=f"S-1/{at}",
        invoice=invoice,
        **about(at),
    )


def _on_account(trade: Trade, paid: bool) -> list[Fact]:
    """The trade as one on account; some tellings keep silent about it."""
    facts: list[Fact] = []
    for number, fact in enumerate(trade.facts):
        told = fact
        if isinstance(fact, OrderPlaced | OrderChanged):
            days = 30 if number % 2 == 0 else None
            order = msgspec.structs.replace(fact.order, payment_days=days, paid_stated=None)
            told = msgspec.structs.replace(fact, order=order)
        if paid or type(fact).__name__ != "PaymentCaptured":
            facts.append(told)
    return facts


def _sums(model: Model) -> dict[str, int]:
    told = model.emitted
    return {
        "invoiced": sum(one.total for one in told if isinstance(one, InvoiceIssued)),
        "credited": sum(one.total for one in told if isinstance(one, CreditNoteIssued)),
        "paid": sum(model.state.deposited.values()) - sum(model.state.refunded.values()),
    }


@_SETTINGS
@given(trade=trades(), paid=st.booleans(), part=st.integers(1, 3000), data=st.data())
def test_open_is_invoiced_less_credited_less_paid_in_any_order_of_arrival(
    trade: Trade, paid: bool, part: int, data: st.DataObject
) -> None:
    facts = [*_on_account(trade, paid), banked(part, 60)]
    model = Model().tell(data.draw(st.permutations(facts)))
    sums = _sums(model)
    booked = model.balances.get("receivables", 0)
    assert booked == max(sums["invoiced"] - sums["credited"] - max(sums["paid"], 0), 0)
    account = model.state.account
    assert account is not None
    assert booked == sum(one.open for one in account.issued.values())
    for key, one in account.issued.items():
        assert one.open >= 0
        assert model.items.get(("receivables", key), 0) == one.open
    straight = Model().tell(facts)
    assert straight.balances.get("receivables", 0) == booked
    assert straight.state.deposited == model.state.deposited


@_SETTINGS
@given(trade=trades(), data=st.data())
def test_a_finished_order_on_account_leaves_nothing_anywhere(
    trade: Trade, data: st.DataObject
) -> None:
    model = Model().tell(data.draw(st.permutations(_on_account(trade, True))))
    assert {item: left for item, left in model.items.items() if left} == {}


@given(
    totals=st.lists(st.integers(1, 500), min_size=1, max_size=4),
    returned=st.lists(st.integers(1, 200), max_size=3),
    money=st.integers(0, 2500),
)
def test_what_is_shared_is_never_more_than_there_is_or_than_is_open(
    totals: list[int], returned: list[int], money: int
) -> None:
    papers = {f"i{n}": _paper(total) for n, total in enumerate(totals)}
    papers |= {f"c{n}": _paper(-total) for n, total in enumerate(returned)}
    found = shared(Account(issued=papers), money)
    for key, (credited, paid) in found.items():
        assert 0 <= credited + paid <= papers[key].total
    assert sum(c for c, _ in found.values()) == min(sum(returned), sum(totals))
    left = sum(totals) - min(sum(returned), sum(totals))
    assert sum(p for _, p in found.values()) == min(money, left)


def _paper(total: int) -> Issued:
    return Issued("n", total, date(2026, 3, 2), date(2026, 4, 1))


def test_goods_go_out_and_are_owed_before_anything_is_paid() -> None:
    model = Model(PAID_FIRST).tell([placed(TWO), parcel("p", {"a": 1})])
    assert model.documents("sales_order")
    (invoice,) = [one for one in model.emitted if isinstance(one, InvoiceIssued)]
    assert (invoice.number, invoice.total, invoice.due_on) == ("1001-1", 1050, date(2026, 4, 1))
    assert invoice.invoice == model.documents("invoice")[0].id
    assert model.balances["receivables"] == 1050
    assert model.balances["customer-deposits"] == 0


def test_an_order_paid_as_it_is_placed_owes_nothing() -> None:
    now = msgspec.structs.replace(TWO, payment_days=None)
    model = Model().tell([placed(now), capture(2100), parcel("p", {"a": 2})])
    assert model.state.account is None
    assert "receivables" not in model.balances


def test_where_the_erp_takes_journals_the_invoice_is_ours_alone() -> None:
    model = Model(JOURNALS).tell([placed(TWO), parcel("p", {"a": 2})])
    assert not model.documents("invoice")
    (invoice,) = [one for one in model.emitted if isinstance(one, InvoiceIssued)]
    assert [(one.product, one.quantity, one.net) for one in invoice.lines] == [
        ("sku-a", 2000, 2000)
    ]


def test_money_goes_to_the_invoice_that_the_transfer_names() -> None:
    model = Model().tell([placed(TWO), parcel("p", {"a": 1}), parcel("q", {"a": 1}, 4)])
    first, second = _keys(model)
    model.tell([banked(1050, 60, second)])
    assert _open(model) == {first: 1050, second: 0}
    model.tell([banked(1100, 61, second)])
    assert _open(model) == {first: 0, second: 0}
    assert model.balances["customer-deposits"] == -50, "what was paid too much is the buyer's"


def test_the_same_money_told_by_shop_and_bank_counts_once() -> None:
    shop = capture(2100, 50, "wire")
    for facts in ([shop, banked(2100, 60)], [banked(2100, 60), shop]):
        model = Model().tell([placed(TWO), parcel("p", {"a": 2}), *facts])
        assert model.state.deposited == {"wire": 2100}
        assert model.balances["receivables"] == 0
    again = Model().tell([placed(TWO), banked(500, 60), banked(500, 60), banked(700, 61)])
    assert again.state.deposited == {"wire": 1200}


def test_a_payment_that_is_taken_back_opens_the_invoice_again() -> None:
    failed = {"reference": "r-1", "tender": "wire", "amount": 2100, "currency": "USD"}
    model = Model().tell([placed(TWO), parcel("p", {"a": 2}), banked(2100, 60)])
    model.tell([_refunded(failed)])
    assert model.balances["receivables"] == 2100
    rows = [
        row.amount
        for one in model.emitted
        if isinstance(one, ReceivableSettled)
        for row in one.rows
    ]
    assert rows == [2100, -2100]


def _refunded(words: dict[str, Any]) -> Fact:
    return PaymentRefunded(**words, **about(70))


def test_terms_learnt_after_the_invoice_make_it_owed_all_the_same() -> None:
    silent = msgspec.structs.replace(TWO, payment_days=None)
    model = Model().tell([placed(silent), parcel("p", {"a": 2})])
    assert "receivables" not in model.balances
    model.tell([placed(msgspec.structs.replace(TWO, version="2026-03-02T12:09:00Z"))])
    assert model.balances["receivables"] == 2100


def _keys(model: Model) -> list[str]:
    account = model.state.account
    return [] if account is None else list(account.issued)


def _open(model: Model) -> dict[str, int]:
    account = model.state.account
    return {} if account is None else {key: one.open for key, one in account.issued.items()}


def test_an_order_paid_as_it_is_placed_tells_what_it_always_told() -> None:
    now = msgspec.structs.replace(TWO, payment_days=None)
    facts = [placed(now), capture(2100), parcel("p", {"a": 2})]
    told = [type(body).__name__ for body in Model().tell(facts).emitted]
    assert sorted(set(told)) == [
        "DepositReceived", "MoveStock", "ReserveStock", "SaleRecognised", "SubmitDocument",
    ]  # fmt: skip
    assert b"account" not in msgspec.json.encode(Model().tell(facts).state)
