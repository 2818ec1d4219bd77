"""What comes back of an order: in stages, anywhere, never more than left, and never twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import (
    KEY,
    POLICIES,
    Model,
    about,
    capture,
    line,
    order,
    parcel,
    placed,
    refund,
    version,
)
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.orders import OrderLine, TaxLine
from tillbridge.canonical.returns import (
    GoodsReturned,
    RefundIssued,
    RefundLine,
    RefundPayment,
    ReturnAuthorized,
    ReturnCancelled,
    ReturnedLine,
    ReturnInspected,
)
from tillbridge.canonical.sales import SaleLine, SaleRung, SaleTender, SaleVoided
from tillbridge.canonical.stock import MoveStock
from tillbridge.canonical.valued import RefundPaid
from tillbridge.orchestration.orders.refunding import rank_of, refundable
from tillbridge.orchestration.orders.value import part
from tillbridge.orchestration.policies import Policies
from tillbridge.orchestration.sales.returns import returned, voided, without_receipt
from tillbridge.orchestration.terms import parse_terms

_SETTINGS = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
THREE = line("a", quantity=3000, list=10000, taxes=(TaxLine("t", "us-ny", 800),))
RANK = rank_of(("gift_card", "card"), POLICIES.kind_of)


def received(
    name: str,
    lines: dict[str, int],
    at: int = 10,
    *,
    disposition: str = "",
    place: str = "store",
    receipt: str = "",
) -> GoodsReturned:
    """Goods received; lines: name -> pieces."""
    return GoodsReturned(
        return_id=name,
        version=version(at),
        location=place,
        lines=tuple(ReturnedLine(n, q * 1000, "", disposition) for n, q in lines.items()),
        receipt=receipt,
        **about(at),
    )


def inspected(name: str, fates: Sequence[tuple[str, int, str]], at: int = 12) -> ReturnInspected:
    """What becomes of received goods: (line, pieces, disposition)."""
    lines = tuple(ReturnedLine(n, q * 1000, "", fate) for n, q, fate in fates)
    return ReturnInspected(return_id=name, version=version(at), lines=lines, **about(at))


def rung(number: int, back: Sequence[tuple[str, int, int, int]], entity: str = "us") -> SaleRung:
    """A till takes goods of the order back; back: (product, pieces, net, tax) of each line."""
    lines = tuple(
        SaleLine(
            str(n), "goods", "return", product, -pieces * 1000, -net,
            taxes=(TaxLine("t", "us-ny", -tax),), department="shoes",
        )
        for n, (product, pieces, net, tax) in enumerate(back, 1)
    )  # fmt: skip
    total = -sum(net + tax for _, _, net, tax in back)
    told: dict[str, Any] = {**about(20 + number), "entities": Entities(selling=entity)}
    told |= {"key": f"sale/{number}", "id": f"sale/{number}"}
    return SaleRung(
        **told,
        location="store",
        channel="stores",
        till="4",
        sequence=str(number),
        currency="USD",
        total=total,
        lines=lines,
        tenders=(SaleTender("cash", "cash", total),) if total else (),
        links=(KEY,),
    )


def conditions(model: Model) -> dict[tuple[str, str], int]:
    """Whole pieces by location and condition that all movements sum to."""
    sums: dict[tuple[str, str], int] = {}
    for body in model.emitted:
        if isinstance(body, MoveStock):
            for one in body.lines:
                place = (one.location, one.condition)
                sums[place] = sums.get(place, 0) + one.quantity // 1000
    return {place: pieces for place, pieces in sums.items() if pieces}


SOLD = [placed(order([THREE])), capture(10800), parcel("p", {"a": 3})]


def test_goods_stand_apart_until_somebody_looked_at_them() -> None:
    model = Model().tell([*SOLD, received("r", {"a": 3})])
    assert conditions(model) == {("wh", "sellable"): -3, ("store", "quarantine"): 3}
    model.tell([inspected("r", [("a", 1, "restock"), ("a", 1, "damaged"), ("a", 1, "write_off")])])
    assert conditions(model) == {
        ("wh", "sellable"): -3,
        ("store", "sellable"): 1,
        ("store", "damaged"): 1,
    }
    thrown = [b for b in model.emitted if isinstance(b, MoveStock) and b.kind == "adjustment"]
    assert [body.cause for body in thrown] == ["write_off"]
    assert model.balances == Model().tell(SOLD).balances  # goods alone give no money back


def test_more_than_left_is_a_case_and_counts_when_its_shipment_is_told() -> None:
    facts = [
        SOLD[0],
        SOLD[1],
        parcel("p", {"a": 1}),
        received("r", {"a": 2}, disposition="restock"),
    ]
    model = Model().tell(facts)
    assert model.notices == ["return_beyond_shipment"]
    assert model.state.returned == {"a": 1000}
    assert conditions(model) == {("wh", "sellable"): -1, ("store", "sellable"): 1}
    model.tell([parcel("q", {"a": 2}, 13)])
    assert model.settled == ["return_beyond_shipment"]
    assert model.state.returned == {"a": 2000}


def test_a_refund_that_restocks_and_a_receipt_tell_of_the_same_goods() -> None:
    back = RefundLine("a", 2000, 6666, (TaxLine("t", "us-ny", 533),), "return", "store")
    model = Model().tell([*SOLD, refund("f", [back]), received("r", {"a": 1}, place="wh")])
    assert conditions(model) == {
        ("wh", "sellable"): -3,
        ("wh", "quarantine"): 1,
        ("store", "sellable"): 1,
    }
    assert model.state.returned == {"a": 2000}


def test_what_was_authorised_books_nothing_and_can_be_called_off() -> None:
    allowed = ReturnAuthorized(
        return_id="r", version=version(5), lines=(ReturnedLine("a", 1000),), **about(5)
    )
    model = Model().tell([*SOLD, allowed])
    assert model.state.returns["r"].expected == allowed.lines
    assert model.end() == Model().tell(SOLD).end()
    model.tell([ReturnCancelled(return_id="r", version=version(6), **about(6))])
    assert model.state.returns["r"].expected == ()


def test_a_till_of_the_seller_books_its_return_and_the_order_only_counts_it() -> None:
    model = Model().tell([*SOLD, *returned(rung(1, [("sku-a", 1, 3333, 267)]))])
    assert model.state.returned == {"a": 1000}
    assert model.balances == Model().tell(SOLD).balances
    assert conditions(model) == {("wh", "sellable"): -3}
    assert refundable(model.state, RANK) == {"visa": 7200}
    whole = RefundLine("a", 3000, 10000, (TaxLine("t", "us-ny", 800),), "return", "store")
    model.tell([refund("f", [whole], 30)])  # the shop gives all of it back as well
    assert [
        sum(t.amount for t in b.tenders) for b in model.emitted if isinstance(b, RefundPaid)
    ] == [7200]
    assert model.notices == ["refund_beyond_payment"]
    assert conditions(model) == {("wh", "sellable"): -3, ("store", "sellable"): 2}


def test_a_store_of_another_entity_is_owed_what_it_paid() -> None:
    sale = rung(1, [("sku-a", 1, 3400, 200)], "ca")
    model = Model().tell([*SOLD, *returned(sale)])
    model.post(sale)
    (credit,) = model.documents("credit_note")
    assert credit.body.total == 3600
    left = {account: amount for account, amount in model.balances.items() if amount}
    assert left == {
        "clearing/visa": 10800,
        "till/store/cash": -3600,
        "due-to/ca": -3600,
        "due-from/us": 3600,
        "sales/unassigned": -10000 + 3333,
        "discounts/unassigned": 67,  # the store paid more than a third of what they cost
        "sales-tax/us-ny": -800 + 200,
    }
    assert model.items[("customer-deposits", KEY)] == 0


def test_a_till_return_that_is_voided_never_happened() -> None:
    sale = rung(1, [("sku-a", 1, 3400, 200)], "ca")
    void = _void(sale)
    told = [*SOLD, *returned(sale), *voided(void, (KEY,))]
    assert Model().tell(told).end() == Model().tell(SOLD).end()
    assert Model().tell(reversed(told)).end() == Model().tell(SOLD).end()


def test_what_a_till_paid_in_another_currency_stays_with_the_store() -> None:
    sale = msgspec.structs.replace(rung(1, [("sku-a", 1, 3400, 200)], "ca"), currency="CAD")
    model = Model().tell([*SOLD, *returned(sale)])
    assert model.notices == ["return_in_other_currency"]
    assert model.state.returned == {"a": 1000}
    assert model.balances == Model().tell(SOLD).balances


def test_a_refund_without_a_tender_goes_back_in_the_order_of_the_policy() -> None:
    paid = [capture(3000, 1, "gift-card", "c1"), capture(7800, 1, "visa", "c2")]
    back = RefundIssued(
        refund="f", version=version(9), currency="USD", payments=(RefundPayment("x", "", 4000),),
        **about(9),
    )  # fmt: skip
    model = Model().tell([SOLD[0], *paid, SOLD[2], back])
    assert model.state.refunded == {"gift-card": 3000, "visa": 1000}
    assert refundable(model.state, RANK) == {"visa": 6800}
    backwards = Model().tell(reversed([SOLD[0], *paid, SOLD[2], back]))
    assert backwards.state.refunded == model.state.refunded


def test_store_credit_for_what_was_paid_by_card_lowers_what_the_card_may_get() -> None:
    given = RefundIssued(
        refund="f", version=version(9), currency="USD",
        payments=(RefundPayment("x", "store-credit", 3600),), **about(9),
    )  # fmt: skip
    model = Model().tell([*SOLD, given])
    assert refundable(model.state, RANK) == {"visa": 7200}


def test_goods_back_without_a_receipt_are_noticed_where_the_policy_says_so() -> None:
    sale = msgspec.structs.replace(rung(1, [("sku-a", 1, 925, 75)]), links=())
    assert without_receipt(sale, POLICIES) == ()
    terms = parse_terms('[[policy]]\nreturn_without_receipt = "store_credit"\n')
    (notice,) = without_receipt(sale, Policies(sale=terms))
    assert (notice.reason, notice.amount) == ("return_without_receipt", 1000)
    credit = (SaleTender("credit", "store_credit", -1000),)
    paid = msgspec.structs.replace(sale, tenders=credit)
    assert without_receipt(paid, Policies(sale=terms)) == ()
    linked = msgspec.structs.replace(sale, links=(KEY,))
    assert without_receipt(linked, Policies(sale=terms)) == ()


# -- whatever order, however often ----------------------------------------------------------------


def _void(sale: SaleRung) -> SaleVoided:
    told = {**about(50), "key": sale.key}
    return SaleVoided(**told, location="store", till="4", sequence="9", voided=sale.key)


class Life(msgspec.Struct, frozen=True):
    """Everything told of an order all of which came back, and the tills' own sales."""

    facts: tuple[Fact, ...]
    tills: tuple[SaleRung, ...]
    lines: tuple[OrderLine, ...]


