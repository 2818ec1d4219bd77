"""Files that say how many records they hold: what was lost on the way is seen, file by file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.app.worker import chores

FEED = """
[connection.takings]
connector = "feed"
entity = "us"
timezone = "America/New_York"
settings = { mapping = "feeds/takings.toml" }
"""
TAKINGS = """kind = "payment"

[file]
format = "csv"

[control]
row = "last"
starts = "TOTAL"
count = 2
sum = 3
of = "amount"

[row]
reference = "ref"
tender = "tender"
amount = "amount"
at = "at"
"""
COUNT = 'count_element = "TransactionCount"'


def _furnish(folder: Path) -> None:
    file = folder / "tillbridge.toml"
    text = file.read_text(encoding="utf-8")
    stores = text.index("[connection.stores]")
    entity = text.index("entity", stores)
    told = f"{text[:entity]}settings = {{ {COUNT} }}\n{text[entity:]}{FEED}"
    file.write_text(told, encoding="utf-8")
    (folder / "feeds" / "takings.toml").write_text(TAKINGS, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=_furnish) as found:
        found.names([("takings", "tender", "Card", "card")])
        yield found


def takings(*rows: tuple[str, str], count: int, total: str) -> bytes:
    """Payments with the control record at the end."""
    told = "".join(f"{ref},Card,{amount},2026-03-03T12:00:00-05:00\n" for ref, amount in rows)
    return f"ref,tender,amount,at\n{told}TOTAL,{count},{total}\n".encode()


def day(count: str, *numbers: int) -> bytes:
    """A till log of receipts that says how many there are; "" = it does not."""
    rung = [goods("A1", "20.00", "0"), tender("20.00")]
    log = poslog(*(receipt(n, rung, "20.00", "0") for n in numbers)).decode()
    told = f"<TransactionCount>{count}</TransactionCount>" if count else ""
    return log.replace("</POSLog>", f"{told}</POSLog>").encode()


def look(shop: House) -> str:
    """What the worker's schedule does every few minutes."""
    said = chores(shop.hub)["files"](shop.connection, shop.hub.clock.now())
    shop.connection.commit()
    return said


def swept(shop: House) -> list[tuple[Any, ...]]:
    """Connection, stream, stated, read, missing, differing, and both sums where it tells money."""
    return shop.rows(
        "select connection, stream, source_count, hub_count, missing, differing, source_amount,"
        " hub_amount from sweep left join sweep_sum on sweep_sum.sweep = sweep.id order by id"
    )


def test_a_feed_that_lost_a_row_is_refused_and_seen_in_the_sweeps(shop: House) -> None:
    lost = takings(("p1", "10.00"), ("p2", "20.00"), count=3, total="35.00")
    shop.file("takings", lost, "takings.csv")
    look(shop)
    # whole or not at all: half of it might be missing
    assert shop.cases() == ["delivery_broken"]
    assert swept(shop) == [("takings", "payment", 3, 2, 1, 1, 3500, 3000)]
    whole = takings(("p1", "10.00"), ("p2", "20.00"), ("p3", "5.00"), count=3, total="35.00")
    shop.file("takings", whole, "takings.csv")
    assert look(shop) == "1 files held against their totals, 0 cases opened"
    assert look(shop) == "0 files held against their totals, 0 cases opened"
    assert swept(shop)[1] == ("takings", "payment", 3, 3, 0, 0, 3500, 3500)
    page = shop.verb("sweep", "--history", "--connection", "takings")
    assert "there 35.00 less 0.00 given back, here 30.00" in page


def test_a_till_log_with_less_than_it_says_is_a_case_until_it_comes_whole(shop: House) -> None:
    shop.file("stores", day("3", 1, 2), "day.xml")
    look(shop)
    # what came is booked, whoever lacks
    assert shop.stock("P1", "store-nyc") == (3, 0)
    assert shop.cases() == ["file_totals"]
    assert swept(shop) == [("stores", "transactions", 3, 2, 1, 1, None, None)]
    shop.file("stores", day("3", 1, 2, 3), "day.xml")
    look(shop)
    assert shop.cases() == []
    assert shop.stock("P1", "store-nyc") == (2, 0)
    assert shop.lies() == []


def test_a_till_log_without_its_count_is_a_case(shop: House) -> None:
    shop.file("stores", day("", 1), "day.xml")
    shop.file("stores", day("many", 2), "night.xml")
    shop.file("stores", day("1", 3), "noon.xml")
    look(shop)
    rows = shop.rows("select words from exception_case where reason = 'file_totals' order by id")
    unknown = "nobody can tell whether transactions are missing"
    assert [words for (words,) in rows] == [
        f"day.xml of stores: the file's TransactionCount is not there: {unknown}",
        f"night.xml of stores: the file's TransactionCount says 'many': {unknown}",
    ]
    assert [row[2:6] for row in swept(shop)] == [(0, 1, 0, 1), (0, 1, 0, 1), (1, 1, 0, 0)]
