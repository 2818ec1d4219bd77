"""Random receipts, written in each dialect, come back with the same totals."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.connectors.poslog import receipts
from tests.connectors.poslog.receipts import DIALECTS, Slip, Thing
from tillbridge.connectors.poslog import connector


@st.composite
def things(draw: st.DrawFn, number: int) -> Thing:
    pieces = draw(st.integers(1, 4))
    price = draw(st.integers(1, 5000))
    discount = draw(st.one_of(st.just(0), st.integers(0, pieces * price)))
    tax = draw(st.integers(0, (pieces * price - discount) // 5))
    return Thing(f"item-{number}", pieces, price, discount, tax, draw(st.booleans()) and number > 0)


@st.composite
def slips(draw: st.DrawFn) -> Slip:
    count = draw(st.integers(1, 6))
    found = tuple(draw(things(number)) for number in range(count))
    back = draw(st.booleans())
    return Slip(found, back, 0 if back else draw(st.sampled_from((0, 5, 1234))))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.__name__)
@given(slip=slips())
@example(slip=Slip((Thing("item-0", 1, 15, discount=10),), back=True))
@settings(max_examples=120, deadline=None)
def test_every_dialect_tells_the_same_receipt(dialect: object, slip: Slip) -> None:
    assert callable(dialect)
    found = receipts.translated(receipts.document(dialect(slip))).facts[0]
    if type(found).__name__ == "TillNoted":
        assert slip.paid + slip.tax == 0
        return
    fact = receipts.rung(dialect(slip))
    tax = sum(tax.amount for line in fact.lines for tax in line.taxes)
    tax += sum(tax.amount for tax in fact.taxes)
    assert fact.total == slip.sign * (slip.paid + slip.tax)
    assert tax == slip.sign * slip.tax
    assert receipts.proof(fact) == (0, 0)
    assert {line.product: line.quantity for line in fact.lines} == {
        thing.item: slip.sign * 1000 * thing.pieces for thing in slip.counting
    }
    if any(line.net for line in fact.lines):
        wanted = "return" if slip.back else "sale"
        assert {line.direction for line in fact.lines if line.net} == {wanted}


@given(slip=slips(), dialect=st.sampled_from(DIALECTS), cut=st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_chunks_of_any_size_cut_the_same(slip: Slip, dialect: object, cut: int) -> None:
    assert callable(dialect)
    data = receipts.document(dialect(slip), "<!-- </Transaction> -->", dialect(slip))
    slow = list(connector.split(Slow(data, cut), "day.xml", receipts.CONNECTION))
    assert slow == receipts.items(data)
    assert [item.problem for item in slow] == ["", ""]


class Slow(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._size = size

    def read(self, size: int | None = -1) -> bytes:
        del size
        return super().read(self._size)