@st.composite
def lives(draw: st.DrawFn, *, whole: bool = False) -> Life:
    """whole: every piece comes back and its money with it."""
    lines = [
        line(
            f"g{n}",
            quantity=draw(st.integers(1, 4)) * 1000,
            list=draw(st.integers(100, 9999)),
            taxes=(TaxLine("t", "us-ny", draw(st.integers(0, 700))),),
        )
        for n in range(draw(st.integers(1, 2)))
    ]
    total = sum(one.gross for one in lines)
    first = draw(st.integers(1, total - 1))
    facts: list[Fact] = [
        placed(order(lines)),
        capture(first, 1, "visa", "c1"),
        capture(total - first, 1, "gift-card", "c2"),
    ]
    tills: list[SaleRung] = []
    for n, one in enumerate(lines):
        pieces = one.quantity // 1000
        cut = draw(st.integers(0, pieces))
        for at, sent in enumerate((cut, pieces - cut)):
            if sent:
                facts.append(
                    parcel(f"p{n}{at}", {one.line: sent}, 2 + at, place=("wh", "store")[at])
                )
        for piece in range(pieces):
            net = part(one.net, piece + 1, pieces) - part(one.net, piece, pieces)
            tax = one.taxes[0].amount
            tax = part(tax, piece + 1, pieces) - part(tax, piece, pieces)
            fate = draw(
                st.sampled_from(("post", "us", "ca") if whole else ("kept", "post", "us", "ca"))
            )
            if fate == "post":
                facts += _by_post(draw, f"{n}{piece}", one, net, tax, whole=whole)
            elif fate != "kept":
                tills.append(rung(10 * n + piece, [(one.product, 1, net, tax)], fate))
                facts += returned(tills[-1])
                if not whole and draw(st.booleans()):
                    void = _void(tills[-1])
                    facts += voided(void, (KEY,))
    return Life(tuple(facts), tuple(tills), tuple(lines))


