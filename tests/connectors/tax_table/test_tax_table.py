"""The table of rates: which row holds, and not a cent lost."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbridge.atoms.errors import Refused
from tillbridge.canonical.orders import Place
from tillbridge.canonical.taxes import TaxDocument, TaxItem
from tillbridge.connectors.tax_table.calculation import rounded, taxes_of, whole
from tillbridge.connectors.tax_table.config import TaxTableSettings
from tillbridge.connectors.tax_table.rates import parse_rates

TABLE = """place,category,code,jurisdiction,rate_ppm,from
US,*,none,us,0,2026-01-01
US-NY,*,state,us-ny,40000,2026-01-01
US-NY,*,state,us-ny,42500,2026-07-01
US-NY,*,city,us-nyc,45000,2026-01-01
US-NY,clothing,state,us-ny,0,2026-01-01
US-NY-122,*,state,us-ny,10000,2026-01-01
DE,*,de-19,de,190000,2026-01-01
DE,shipping,de-7,de,70000,2026-01-01
"""


def settings(**words: str) -> TaxTableSettings:
    told = msgspec.convert(words, TaxTableSettings)
    return told.with_files(lambda _: TABLE)


def document(*items: TaxItem, place: Place, day: date = date(2026, 3, 2)) -> TaxDocument:
    return TaxDocument(
        code="tax/order/web/1/order",
        number="#1",
        channel="web",
        currency="EUR",
        direction="sale",
        document_date=day,
        tax_date=day,
        items=items,
        ship_to=place,
    )


def item(amount: int, name: str = "1", **words: object) -> TaxItem:
    told = {"kind": "goods", "product": "P1", "quantity": 1000, **words}
    return msgspec.convert({"line": name, "amount": amount, **told}, TaxItem)


def amounts(found: TaxDocument, table: TaxTableSettings) -> list[dict[str, int]]:
    return [{tax.code: tax.amount for tax in one.taxes} for one in taxes_of(found, table)]


NEW_YORK, ALBANY, BERLIN = Place("US", "NY"), Place("US", "NY", "122"), Place("DE")


@pytest.mark.parametrize(
    ("place", "words", "day", "taxes"),
    [
        (NEW_YORK, {}, date(2026, 3, 2), {"state": 400, "city": 450}),
        (NEW_YORK, {}, date(2026, 7, 1), {"state": 425, "city": 450}),
        (NEW_YORK, {"category": "clothing"}, date(2026, 3, 2), {"state": 0}),
        (ALBANY, {"category": "clothing"}, date(2026, 3, 2), {"state": 100}),
        (Place("US", "OR"), {}, date(2026, 3, 2), {"none": 0}),
        (BERLIN, {"kind": "shipping"}, date(2026, 3, 2), {"de-7": 700}),
    ],
)
def test_the_narrowest_place_then_the_category_then_the_newest_row(
    place: Place, words: dict[str, str], day: date, taxes: dict[str, int]
) -> None:
    found = document(item(10000, **words), place=place, day=day)
    assert amounts(found, settings()) == [taxes]


def test_what_the_table_does_not_say_is_refused_with_line_and_place() -> None:
    for place, day in ((Place("FR"), date(2026, 3, 2)), (BERLIN, date(2025, 12, 31))):
        with pytest.raises(
            Refused, match=f"line 1: taxes.csv has no rate for goods at {place.country}"
        ):
            taxes_of(document(item(100), place=place, day=day), settings())
    with pytest.raises(Refused, match="an unknown place"):
        taxes_of(document(item(100), place=Place()), settings())
    assert amounts(document(item(100), place=Place()), settings(home="DE")) == [{"de-19": 19}]


def test_a_document_is_rounded_once_and_the_largest_remainders_get_the_cents() -> None:
    found = document(*(item(103, str(n)) for n in range(3)), place=BERLIN)  # 19.57 each, 58.71
    assert amounts(found, settings()) == [{"de-19": 20}] * 3
    by_document = amounts(found, settings(rounding="document"))
    assert [one["de-19"] for one in by_document] == [20, 20, 19]


@given(
    st.lists(st.tuples(st.integers(-5000, 50000), st.booleans()), min_size=1, max_size=6),
    st.sampled_from(("line", "document")),
)
def test_no_cent_is_lost(told: list[tuple[int, bool]], rounding: str) -> None:
    items = [item(amount, str(n), inclusive=inside) for n, (amount, inside) in enumerate(told)]
    found = document(*items, place=NEW_YORK)
    for one, lines in zip(items, taxes_of(found, settings(rounding=rounding)), strict=True):
        tax = sum(line.amount for line in lines.taxes)
        assert all(
            line.base == (one.amount - tax if one.inclusive else one.amount) for line in lines.taxes
        )
        exact = Fraction(one.amount * 85000, 1_085_000 if one.inclusive else 1_000_000)
        assert abs(tax - exact) <= 2


@given(st.lists(st.fractions(-100, 100, max_denominator=997), max_size=8))
def test_whole_numbers_sum_to_the_rounded_sum(parts: list[Fraction]) -> None:
    found = whole(parts)
    assert sum(found) == rounded(sum(parts, Fraction(0)))
    assert all(abs(one - part) <= 1 for one, part in zip(found, parts, strict=True))


def test_half_a_cent_goes_away_from_zero() -> None:
    assert [rounded(Fraction(n, 2)) for n in (1, -1, 3, -3, 4)] == [1, -1, 2, -2, 2]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("US,*,a,b,1.5,2026-01-01", "rate_ppm is a whole number"),
        ("US,*,a,b,1000000,2026-01-01", "below a million"),
        ("US,*,a,b,1,soon", "'soon' is no date"),
        ("US,*,,b,1,2026-01-01", "never empty"),
        ("US,*,none,b,1,2026-01-01", "begins twice on one day"),
        ("US,*,a", "the columns are"),
    ],
)
def test_a_row_that_cannot_be_is_told_with_its_line(row: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"taxes.csv:10: .*{words}"):
        parse_rates(f"{TABLE}{row}\n", "taxes.csv")
