"""Keys, stable ids, and the ports for time and randomness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tillbridge.atoms.clock import FixedClock, SystemClock
from tillbridge.atoms.ids import SeededIds, SystemIds, key_of, party_id, stable_uuid

PARTS = st.lists(st.text(max_size=8), min_size=1, max_size=4)


def test_a_key_is_made_of_its_parts_and_a_slash_makes_no_further_one() -> None:
    assert key_of("order", "web", "450789469") == "order/web/450789469"
    assert key_of("sale", "9", "3/1") == "sale/9/3%2F1"
    parts = [("a/b",), ("a_b",), ("a%2Fb",), ("a", "b"), ("a%b",)]
    assert len({key_of("order", "web", *these) for these in parts}) == len(parts)


@given(PARTS, PARTS)
def test_stable_ids_are_the_same_for_the_same_parts_only(left: list[str], right: list[str]) -> None:
    same = "\x1f".join(left).encode("utf-8", "surrogatepass") == "\x1f".join(right).encode(
        "utf-8", "surrogatepass"
    )
    assert (stable_uuid(*left) == stable_uuid(*right)) == same


def test_ids_never_change_between_releases() -> None:
    assert str(stable_uuid("a", "b")) == "f04cdced-9736-569d-a610-3f08a4daaf8c"
    assert party_id("web", "anna@example.com") == "p-34645316d79d5555cf870012"
    assert party_id("web", "anna@example.com") != party_id("shop", "anna@example.com")
    assert "anna" not in party_id("web", "anna@example.com")


def test_a_seed_repeats_a_run_and_the_system_does_not() -> None:
    first, second = SeededIds(7), SeededIds(7)
    assert [first.random_hex(4), first.jitter()] == [second.random_hex(4), second.jitter()]
    assert SystemIds().random_hex(16) != SystemIds().random_hex(16)
    assert 0 <= SystemIds().jitter() < 1


def test_a_fixed_clock_moves_only_by_sleeping() -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.sleep(90)
    assert clock.now() == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)
    assert clock.monotonic() == 90
    assert abs(SystemClock().now() - datetime.now(UTC)) < timedelta(seconds=5)