def _by_post(
    draw: st.DrawFn, name: str, one: OrderLine, net: int, tax: int, *, whole: bool
) -> list[Fact]:
    """One piece: allowed, received, looked at, refunded by no named tender; stages may lack."""
    back = ReturnedLine(one.line, 1000)
    restock = draw(st.sampled_from(("return", "no_restock")))
    given = RefundLine(one.line, 1000, net, (TaxLine("t", "us-ny", tax),), restock, "store")
    paid = (RefundPayment(f"x{name}", "", net + tax),)
    stages: list[Fact] = [
        ReturnAuthorized(return_id=name, version=version(4), lines=(back,), **about(4)),
        received(name, {one.line: 1}, 30),
        inspected(name, [(one.line, 1, draw(st.sampled_from(("restock", "damaged"))))], 31),
        RefundIssued(
            refund=name, version=version(32), currency="USD", lines=(given,), payments=paid,
            **about(32),
        ),
    ]  # fmt: skip
    return stages if whole else [fact for fact in stages if draw(st.booleans())]


@_SETTINGS
@given(life=lives(), data=st.data())
def test_any_order_duplication_and_cut_of_a_return_ends_the_same(
    life: Life, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(life.facts), max_size=4))
    shuffled = data.draw(st.permutations([*life.facts, *again]))
    cut = data.draw(st.integers(0, len(shuffled)))
    model = Model().tell(shuffled[:cut])
    model.state = msgspec.json.decode(msgspec.json.encode(model.state), type=type(model.state))
    assert model.tell(shuffled[cut:]).end() == Model().tell(life.facts).end()


