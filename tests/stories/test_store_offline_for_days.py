"""A store without a line for four days: it sends late, twice and with a gap; nothing is booked
twice, and what is missing is known by number.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tests.stories.till_files import goods, poslog, post_void, receipt, tender, transaction
from tillbridge.atoms.clock import FixedClock
from tillbridge.reconciliation.tills.health import Health, health

MONDAY = date(2026, 3, 2)
EVENING = datetime(2026, 3, 3, 1, tzinfo=UTC)
CLOSE = transaction(
    9,
    '<TenderControlTransaction><TillSettle><TenderSummary LedgerType="Closed" '
    'TenderType="Cash"><Amount>64.80</Amount></TenderSummary></TillSettle>'
    "</TenderControlTransaction>",
)
CLERK = "<ControlTransaction><{0}/></ControlTransaction>"


def sale(number: int) -> str:
    return receipt(number, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")


def numbered(text: str, offset: int, day: date) -> str:
    """The same transaction on another day, its number (and minute) moved on."""
    head, tail = text.split("<SequenceNumber>", 1)
    number, rest = tail.split("</SequenceNumber>", 1)
    moved = f"{head}<SequenceNumber>{int(number) + offset}</SequenceNumber>{rest}"
    return moved.replace(MONDAY.isoformat(), day.isoformat())


def store_day(place: int) -> list[str]:
    """A day of ten numbers: sign-on, sales, a no-sale, training, a void, the close, sign-off."""
    told = [
        transaction(1, CLERK.format("OperatorSignOn")),
        sale(2),
        sale(3),
        transaction(4, CLERK.format("NoSale")),
        transaction(5, "<RetailTransaction/>", ' TrainingModeFlag="true"'),
        sale(6),
        sale(7),
        post_void(8, of=7 + 10 * place),
        CLOSE,
        transaction(10, CLERK.format("OperatorSignOff")),
    ]
    return [numbered(one, 10 * place, MONDAY + timedelta(days=place)) for one in told]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(EVENING)


@pytest.fixture
def store(tmp_path: Path, database_url: str, clock: FixedClock) -> Iterator[House]:
    with house(tmp_path / "house", database_url, clock=clock) as found:
        yield found


def looked(store: House) -> Health:
    store.look_at_tills()
    found = health(store.connection, store.hub.expected, store.hub.clock.now())
    store.connection.rollback()
    return found


def days_of(store: House, clock: FixedClock) -> None:
    """Monday and Tuesday come in time; then the line is cut from Wednesday to Saturday."""
    for place in (0, 1):
        store.file("stores", poslog(*store_day(place)))
        clock.sleep(86400)


def test_late_twice_and_with_a_gap(store: House, clock: FixedClock) -> None:
    days_of(store, clock)
    assert store.cases() == []
    clock.sleep(4 * 86400)  # Sunday evening
    (silent,) = looked(store).stores
    wanted = [MONDAY + timedelta(days=place) for place in (2, 3, 4, 5)]
    assert list(silent.absent_days) == wanted
    assert store.cases() == ["store_day_missing"]

    # The line is back: four days at once and Sunday's in time; Wednesday comes twice, and of
    # Thursday the numbers 34 to 36 are not there.
    late = [store_day(place) for place in (2, 3, 4, 5)]
    late[1] = late[1][:3] + late[1][6:]
    store.file("stores", poslog(*late[0], *late[1], *late[2], *late[3]))
    store.file("stores", poslog(*late[0]))
    store.file("stores", poslog(*store_day(6)))
    (heard,) = looked(store).stores
    (till,) = heard.tills
    assert heard.absent_days == ()
    assert till.late_days == tuple(wanted)
    assert till.unclosed == ()
    assert [(gap.first, gap.last, gap.missing) for gap in till.gaps] == [(34, 36, 3)]
    assert looked(store).repeats["stores"] == 10
    assert store.cases() == []  # the gap is not a day old
    assert booked(store) == 7 * 4 - 1

    clock.sleep(86400 + 1)
    looked(store)
    assert store.cases() == ["till_sequence_gap"]
    table = store.verb("stores", "--gaps")
    assert "34-36" in table

    # The store sends the day again, whole: what is known is known, the rest fills the gap.
    store.file("stores", poslog(*store_day(3)))
    (whole,) = looked(store).stores
    assert whole.tills[0].gaps == ()
    assert store.cases() == []
    assert booked(store) == 7 * 4
    assert store.stock("P1", "store-nyc") == (5 - 7 * 3, 0)
    assert store.balances()["till/store-nyc/cash"] == 7 * 3 * 2160
    assert store.lies(quiesced=False) == []


def test_a_missing_close_and_a_number_told_with_other_content(
    store: House, clock: FixedClock
) -> None:
    days_of(store, clock)
    wednesday = store_day(2)
    del wednesday[8]
    store.file("stores", poslog(*wednesday))
    looked(store)
    assert store.cases() == []
    clock.sleep(86400)
    (till,) = looked(store).stores[0].tills
    assert till.unclosed == (MONDAY + timedelta(days=2),)
    assert till.last_closed == MONDAY + timedelta(days=1)
    assert "till_close_missing" in store.cases()
    store.file(
        "stores", poslog(store_day(2)[1].replace("20.00", "10.00").replace("21.60", "11.60"))
    )
    assert "immutable_changed" in store.cases()
    store.file("stores", poslog(store_day(2)[8]))
    looked(store)
    assert store.cases() == ["immutable_changed"]


def booked(store: House) -> int:
    """Sales in the money book (a void books a further entry)."""
    rows = store.rows("select count(*) from entry where fact_type = 'SaleRung'")
    return int(rows[0][0])
