"""What can be promised: figures of products and bundles, read as one set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from tillbridge.posting.stock.availability import (
    Asked,
    Available,
    Part,
    Standing,
    available,
    read,
    total,
)
from tillbridge.posting.stock.rules import Rule, Rules

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def rules(**says: int | bool) -> Rules:
    return Rules([Rule(says=says)])


def plain(step: int = 1000, on_hand: int = 0, reserved: int = 0, in_transit: int = 0) -> Asked:
    part = Part("p", places={"wh": Standing(on_hand, reserved, NOON, in_transit)})
    return Asked("p", step=step, known=True, parts={"p": part})


def test_available_is_on_hand_less_reserved_less_what_is_kept_back() -> None:
    asked = plain(on_hand=10_000, reserved=3_000)
    terms = rules(safety_stock=2_000, stale_after_minutes=60, stale_buffer=1_000)
    assert available(asked, terms, "web", NOON)["wh"] == Available(
        "wh", 10_000, 3_000, 2_000, 0, 0, 0, 5_000, NOON
    )
    later = available(asked, terms, "web", NOON + timedelta(hours=1))["wh"]
    assert (later.buffer, later.available) == (1_000, 4_000)


def test_supply_and_goods_on_their_way_count_where_the_rules_allow_them() -> None:
    asked = plain(on_hand=-1_000, in_transit=4_000)
    due = ((NOON + timedelta(days=2), 5_000), (NOON + timedelta(days=9), 50_000))
    asked.parts["p"].places["wh"].inbound = due
    assert available(asked, Rules(), "", NOON)["wh"].available == 0
    found = available(asked, rules(inbound_days=7, in_transit=True), "", NOON)["wh"]
    assert (found.inbound, found.in_transit, found.available) == (5_000, 4_000, 8_000)


def test_the_shortage_of_one_place_takes_nothing_from_another() -> None:
    part = Part("p", places={"a": Standing(-5_000), "b": Standing(3_000)})
    found = available(Asked("p", parts={"p": part}), Rules(), "", NOON)
    assert total(found) == 3_000


def test_nothing_below_the_smallest_quantity_is_promised() -> None:
    assert available(plain(on_hand=2_500), Rules(), "", NOON)["wh"].available == 2_000
    assert available(plain(step=1, on_hand=2_500), Rules(), "", NOON)["wh"].available == 2_500


def test_what_may_not_be_sold_is_not_available() -> None:
    asked = plain(on_hand=2_000)
    asked.sellable = False
    assert available(asked, Rules(), "", NOON)["wh"].available == 0


def test_a_bundle_is_there_as_often_as_its_scarcest_component_at_one_place() -> None:
    early = NOON - timedelta(hours=3)
    asked = Asked(
        "box",
        step=1000,
        parts={
            "a": Part("a", 2_000, places={"wh": Standing(9_000, 1_000, NOON)}),
            "b": Part("b", 500, places={"wh": Standing(1_700, heard_at=early), "x": Standing(99)}),
        },
    )
    found = available(asked, Rules([Rule(product=("b",), says={"safety_stock": 200})]), "", NOON)
    assert found["wh"] == Available("wh", 3_400, 0, 400, 0, 0, 0, 3_000, early, "b")
    assert found["x"].available == 0
    assert found["x"].limited_by == "a"


quantities = st.integers(-3_000, 9_000)


@given(st.lists(st.tuples(quantities, quantities, st.integers(1, 3_000)), min_size=1, max_size=4))
def test_the_components_of_every_promised_bundle_are_there(
    stands: list[tuple[int, int, int]],
) -> None:
    parts = {
        f"c{n}": Part(f"c{n}", each, places={"wh": Standing(on_hand, max(reserved, 0))})
        for n, (on_hand, reserved, each) in enumerate(stands)
    }
    found = available(Asked("box", step=1, parts=parts), Rules(), "", NOON)["wh"].available

    def there(bundles: int) -> bool:
        free = [
            (p.places["wh"].on_hand - p.places["wh"].reserved, p.quantity) for p in parts.values()
        ]
        return all(bundles * each <= left * 1000 for left, each in free)

    assert found == 0 or there(found)
    assert not there(found + 1)


def test_products_and_bundles_are_read_as_one_set(connection: Connection) -> None:
    connection.execute(
        "insert into item (product, step, category, sellable) values"
        " ('p', 1000, 'shoes', true), ('box', 1000, 'gifts', false)"
    )
    connection.execute(
        "insert into item_component (bundle, product, quantity)"
        " values ('box', 'p', 2000), ('box', 'q', 1000)"
    )
    connection.execute(
        "insert into stock (location, product, condition, on_hand, reserved, heard_at) values"
        " ('wh', 'p', 'sellable', 9000, 1000, '2026-03-02 12:00+00'),"
        " ('wh', 'p', 'damaged', 700, 0, now()), ('nyc', 'p', 'in_transit', 400, 0, now()),"
        " ('wh', 'q', 'sellable', 5000, 0, null), ('far', 'p', 'sellable', 1, 0, null)"
    )
    found = read(connection, ["p", "box", "nobody", "p"], ["wh", "nyc"])
    p = Part(
        "p", 1000, "shoes", {"wh": Standing(9000, 1000, NOON), "nyc": Standing(0, 0, None, 400)}
    )
    assert found["p"] == Asked("p", 1000, True, True, {"p": p})
    assert found["box"].sellable is False
    assert {name: part.quantity for name, part in found["box"].parts.items()} == {
        "p": 2000,
        "q": 1000,
    }
    assert found["box"].parts["p"].places == p.places
    assert found["nobody"] == Asked("nobody", parts={"nobody": Part("nobody")})
    connection.execute(
        "insert into item_component values ('crate', 'box', 1500), ('crate', 'q', 1)"
    )
    crate = read(connection, ["crate"])["crate"]
    assert {n: part.quantity for n, part in crate.parts.items()} == {"p": 3000, "q": 1501}
    assert "far" in read(connection, ["p"])["p"].parts["p"].places


def test_a_bundle_that_is_too_deep_to_open_is_not_there_and_harms_nobody(
    connection: Connection,
) -> None:
    chain = [f"b{number}" for number in range(12)]
    for bundle, product in zip(chain, [*chain[1:], "p"], strict=True):
        row = (bundle, product, 10**15)
        connection.execute("insert into item_component values (%s, %s, %s)", row)
    connection.execute("insert into item_component values ('b0', 'p', 1000)")
    connection.execute("insert into stock (location, product, on_hand) values ('wh', 'p', 9000)")
    found = read(connection, ["p", "b0", "b9"], ["wh"])
    assert available(found["p"], Rules(), "", NOON)["wh"].available == 9_000
    assert total(available(found["b0"], Rules(), "", NOON)) == 0
    assert total(available(found["b9"], Rules(), "", NOON)) == 0


def test_supply_is_read_without_what_is_promised_of_it(connection: Connection) -> None:
    connection.execute("insert into stock (location, product) values ('wh', 'p')")
    connection.execute(
        "insert into supply (supply, product, location, version, due_at, expected, received,"
        " closed) values ('s1', 'p', 'wh', '1', '2026-03-02 12:00+00', 9000, 2000, false),"
        " ('s2', 'p', 'wh', '1', '2026-03-02 12:00+00', 5000, 0, true),"
        " ('s3', 'p', 'wh', '', null, 0, 4000, false)"
    )
    connection.execute(
        "insert into promise (key, line, product, supply, location, quantity)"
        " values ('order/1', '1', 'p', 's1', 'wh', 3000)"
    )
    asked = read(connection, ["p"])["p"]
    assert asked.parts["p"].places["wh"].inbound == ((NOON, 4000),)
    assert available(asked, rules(inbound_days=1), "", NOON)["wh"].available == 4000