@_SETTINGS
@given(life=lives(), data=st.data())
def test_at_every_step_returned_is_within_shipped_and_refunded_within_captured(
    life: Life, data: st.DataObject
) -> None:
    model = Model()
    for fact in data.draw(st.permutations(life.facts)):
        model.tell([fact])
        state = model.state
        gone: dict[str, int] = {}
        for one in state.shipments.values():
            for piece in one.lines:
                gone[piece.line] = gone.get(piece.line, 0) + piece.quantity
        assert all(quantity <= gone.get(name, 0) for name, quantity in state.returned.items())
        assert sum(state.refunded.values()) <= sum(state.deposited.values())
        assert all(amount >= 0 for amount in refundable(state, RANK).values())


@_SETTINGS
@given(life=lives(whole=True), data=st.data())
def test_a_sale_that_came_back_whole_leaves_nothing_anywhere(
    life: Life, data: st.DataObject
) -> None:
    model = Model().tell(data.draw(st.permutations(life.facts)))
    for sale in life.tills:
        model.post(sale)
    left = {account: amount for account, amount in model.balances.items() if amount}
    # a till knows departments of its own and splits a cent elsewhere; what it took back was sold
    sales = sum(left.pop(n) for n in list(left) if n.startswith(("sales/", "discounts/")))
    money = sum(left.pop(n) for n in list(left) if n.startswith(("clearing/", "till/", "gift-")))
    owed = left.pop("due-to/ca", 0) + left.pop("due-from/us", 0)
    assert (sales, money, owed, left) == (0, 0, 0, {})
    assert {item: amount for item, amount in model.items.items() if amount} == {}
    assert model.state.returned == {one.line: one.quantity for one in life.lines}
    at_tills = sum(-one.quantity for sale in life.tills for one in sale.lines)
    assert sum(model.movements().values()) + at_tills == 0
    assert refundable(model.state, RANK) == {}


def test_a_tax_that_only_the_receipt_tells_is_owed_and_taken_back_too() -> None:
    lines = rung(1, [("sku-a", 1, 3400, 200)], "ca")
    receipt = msgspec.structs.replace(
        lines,
        lines=tuple(msgspec.structs.replace(one, taxes=()) for one in lines.lines),
        taxes=(TaxLine("t", "us-ny", -200),),
    )
    ends = [Model().tell([*SOLD, *returned(told)]).end() for told in (lines, receipt)]
    assert ends[0] == ends[1]
    assert ends[0]["balances"]["due-to/ca"] == -3600
