"""Taxes of a document by a table of rates: exact fractions, whole minor units at the end. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tillbridge.atoms.errors import Refused
from tillbridge.canonical.orders import Place, TaxLine
from tillbridge.canonical.taxes import LineTaxes, TaxDocument, TaxItem
from tillbridge.connectors.tax_table.config import TaxTableSettings
from tillbridge.connectors.tax_table.rates import PPM, Rate, in_force


def taxes_of(document: TaxDocument, settings: TaxTableSettings) -> tuple[LineTaxes, ...]:
    """Taxes of every item in the document's direction; an item's amounts sum to its inclusive
    amount exactly. Raises Refused naming line, place and category.
    """
    held = [_held(document, item, settings) for item in document.items]
    exact = [
        [_exact(item, rate, rates) for rate in rates]
        for item, rates in zip(document.items, held, strict=True)
    ]
    amounts = _by_document(held, exact) if settings.rounding == "document" else _by_line(exact)
    return tuple(
        LineTaxes(item.line, _lines(item, rates, cents))
        for item, rates, cents in zip(document.items, held, amounts, strict=True)
    )


def whole(parts: Sequence[Fraction]) -> list[int]:
    """Fractions as whole numbers that sum to their rounded sum; the largest remainders get what is
    left, ties go to the earlier one.
    """
    floors = [part.numerator // part.denominator for part in parts]
    left = rounded(sum(parts, Fraction(0))) - sum(floors)
    order = sorted(range(len(parts)), key=lambda n: (floors[n] - parts[n], n))
    for n in order[:left]:
        floors[n] += 1
    return floors


def rounded(value: Fraction) -> int:
    """The nearest whole number, half away from zero."""
    size = (abs(value) + Fraction(1, 2)).__floor__()
    return size if value >= 0 else -size


def _held(document: TaxDocument, item: TaxItem, settings: TaxTableSettings) -> tuple[Rate, ...]:
    places = places_of(document.ship_to) or ([settings.home.upper()] if settings.home else [])
    categories = [item.category] if item.category else []
    if item.kind != "goods":
        categories = [item.kind, *categories]
    found = in_force(settings.rates, places, categories, document.tax_date)
    if found is None:
        where = places[0] if places else "an unknown place"
        what = categories[0] if categories else "goods"
        raise Refused(
            f"line {item.line}: {settings.table} has no rate for {what} at {where} on "
            f"{document.tax_date}; add a row and start the hub again",
            code="rate",
        )
    return found


def places_of(place: Place) -> list[str]:
    """Names of a place as the table may say it, the narrowest first."""
    parts = [part.upper() for part in (place.country, place.region, place.postcode_area)]
    if not parts[0]:
        return []
    names = [parts[0]]
    if parts[1]:
        names.append(f"{parts[0]}-{parts[1]}")
        if parts[2]:
            names.append(f"{parts[0]}-{parts[1]}-{parts[2]}")
    return names[::-1]


def _exact(item: TaxItem, rate: Rate, rates: Sequence[Rate]) -> Fraction:
    """A tax of an item; taxes of one place do not tax each other."""
    beside = sum(one.rate_ppm for one in rates) if item.inclusive else 0
    return Fraction(item.amount * rate.rate_ppm, PPM + beside)


def _by_line(exact: Sequence[Sequence[Fraction]]) -> list[list[int]]:
    return [[rounded(part) for part in parts] for parts in exact]


def _by_document(
    held: Sequence[Sequence[Rate]], exact: Sequence[Sequence[Fraction]]
) -> list[list[int]]:
    """Each tax is rounded once over all lines."""
    cents = [[0] * len(parts) for parts in exact]
    places: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for line, rates in enumerate(held):
        for n, rate in enumerate(rates):
            places.setdefault((rate.code, rate.jurisdiction), []).append((line, n))
    for spots in places.values():
        shares = whole([exact[line][n] for line, n in spots])
        for (line, n), share in zip(spots, shares, strict=True):
            cents[line][n] = share
    return cents


def _lines(item: TaxItem, rates: Sequence[Rate], cents: Sequence[int]) -> tuple[TaxLine, ...]:
    base = item.amount - sum(cents) if item.inclusive else item.amount
    return tuple(
        TaxLine(
            code=rate.code,
            jurisdiction=rate.jurisdiction,
            amount=cent,
            base=base,
            rate_ppm=rate.rate_ppm,
        )
        for rate, cent in zip(rates, cents, strict=True)
    )
