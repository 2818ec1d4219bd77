"""Offers: one call for many changes, what was unknown is settled, what failed as a whole waits."""

from __future__ import annotations

import psycopg
import pytest

from tests.publishing.availability.counter import Counter
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.durable import pauses
from tillbridge.durable.crash_points import Crashed, heard_by
from tillbridge.durable.session import connect


@pytest.fixture
def desk(connection: psycopg.Connection) -> Counter:
    made = Counter(connection)
    made.stock("P1", 9)
    made.run()
    made.shelves.calls.clear()
    return made


def test_many_changes_of_many_products_are_one_call(desk: Counter) -> None:
    for left in range(8, 2, -1):
        desk.stock("P1", left)
        desk.stock("P2", left)
        desk.plan()
        desk.clock.sleep(0.1)
    desk.run()
    changed = [{offer.product: offer.quantity for offer in call} for call in desk.shelves.calls]
    assert changed[0] == {"P1": 3000, "P2": 3000}
    assert desk.shown() == desk.shown("P2") == 3
    assert len(changed) == 2  # the second: what P2 showed was not known


def test_the_next_offer_names_what_was_found_and_a_new_operation(desk: Counter) -> None:
    desk.stock("P1", 5)
    desk.run()
    ((offer,),) = desk.shelves.calls
    assert (offer.previous, offer.quantity, offer.reference) == (9000, 5000, "ref P1")
    assert offer.operation == "shop/P1/L1/3"


def test_what_may_have_been_applied_is_offered_again_as_it_was(desk: Counter) -> None:
    desk.shelves.answers["P1"] = ["lost"]
    desk.stock("P1", 5)
    desk.run()
    desk.stock("P1", 4)  # the next change waits until it is known what became of the first
    desk.later(minutes=10)
    desk.run()
    desk.run()
    told = [(o.operation, o.quantity) for call in desk.shelves.calls for o in call]
    assert told == [("shop/P1/L1/3", 5000), ("shop/P1/L1/3", 5000), ("shop/P1/L1/4", 4000)]
    assert desk.shown() == 4
    assert desk.row("untold") == 0


def test_an_unknown_offer_put_off_afterwards_stays_unknown(desk: Counter) -> None:
    desk.shelves.answers["P1"] = ["lost", "retry"]
    desk.stock("P1", 5)
    for _ in range(3):
        desk.run()
        desk.later(minutes=10)
    assert {o.operation for call in desk.shelves.calls for o in call} == {"shop/P1/L1/3"}
    assert (desk.shown(), desk.row("untold"), desk.row("sent")) == (5, 0, None)


@pytest.mark.parametrize("point", ["publication.claimed", "publication.answered"])
def test_a_process_that_dies_in_the_middle_is_taken_over(
    desk: Counter, database_url: str, point: str
) -> None:
    def dies(name: str) -> None:
        if name == point:
            raise Crashed(name)

    desk.stock("P1", 5)
    desk.plan()
    desk.later(seconds=1)
    with heard_by(dies), connect(database_url) as other, pytest.raises(Crashed):
        desk.another_publisher(other).run_once()
    assert desk.run() == []  # its slot is alive as far as anybody knows
    desk.later(seconds=31)
    desk.run()
    assert (desk.shown(), desk.row("confirmed"), desk.row("untold")) == (5, 5000, 0)


def test_a_late_answer_of_a_call_that_was_taken_over_books_nothing(
    desk: Counter, database_url: str
) -> None:
    desk.stock("P1", 5)
    desk.plan()
    desk.later(seconds=1)

    def meanwhile(name: str) -> None:
        if name == "publication.answered":
            desk.later(seconds=31)
            with heard_by(lambda _: None):
                desk.publisher.run_once()
                desk.stock("P1", 2)
                desk.run()

    with heard_by(meanwhile), connect(database_url) as other:
        desk.another_publisher(other).run_once()
    assert desk.row("confirmed") == 2000
    assert desk.shown() == 2


def test_a_channel_that_is_away_opens_its_breaker_and_nothing_is_lost(desk: Counter) -> None:
    desk.shelves.away = RetryLater("closed", after_seconds=120)
    desk.stock("P1", 5)
    (report,) = desk.run()
    assert (report.away, report.postponed) == ("closed", 1)
    assert desk.run(60) == []
    desk.shelves.away = None
    desk.run(120)
    assert desk.shown() == 5


def test_a_refused_connection_is_a_rest_and_told_at_its_rows(desk: Counter) -> None:
    desk.shelves.away = Refused("the token is not accepted (401)")
    desk.stock("P1", 5)
    desk.run()
    assert "401" in desk.row("refused")
    desk.shelves.away = None
    desk.run(301)
    assert (desk.shown(), desk.row("refused")) == (5, "")


def test_a_defect_of_the_connector_may_have_been_applied(desk: Counter) -> None:
    desk.shelves.away = ZeroDivisionError("oops")
    desk.stock("P1", 5)
    desk.run()
    assert (desk.row("unknown"), desk.row("sent")) == (True, 5000)


def test_a_refused_number_rests_an_hour_or_until_it_changes(desk: Counter) -> None:
    desk.shelves.answers["P1"] = ["refused", "refused"]
    desk.stock("P1", 5)
    desk.run()
    assert desk.row("refused") == "said refused"
    assert desk.row("reference") == ""
    assert desk.run(3000) == []
    desk.run(700)
    desk.stock("P1", 4)
    desk.run()
    assert (desk.shown(), desk.row("refused")) == (4, "")


def test_pausing_the_kind_stops_it_and_nothing_else(desk: Counter) -> None:
    pauses.pause(desk.connection, "shop", "availability", "pat", "", desk.clock.now())
    desk.connection.commit()
    desk.stock("P1", 5)
    assert desk.run() == []
    pauses.resume(desk.connection, "shop", "availability", by="pat", now=desk.clock.now())
    desk.connection.commit()
    assert len(desk.run()) == 1


def test_the_lag_is_counted_from_the_change(desk: Counter) -> None:
    desk.stock("P1", 5)
    desk.run(3.0)
    assert desk.row("lag_seconds") == pytest.approx(3.0)
