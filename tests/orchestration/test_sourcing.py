"""Which places are asked for an order, and in what order."""

from __future__ import annotations

import pytest

from tests.orchestration.trade import line, order
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.orders import Order, Place
from tillbridge.orchestration.sourcing import (
    FAILURES_MOST,
    Point,
    Site,
    Sourcing,
    kilometres,
    parse_areas,
)

NEW_YORK, BOSTON, TORONTO = (40.71, -74.01), (42.36, -71.06), (43.65, -79.38)
PLACES = ("wh", "nyc", "bos", "tor")
AREAS: dict[tuple[str, str], Point] = {("US", "021"): BOSTON, ("CA", ""): TORONTO}
ASKED = order([line("a")])


def _sourcing(**sites: Site) -> Sourcing:
    known = {"nyc": Site(at=NEW_YORK), "bos": Site(at=BOSTON), "tor": Site(at=TORONTO), **sites}
    return Sourcing(known, AREAS)


def _to(country: str, area: str) -> Order:
    return order([line("a")], ship_to=Place(country, "", area))


def test_a_channel_is_served_in_the_order_it_is_written() -> None:
    assert _sourcing().candidates(ASKED, PLACES, None) == PLACES


def test_the_nearest_place_is_asked_first_and_an_unlocated_one_last() -> None:
    found = _sourcing().candidates(_to("US", "021"), PLACES, 1)
    assert found == ("bos", "nyc", "tor", "wh")


def test_a_longer_area_is_looked_up_by_its_beginning_and_else_by_its_country() -> None:
    there = _to("US", "0213")
    assert _sourcing().candidates(there, PLACES, 1)[0] == "bos"
    there = _to("CA", "M5V")
    assert _sourcing().candidates(there, PLACES, 1)[0] == "tor"


def test_a_parcel_that_costs_more_weighs_as_much_as_kilometres() -> None:
    dear = _sourcing(bos=Site(at=BOSTON, cost=900))
    near = _to("US", "021")
    assert dear.candidates(near, PLACES, 1)[:2] == ("nyc", "tor")  # 306 km, 691 km, then 900
    assert dear.candidates(near, PLACES, 5)[0] == "bos"


def test_where_nobody_knows_the_buyers_area_only_the_cost_counts() -> None:
    cheap = _sourcing(tor=Site(at=TORONTO, cost=-1))
    far = _to("DE", "10")
    assert cheap.candidates(far, PLACES, 1) == ("tor", "wh", "nyc", "bos")


def test_what_the_buyer_collects_is_served_by_that_place_alone() -> None:
    collected = order([line("a")], collect_at="bos")
    assert _sourcing().candidates(collected, PLACES, None) == ("bos",)
    assert _sourcing().candidates(collected, PLACES, None, ("bos",)) == ()
    closed = _sourcing(bos=Site(collects=False))
    assert closed.candidates(collected, PLACES, None) == ()


def test_places_that_failed_are_not_asked_and_after_five_a_person_is() -> None:
    assert _sourcing().candidates(ASKED, PLACES, None, ("wh",)) == PLACES[1:]
    many = tuple(f"s{n}" for n in range(FAILURES_MOST))
    assert _sourcing().candidates(ASKED, PLACES, None, many[1:]) == PLACES
    assert _sourcing().candidates(ASKED, PLACES, None, many) == ()


def test_a_distance_is_that_of_the_globe() -> None:
    assert kilometres(NEW_YORK, BOSTON) == 306
    assert kilometres((0.0, 179.5), (0.0, -179.5)) == 111
    assert kilometres(BOSTON, BOSTON) == 0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("US,100,91,0", "areas.csv:2: no such point on earth: 91, 0"),
        ("US,100,nan,0", "areas.csv:2: no such point on earth: nan, 0"),
        ("US,100,x,0", "areas.csv:2: could not convert"),
        ("US,100,1", "areas.csv:2: the columns are country, area, latitude, longitude"),
    ],
)
def test_a_mistake_in_the_table_names_file_and_line(row: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_areas(f"country,area,latitude,longitude\n{row}\n", "areas.csv")
    assert words in refused.value.words


def test_areas_are_read_from_a_table() -> None:
    text = "country,area,latitude,longitude\nus, 021 ,42.36,-71.06\n"
    assert parse_areas(text, "areas.csv") == {("US", "021"): BOSTON}
