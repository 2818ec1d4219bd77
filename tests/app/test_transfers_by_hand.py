"""A person orders a transfer, cancels it, writes off what never came; any telling ends the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house
from tillbridge.app.replay.whole_log import replay_log
from tillbridge.app.stock_by_hand import Hand
from tillbridge.app.transfers_by_hand import Wish, cancel, ordered
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.stock import StockLine, TransferDispatched, TransferReceived
from tillbridge.canonical.supply import TransferCancelled, TransferOrdered
from tillbridge.durable import log
from tillbridge.durable.rooms import Record

DAY = datetime(2026, 3, 3, 12, tzinfo=UTC)
HAND = Hand("pat", DAY, "T-1", "us", frozenset({"wh-east", "store-nyc"}))
WAY: dict[str, Any] = {"origin": "wh-east", "destination": "store-nyc"}


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def wish(*lines: StockLine, **words: Any) -> Wish:
    return Wish(**{**WAY, "lines": lines or (StockLine("1", "P1", 3000),), **words})


def test_a_transfer_is_ordered_shown_and_cancelled_at_the_command_line(shop: House) -> None:
    told = shop.verb(
        "transfers", "order", "wh-east", "store-nyc", "--line", "P1=6", "--number", "T-7",
        "--due", "2026-03-09",
    )  # fmt: skip
    assert told == "transfer T-7 from wh-east to store-nyc is ordered\n"
    shop.flow()
    assert shop.stock("P1") == (20, 6)
    row = shop.verb("transfers", "list").splitlines()[-1].split()
    assert row == ["T-7", "held", "wh-east", "store-nyc", "2026-03-09", "0", "0", "0", "6"]
    tell(shop, [part(TransferDispatched, "T-7", "s1", 4000)])
    assert shop.stock("P1") == (16, 2)
    page = shop.verb("transfers", "show", "T-7")
    assert "transfer T-7, part-sent: from wh-east to store-nyc" in page
    assert page.splitlines()[-1].split() == ["P1", "2", "4", "0", "4"]
    shop.verb("transfers", "cancel", "T-7", "--reason", "store closes")
    shop.flow()
    assert shop.stock("P1") == (16, 0)
    tell(shop, [part(TransferReceived, "T-7", "r1", 3000, complete=True)])
    assert shop.cases() == ["transfer_short"]
    assert shop.verb("transfers", "list").splitlines()[-1].split()[:2] == ["T-7", "received"]
    shop.verb("transfers", "write-off", "T-7", "--reason", "lost")
    shop.flow()
    assert shop.cases() == []
    assert shop.verb("transfers", "list", "--location", "wh-east").splitlines()[2:] == []
    assert shop.lies() == []
    shop.connection.rollback()
    assert replay_log(shop.hub).same


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (wish(origin="moon"), "no location 'moon'"),
        (wish(destination="wh-east"), "to itself"),
        (wish(StockLine("1", "P1", 0)), "quantities above nothing"),
        (wish(StockLine("1", "P99", 1000)), "nobody ever told"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(shop: House, asked: Wish, why: str) -> None:
    with pytest.raises(Refused, match=why):
        ordered(shop.connection, asked, HAND)


def test_a_number_is_used_once_and_a_transfer_that_is_over_is_not_cancelled(shop: House) -> None:
    tell(shop, [ordered(shop.connection, wish(), HAND)])
    with pytest.raises(Refused, match="there already"):
        ordered(shop.connection, wish(), HAND)
    with pytest.raises(Refused, match="nothing is known"):
        cancel(shop.connection, "T-2", "", HAND)
    cancel(shop.connection, "T-1", "", HAND)
    shop.flow()
    with pytest.raises(Refused, match="is cancelled"):
        cancel(shop.connection, "T-1", "", HAND)


def about(number: str, name: str) -> dict[str, Any]:
    key = f"transfer/{number}"
    return {
        "key": key,
        "id": f"{key}/{name}",
        "source": "feed",
        "mapping": "feed/1",
        "occurred_at": DAY,
        "business_date": DAY.date(),
        "entities": Entities(selling="us"),
        "transfer": number,
    }


def part(
    kind: type[TransferDispatched | TransferReceived],
    number: str,
    name: str,
    much: int,
    **words: Any,
) -> Fact:
    lines = (StockLine("1", "P1", much),)
    return kind(**about(number, name), **WAY, lines=lines, **{"complete": False, **words})


def tell(shop: House, facts: Sequence[Fact]) -> None:
    records = [Record(f.key, type(f).__name__, f, lane_of(f.key)) for f in facts]
    log.append_and_commit(shop.connection, records)
    shop.flow()


def _everything(number: str) -> list[Fact]:
    lines = (StockLine("1", "P1", 3000),)
    order = TransferOrdered(**about(number, "@1"), **WAY, version="1", lines=lines)
    less = TransferOrdered(
        **about(number, "@2"), **WAY, version="2", lines=(StockLine("1", "P1", 2000),)
    )
    return [
        order,
        less,
        part(TransferDispatched, number, "s1", 1000),
        part(TransferReceived, number, "r1", 1000),
        TransferCancelled(**about(number, "cancel"), reason="no need"),
    ]


def test_any_order_duplicates_and_any_cut_end_the_same_in_the_book(shop: House) -> None:
    """Each number is told the same, in an order and in batches of its own."""
    dice = random.Random(7)  # noqa: S311 - a seeded order of telling
    numbers = [f"N-{n}" for n in range(24)]
    batches: list[list[Fact]] = [[] for _ in range(12)]
    for number in numbers:
        facts = _everything(number)
        facts += dice.sample(facts, 2)
        dice.shuffle(facts)
        cuts = sorted(dice.randrange(len(batches)) for _ in facts)
        for fact, cut in zip(facts, cuts, strict=True):
            batches[cut].append(fact)
    for batch in batches:
        tell(shop, batch)
    ends = shop.rows(
        "select t.status, t.revision > 0, coalesce(sum(m.quantity), 0)"
        " from transfer_state t left join stock_movement m"
        " on m.key = t.key and m.location = 'store-nyc' and m.condition = 'sellable'"
        " group by t.key, t.status order by t.key"
    )
    assert len(ends) == len(numbers)
    assert all(one == other for one, other in pairwise(ends))
    assert ends[0] == ("part-received", True, 1000)
    assert shop.rows("select * from reservation") == []
    there = "select location, on_hand / 1000 from stock where product = 'P1' and on_hand <> 0"
    assert sorted(shop.rows(there)) == [("store-nyc", 5 + 24), ("wh-east", 20 - 24)]
    assert shop.lies() == []
