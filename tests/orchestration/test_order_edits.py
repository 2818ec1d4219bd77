"""Edits of an order: whatever versions were told in between, in whatever order and however often,
the end is that of the newest one told alone, and all that was booked sums to it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.orchestration.test_goods import GOODS, told_goods, told_lines
from tests.orchestration.trade import (
    Model,
    capture,
    changed,
    line,
    order,
    parcel,
    placed,
    refund,
)
from tillbridge.canonical.documents import CreditNoteDocument, InvoiceDocument
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import Order, OrderLine, Place, TaxLine
from tillbridge.canonical.returns import RefundLine
from tillbridge.canonical.valued import SaleRecognised
from tillbridge.orchestration.orders.state import LineValue
from tillbridge.orchestration.orders.value import SEP

_SETTINGS = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Edits(msgspec.Struct, frozen=True):
    """Versions of one order, the oldest first, and what else happened to it."""

    versions: tuple[Order, ...]
    others: tuple[Fact, ...]

    @property
    def facts(self) -> tuple[Fact, ...]:
        first, *later = self.versions
        told = [placed(first), *(changed(one, n) for n, one in enumerate(later, 1))]
        return (*told, *self.others)

    @property
    def newest_alone(self) -> tuple[Fact, ...]:
        return (placed(self.versions[-1]), *self.others)


@st.composite
def _lines(draw: st.DrawFn, name: str) -> OrderLine:
    pieces = draw(st.integers(1, 4))
    listed = draw(st.integers(0, 9999))
    return line(
        name,
        product=f"sku-{draw(st.sampled_from('ab'))}",
        quantity=pieces * 1000,
        list=listed,
        discount=draw(st.integers(0, listed)),
        taxes=tuple(
            TaxLine("t", where, draw(st.integers(0, 997)))
            for where in draw(st.sampled_from(((), ("us-ny",), ("us-ny", "us-nyc"))))
        ),
        department=draw(st.sampled_from(("", "shoes"))),
        promotion=draw(st.sampled_from(("", "spring"))),
    )


@st.composite
def edits(draw: st.DrawFn) -> Edits:
    """Lines come, go and change; goods leave and come back meanwhile; all is paid."""
    versions = []
    for at in range(draw(st.integers(2, 4))):
        names = draw(st.lists(st.sampled_from("wxyz"), unique=True, min_size=1, max_size=3))
        lines = [draw(_lines(name)) for name in names]
        if draw(st.booleans()):
            freight = draw(st.integers(0, 900))
            lines.append(line("s", "shipping", product="", list=freight, taxes=()))
        area = draw(st.sampled_from(("100", "941")))
        versions.append(order(lines, at=at, ship_to=Place("US", "NY", area), party=f"p{at}"))
    newest = versions[-1]
    others: list[Fact] = [capture(max(newest.total, 1), 10)]
    for number, one in enumerate(newest.lines):
        sent = draw(st.integers(0, one.quantity // 1000)) if one.kind == "goods" else 0
        if sent:
            place = draw(st.sampled_from(("wh", "store")))
            others.append(parcel(f"p{number}", {one.line: sent}, 20 + number, place=place))
            if draw(st.booleans()):
                back = RefundLine(
                    one.line, 1000, one.net * 1000 // one.quantity, (), "return", "wh"
                )
                others.append(refund(f"r{number}", [back], 30 + number))
    gone = draw(st.sampled_from("wxyz"))  # told of a line that the newest version may not have
    others.append(parcel("old", {gone: 1}, 25))
    return Edits(tuple(versions), tuple(others))


def end(model: Model) -> dict[str, Any]:
    """The end, and what the ERP holds: its order, goods and papers, line by line."""
    return {
        **model.end(),
        "order": told_lines(model),
        "goods": told_goods(model),
        "papers": papers(model),
        "held": model.state.order,
    }


def papers(model: Model) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    """Quantity of goods, net and tax of invoices less credit notes by line, product and kind."""
    sums: dict[tuple[str, str, str], list[int]] = {}
    for kind, sign in (("invoice", 1), ("credit_note", -1)):
        for document in model.documents(kind):
            assert isinstance(document.body, InvoiceDocument | CreditNoteDocument)
            for one in document.body.lines:
                row = sums.setdefault((one.line, one.product, one.kind), [0, 0, 0])
                tax = sum(amount for _, amount in one.taxes)
                pieces = (
                    one.quantity if one.kind == "goods" else 0
                )  # freight for nothing is no line
                for place, amount in enumerate((pieces, one.net, tax)):
                    row[place] += sign * amount
    return {key: (row[0], row[1], row[2]) for key, row in sums.items() if any(row)}


def recognised(model: Model) -> dict[tuple[str, ...], tuple[int, int]]:
    """List and discount that all recognised steps sum to, by line and where it is booked."""
    sums: dict[tuple[str, ...], list[int]] = {}
    for body in model.emitted:
        if isinstance(body, SaleRecognised):
            for one in body.lines:
                where = (one.line, one.kind, one.department, one.promotion, one.card)
                row = sums.setdefault(where, [0, 0])
                row[0] += one.list
                row[1] += one.discount
    return {where: (row[0], row[1]) for where, row in sums.items() if any(row)}


@_SETTINGS
@given(edited=edits(), data=st.data())
def test_the_end_is_that_of_the_newest_version_told_alone(
    edited: Edits, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(edited.facts), max_size=5))
    told = data.draw(st.permutations([*edited.facts, *again]))
    cut = data.draw(st.integers(0, len(told)))
    model = Model(GOODS).tell(told[:cut])
    model.state = msgspec.json.decode(msgspec.json.encode(model.state), type=type(model.state))
    assert end(model.tell(told[cut:])) == end(Model(GOODS).tell(edited.newest_alone))


@_SETTINGS
@given(edited=edits(), data=st.data())
def test_signed_differences_between_versions_sum_to_what_the_newest_says(
    edited: Edits, data: st.DataObject
) -> None:
    model = Model(GOODS)
    for fact in data.draw(st.permutations(edited.facts)):
        before = len(model.emitted)
        model.tell([fact])
        steps = [one for one in model.emitted[before:] if isinstance(one, SaleRecognised)]
        assert len(steps) <= 1  # one telling is at most one signed difference
        target = {
            (name.rsplit(SEP, maxsplit=1)[-1], *value.belongs): (value.list, value.discount)
            for name, value in model.state.recognised.items()
            if value.list or value.discount
        }
        assert recognised(model) == target
    assert model.state.order == edited.versions[-1]


def test_a_dearer_price_a_line_more_and_another_address_are_one_change_each() -> None:
    first = order([line("a", quantity=2000, list=2000, taxes=())])
    dearer = order([line("a", quantity=2000, list=2600, taxes=())], at=1)
    longer = order([*dearer.lines, line("b", list=500, taxes=())], at=2)
    moved = msgspec.structs.replace(longer, version=order([], at=3).version, ship_to=Place("CA"))
    model = Model(GOODS).tell([placed(first), capture(3100), parcel("p", {"a": 1})])
    model.tell([changed(dearer, 1), changed(longer, 2), changed(moved, 3), changed(first, 0)])
    totals = [one.body.total for one in model.documents("sales_order_change")]
    assert totals == [2600, 3100, 3100]
    assert [one.body.total for one in model.documents("invoice")] == [1000, 300]
    assert model.state.wanted == {"a": 1000, "b": 1000}
    assert model.state.recognised == {"a": LineValue(1000, 1300)}
    assert Counter(model.balances)["sales/unassigned"] == -1300


def lines_of(document: Any) -> list[tuple[str, str, int, int, tuple[tuple[str, int], ...]]]:
    rows = document.body.lines
    return [(one.line, one.product, one.quantity, one.net, one.taxes) for one in rows]


def test_a_step_that_sums_to_nothing_has_its_paper_too() -> None:
    gift = line("g", list=500, discount=500, taxes=())
    taxed = line("a", list=1000, taxes=(TaxLine("t", "us-ny", 80),))
    model = Model().tell([placed(order([gift, taxed])), capture(1080), parcel("p", {"g": 1})])
    (free,) = model.documents("invoice")
    assert (free.body.total, lines_of(free)) == (0, [("g", "sku-g", 1000, 0, ())])
    model.tell([parcel("q", {"a": 1}, 3)])
    city = msgspec.structs.replace(taxed, taxes=(TaxLine("t", "us-nyc", 80),))
    model.tell([changed(order([gift, city], at=6), 6)])
    *_, last = model.documents("invoice")
    assert (last.body.total, lines_of(last)) == (
        0, [("a", "sku-a", 0, 0, (("us-ny", -80), ("us-nyc", 80)))],
    )  # fmt: skip


def test_what_was_invoiced_under_another_product_leaves_under_that_one() -> None:
    first = order([line("a"), line("b")])
    model = Model().tell([placed(first), capture(2200), parcel("p", {"a": 1, "b": 1})])
    model.tell([changed(order([line("a", product="sku-z")], at=6), 6)])
    (note,) = model.documents("credit_note")
    assert note.body.total == 1100
    assert [(one.line, one.product, one.quantity, one.net) for one in note.body.lines] == [
        ("a", "sku-a", 1000, 1000), ("a", "sku-z", -1000, -1000), ("b", "sku-b", 1000, 1000),
    ]  # fmt: skip
    assert model.balances["sales/unassigned"] == -1000
