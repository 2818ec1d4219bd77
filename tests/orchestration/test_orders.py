"""What a decider says to single facts: numbers by hand, contradictions, and what is a case."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.orchestration.trade import (
    KEY,
    NOON,
    POLICIES,
    Model,
    about,
    capture,
    changed,
    line,
    order,
    parcel,
    placed,
    refund,
    version,
)
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.documents import (
    DocumentAccepted,
    DocumentRefused,
    InvoiceDocument,
    SalesOrderDocument,
    SubmitDocument,
)
from tillbridge.canonical.orders import OrderCancelled, TaxLine
from tillbridge.canonical.returns import RefundAdjustment, RefundLine
from tillbridge.canonical.stock import MoveStock, ReserveStock, StockShort
from tillbridge.canonical.valued import (
    DepositReceived,
    RefundPaid,
    SaleRecognised,
    SaleReversed,
    Valued,
    ValuedLine,
)
from tillbridge.orchestration.orders.state import LineValue
from tillbridge.orchestration.policies import ChannelPolicy, Policies

THREE = line("a", quantity=3000, list=10000, taxes=(TaxLine("t", "us-ny", 800),))


def _valued(model: Model, kind: type[Valued]) -> list[int]:
    found = []
    for body in model.emitted:
        if isinstance(body, kind):
            if isinstance(body, DepositReceived | RefundPaid):
                found.append(sum(tender.amount for tender in body.tenders))
            elif isinstance(body, SaleRecognised | SaleReversed):
                net = sum(one.list - one.discount for one in body.lines)
                found.append(net + sum(tax.tax for tax in body.taxes))
    return found


def test_a_split_shipment_recognises_every_cent_of_its_line() -> None:
    told = order([THREE])
    model = Model().tell([placed(told), capture(10800)])
    model.tell([parcel("p1", {"a": 1}, 2), parcel("p2", {"a": 1}, 3), parcel("p3", {"a": 1}, 4)])
    assert _valued(model, SaleRecognised) == [3333 + 266, 3333 + 267, 3334 + 267]
    assert [d.body.total for d in model.documents("invoice")] == [3599, 3600, 3601]
    assert model.items[("customer-deposits", KEY)] == 0


def test_one_cent_that_the_channel_kept_of_a_cancelled_piece_is_earned_with_the_others() -> None:
    back = RefundLine("a", 1000, 3333, (TaxLine("t", "us-ny", 266),), "cancel")
    facts = [placed(order([THREE])), capture(10800), refund("r", [back]), parcel("p", {"a": 2}, 4)]
    model = Model().tell(facts)
    assert _valued(model, SaleRecognised) == [10800 - 3333 - 266]
    assert _valued(model, SaleReversed) == []
    assert model.state.wanted == {}
    assert model.items[("customer-deposits", KEY)] == 0


def test_a_return_told_before_its_shipment_is_reversed_when_the_goods_have_gone() -> None:
    back = RefundLine("a", 1000, 3333, (TaxLine("t", "us-ny", 267),), "return", "store")
    model = Model().tell([refund("r", [back], 3)])
    assert model.emitted == []
    model.tell([placed(order([THREE])), capture(10800)])
    assert _valued(model, RefundPaid) == [3600]
    assert _valued(model, SaleReversed) == []
    model.tell([parcel("p", {"a": 3})])
    assert _valued(model, SaleReversed) == [3600]
    assert model.movements() == {("wh", "sku-a"): -3000, ("store", "sku-a"): 1000}
    assert [d.body.total for d in model.documents("credit_note")] == [3600]


def test_freight_kept_of_an_order_cancelled_before_it_left_is_earned() -> None:
    lines = [THREE, line("s", "shipping", product="", list=500, taxes=())]
    told = order(lines, at=5, cancelled_at=NOON)
    back = RefundLine("a", 3000, 10000, (TaxLine("t", "us-ny", 800),), "no_restock")
    model = Model().tell([placed(order(lines)), capture(11300), refund("r", [back])])
    model.tell([OrderCancelled(order=told, **about(5))])
    assert _valued(model, SaleRecognised) == [500]
    assert model.items[("customer-deposits", KEY)] == 0
    assert model.state.wanted == {}


def test_freight_given_back_with_the_order_makes_no_paper_at_all() -> None:
    lines = [THREE, line("s", "shipping", product="", list=500, taxes=())]
    told = order(lines, at=5, cancelled_at=NOON)
    back = RefundLine("a", 3000, 10000, (TaxLine("t", "us-ny", 800),), "cancel")
    model = Model().tell([OrderCancelled(order=told, **about(5)), capture(11300)])
    model.tell([refund("r", [back], adjustments=[RefundAdjustment("shipping", 500)])])
    assert [type(body).__name__ for body in model.emitted] == ["DepositReceived", "RefundPaid"]
    assert model.items[("customer-deposits", KEY)] == 0


def test_an_order_that_was_never_paid_and_is_cancelled_earns_nothing() -> None:
    back = RefundLine("a", 3000, 10000, (TaxLine("t", "us-ny", 800),), "cancel")
    unpaid = [RefundAdjustment("discrepancy", -10800)]
    told = order([THREE], at=5, cancelled_at=NOON)
    facts = [placed(order([THREE])), OrderCancelled(order=told, **about(5))]
    model = Model().tell([*facts, refund("r", [back], adjustments=unpaid)])
    assert model.balances == {}
    assert model.documents("sales_order") == []


def test_a_service_cancelled_before_its_order_ships_is_never_earned() -> None:
    lines = [THREE, line("fit", "service", product="", list=2000, taxes=())]
    back = RefundLine("fit", 1000, 2000, (), "cancel")
    model = Model().tell([placed(order(lines)), capture(12800), refund("r", [back])])
    model.tell([parcel("p", {"a": 3}, 5)])
    assert _valued(model, SaleRecognised) == [10800]
    assert model.items[("customer-deposits", KEY)] == 0


def test_goods_that_left_before_they_were_paid_bring_their_sales_order_first() -> None:
    model = Model().tell([placed(order([THREE]))])
    assert model.documents("sales_order") == []
    model.tell([parcel("p", {"a": 1})])
    kinds = [body.kind for body in model.emitted if isinstance(body, SubmitDocument)]
    assert kinds == ["sales_order", "invoice"]


def test_the_sales_order_waits_for_payment_only_where_the_channel_says_so() -> None:
    early = ChannelPolicy(channel="web", entity="us", order_point="placed")
    model = Model(Policies(channels={"web": early})).tell([placed(order([THREE]))])
    (document,) = model.documents("sales_order")
    assert isinstance(document.body, SalesOrderDocument)
    assert document.body.total == 10800


def test_where_the_hub_sends_journals_the_erp_gets_no_invoice() -> None:
    journals = ChannelPolicy(channel="web", entity="us", gl="journals")
    model = Model(Policies(channels={"web": journals}))
    model.tell([placed(order([THREE])), capture(10800), parcel("p", {"a": 3})])
    assert [d.kind for d in model.documents("sales_order")] == ["sales_order"]
    assert model.documents("invoice") == []


def test_two_tellings_of_one_version_end_the_same_in_either_order() -> None:
    one = parcel("p", {"a": 1}, 2, "shipped")
    other = parcel("p", {"a": 1}, 2, "cancelled")
    first = placed(order([THREE]))
    told = [first, capture(10800)]
    assert Model().tell([*told, one, other]).end() == Model().tell([*told, other, one]).end()
    assert Model().tell([*told, one, other]).state.recognised == {}
    back = RefundLine("a", 1000, 3333, (), "return", "wh")
    small, large = refund("r", [back], 3, paid=False), refund("r", [back], 3)
    assert Model().tell([*told, small, large]).end() == Model().tell([*told, large, small]).end()
    paid = changed(msgspec.structs.replace(first.order, paid_stated=10800, tenders=("visa",)))
    assert Model().tell([paid, first]).end() == Model().tell([first, paid]).end()


def test_a_payment_told_with_another_amount_is_a_case_and_changes_nothing() -> None:
    model = Model().tell([placed(order([THREE])), capture(10800, reference="c1")])
    with pytest.raises(NeedsDecision, match=r"told as 108\.00 USD and now as 107\.99 USD") as case:
        model.tell([capture(10799, reference="c1")])
    assert case.value.owner == "finance"
    assert case.value.amount == 1
    assert model.items[("customer-deposits", KEY)] == -10800


def test_a_payment_told_under_another_tender_of_ours_is_the_same_payment() -> None:
    model = Model().tell([placed(order([THREE])), capture(10800, reference="c1")])
    model.tell([capture(10800, reference="c1", tender="amex")])
    assert _valued(model, DepositReceived) == [10800]


@pytest.mark.parametrize("first", ["payment", "order"])
def test_money_of_another_currency_is_never_added(first: str) -> None:
    euros = msgspec.structs.replace(capture(10800), currency="EUR")
    facts = [euros, placed(order([THREE]))]
    with pytest.raises(NeedsDecision, match="is in USD, but its payment cap-1 in EUR"):
        Model().tell(facts if first == "payment" else facts[::-1])


def test_a_payment_over_several_tenders_waits_for_the_transactions_that_split_it() -> None:
    paid = order([THREE], paid_stated=10800, tenders=("gift-card", "card"))
    model = Model().tell([placed(paid)])
    assert model.notices == ["tender_missing"]
    assert _valued(model, DepositReceived) == []
    model.tell([capture(10800)])
    assert _valued(model, DepositReceived) == [10800]


def test_an_order_paid_by_nobody_knows_whom_is_noticed_and_mended_by_its_transaction() -> None:
    paid = order([THREE], paid_stated=10800)
    model = Model().tell([placed(paid)])
    assert model.notices == ["tender_missing"]
    assert _valued(model, DepositReceived) == []
    model.tell([capture(10800)])
    assert _valued(model, DepositReceived) == [10800]
    assert (model.notices, model.settled) == (["tender_missing"], ["tender_missing"])


def test_more_given_back_than_paid_is_noticed_and_booked_only_when_its_payment_is_told() -> None:
    back = refund("r", adjustments=[RefundAdjustment("other", 5000, 0)])
    model = Model().tell([placed(order([THREE])), capture(3000), back])
    assert model.notices == ["refund_beyond_payment"]
    assert _valued(model, RefundPaid) == [3000]
    model.tell([capture(7800, at=4)])
    assert _valued(model, RefundPaid) == [3000, 2000]
    assert (model.notices, model.settled) == (["refund_beyond_payment"], ["refund_beyond_payment"])


def test_money_stated_before_its_transactions_moves_to_their_tenders() -> None:
    stated = order([THREE], paid_stated=10800, tenders=("visa",))
    model = Model().tell([placed(stated), capture(800, tender="gift-card")])
    assert model.balances["clearing/visa"] == 10000
    assert model.items[("customer-deposits", KEY)] == -10800


def test_a_test_order_books_and_reserves_nothing() -> None:
    model = Model().tell([placed(order([THREE], test=True)), capture(10800)])
    assert model.emitted == []


def test_a_line_that_a_later_version_drops_leaves_the_account_it_was_booked_to() -> None:
    wrap = line("w", "fee", product="", list=300, taxes=())
    model = Model().tell([placed(order([THREE, wrap])), capture(11100), parcel("p", {"a": 3})])
    assert model.balances["fee-income"] == -300
    model.tell([changed(order([THREE], at=6), 6)])
    assert model.balances["fee-income"] == 0
    assert model.balances["sales/unassigned"] == -10000


def test_a_line_that_moves_to_another_department_is_booked_out_of_the_old_one() -> None:
    model = Model().tell([placed(order([THREE])), capture(10800), parcel("p", {"a": 3})])
    moved = msgspec.structs.replace(THREE, department="shoes")
    model.tell([changed(order([moved], at=6), 6)])
    assert model.balances["sales/unassigned"] == 0
    assert model.balances["sales/shoes"] == -10000
    (last,) = [body for body in model.emitted[-1:] if isinstance(body, SaleRecognised)]
    assert last.lines == (
        ValuedLine("goods", -10000, line="a"),
        ValuedLine("goods", 10000, department="shoes", line="a"),
    )


def test_duties_and_fees_given_back_lower_their_own_income() -> None:
    lines = [THREE, line("d", "duty", product="", list=700, taxes=())]
    gone = [placed(order(lines)), capture(11500), parcel("p", {"a": 3})]
    model = Model().tell([*gone, refund("r", adjustments=[RefundAdjustment("duty", 700)])])
    assert model.balances["duties-payable"] == 0
    assert model.items[("customer-deposits", KEY)] == 0


def test_a_short_answer_is_noticed_and_an_answer_to_an_older_question_is_not() -> None:
    short: dict[str, Any] = {"version": 1, "product": "sku-a", "wanted": 3000, "free": 1000}
    model = Model().tell([placed(order([THREE]))])
    model.tell([StockShort(**short, **about(7))])
    assert model.notices == ["stock_short"]
    model.tell([parcel("p", {"a": 1})])
    assert [b.version for b in model.emitted if isinstance(b, ReserveStock)] == [1, 2]
    model.tell([StockShort(**short, **about(7))])
    assert model.notices == ["stock_short"]


def test_a_document_once_accepted_stays_accepted() -> None:
    model = Model().tell([placed(order([THREE])), capture(10800)])
    answer: dict[str, Any] = {
        "operation": f"{KEY}/sales_order",
        "kind": "sales_order",
        "destination": "erp",
    }
    model.tell([DocumentAccepted(remote_id="7", number="SO-7", **answer, **about(8))])
    model.tell([DocumentRefused(words="no", **answer, **about(9))])
    assert model.state.documents[f"{KEY}/sales_order"].number == "SO-7"


def test_names_with_odd_characters_are_moved_like_others() -> None:
    odd = line("a|b", product="sku|1")
    model = Model().tell([placed(order([odd])), parcel("p", {"a|b": 1})])
    assert model.movements() == {("wh", "sku|1"): -1000}
    assert model.state.wanted == {}


def test_the_invoice_says_where_the_goods_left_from() -> None:
    facts = [placed(order([THREE])), parcel("p", {"a": 1}, place="store")]
    (invoice,) = Model(POLICIES).tell(facts).documents("invoice")
    assert isinstance(invoice.body, InvoiceDocument)
    assert invoice.body.location == "store"
    assert invoice.body.lines[0].quantity == 1000
    assert version(2) > version(1)


def test_what_leaves_is_first_let_go_and_what_returns_is_back_before_it_is_promised() -> None:
    told = [placed(order([THREE])), parcel("p", {"a": 3}, 2), parcel("p", {"a": 3}, 3, "cancelled")]
    model = Model().tell(told)
    stock = [b for b in model.emitted if isinstance(b, ReserveStock | MoveStock)]
    assert [type(body).__name__ for body in stock] == [
        "ReserveStock",
        *("ReserveStock", "MoveStock"),
        *("MoveStock", "ReserveStock"),
    ]
    assert [sum(one.quantity for one in body.lines) for body in stock] == [
        3000,
        0,
        -3000,
        3000,
        3000,
    ]


def test_equal_values_of_a_line_are_stored_as_equal_bytes() -> None:
    told = msgspec.json.decode(b'{"kind":"goods","quantity":1}', type=LineValue)
    assert msgspec.json.encode(told) == msgspec.json.encode(LineValue(quantity=1))
    assert LineValue(kind="shipping").kind == "shipping"
