"""Delivering: each document once, in order per key, at the pace the far side bears."""

from __future__ import annotations

import psycopg
import pytest

from tests.publishing.twin import Desk
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.durable import accounts, jobs, pauses
from tillbridge.durable.session import connect
from tillbridge.triage.cases import list_cases, replay


@pytest.fixture
def desk(connection: psycopg.Connection) -> Desk:
    return Desk(connection)


def _head(desk: Desk) -> tuple[int, object, object]:
    row = desk.connection.execute("select failures, open_until, tokens from dest").fetchone()
    desk.connection.rollback()
    assert row is not None
    return row[0], row[1], row[2]


def test_what_is_owed_is_delivered_once_and_told_to_the_log(desk: Desk) -> None:
    desk.owe("a/1", "b/1")
    desk.owe("a/1")  # owed again: the operation is known
    assert desk.run() == [["a/1", "b/1"]]
    assert desk.run(60) == []
    assert desk.states() == {"a/1": "accepted", "b/1": "accepted"}
    assert sorted(desk.facts()) == [
        ("DocumentAccepted", "a/1/accepted"),
        ("DocumentAccepted", "b/1/accepted"),
    ]
    desk.owe("a/1")
    assert desk.run() == []


def test_documents_of_a_key_go_in_order_and_one_at_a_time(desk: Desk) -> None:
    desk.owe("a/1", "a/2", "b/1", "a/3")
    assert desk.run() == [["a/1", "b/1"], ["a/2"], ["a/3"]]


def test_later_documents_wait_behind_a_refused_one_and_others_do_not(desk: Desk) -> None:
    desk.twin.answers["a/1"] = ["refused"]
    desk.owe("a/1", "a/2", "b/1")
    assert desk.run() == [["a/1", "b/1"]]
    assert desk.run(100_000) == []
    assert desk.states() == {"a/1": "refused", "a/2": "owed", "b/1": "accepted"}
    (case,) = list_cases(desk.connection)
    assert (case.reason, case.key, case.amount, case.currency) == (
        "document_refused",
        "a",
        100,
        "USD",
    )
    assert "said refused" in case.words
    replay(desk.connection, [case.id], "pat")
    desk.connection.commit()
    assert desk.run() == [["a/1"], ["a/2"]]
    assert desk.twin.unknown == ["a/1"]
    assert set(desk.states().values()) == {"accepted"}


def test_a_document_that_may_have_been_applied_is_looked_up_first(desk: Desk) -> None:
    desk.twin.answers["a/1"] = ["applied but unknown"]
    desk.owe("a/1", "a/2")
    assert desk.run() == [["a/1"]]
    assert desk.states()["a/1"] == "sent"
    assert desk.run(10) == [["a/1"], ["a/2"]]
    assert desk.twin.unknown == ["a/1"]
    assert desk.twin.there == ["a/1", "a/2"]


def test_a_document_put_off_waits_longer_each_time_and_is_a_case_in_the_end(desk: Desk) -> None:
    desk.twin.answers["a/1"] = ["retry"] * 100
    desk.owe("a/1", "b/1")
    assert desk.run() == [["a/1", "b/1"]]
    assert desk.run(0.1) == []
    tries = 1
    while not list_cases(desk.connection):
        desk.connection.rollback()
        assert desk.run(500) == [["a/1"]]
        tries += 1
    assert tries == 25
    assert _head(desk)[0] == 0
    assert desk.states() == {"a/1": "refused", "b/1": "accepted"}


def test_a_far_side_that_is_away_opens_the_breaker_and_costs_no_document_an_attempt(
    desk: Desk,
) -> None:
    desk.twin.away = RetryLater("no route")
    desk.owe("a/1", "b/1", "c/1")
    assert desk.run() == [["a/1", "b/1", "c/1"]]
    failures, until, _ = _head(desk)
    assert failures == 1
    assert until is not None
    assert desk.run(0.1) == []
    attempts = desk.connection.execute("select distinct attempts, unknown from outkey").fetchall()
    assert attempts == [(0, False)]
    desk.connection.rollback()
    assert [len(call) for call in desk.run(2)] == [1], "a probe is one document"
    assert _head(desk)[0] == 2
    assert desk.run(0.3) == [], "and the door stays shut for longer"
    desk.twin.away = None
    calls = desk.run(5)
    assert [len(call) for call in calls] == [1, 2], "a probe that is answered lets all others go"
    assert _head(desk)[:2] == (0, None)
    assert set(desk.states().values()) == {"accepted"}


def test_retry_after_is_honoured_to_the_second(desk: Desk) -> None:
    desk.twin.away = RetryLater("slow down", after_seconds=30)
    desk.owe("a/1")
    desk.run()
    assert desk.run(29) == []
    assert desk.run(1) == [["a/1"]]


def test_a_call_that_was_cut_off_makes_all_its_documents_unknown(desk: Desk) -> None:
    desk.twin.away = RetryLater("no answer", unknown=True)
    desk.owe("a/1", "b/1")
    desk.run()
    desk.twin.away = None
    desk.run(10)
    assert sorted(desk.twin.unknown) == ["a/1", "b/1"]


def test_what_may_still_be_at_work_over_there_is_not_looked_up_before_it_has_settled(
    connection: psycopg.Connection, database_url: str
) -> None:
    """Cut off, told as unknown, or left behind by a dead worker: each waits out the 100 seconds."""
    desk = Desk(connection, settle_seconds=100.0)
    desk.twin.answers["a/1"] = ["applied but unknown"]
    desk.owe("a/1")
    assert desk.run() == [["a/1"]]
    assert desk.run(99) == []
    assert desk.run(1) == [["a/1"]]
    desk.twin.away = RetryLater("cut off", unknown=True)
    desk.owe("b/1")
    desk.run()
    desk.twin.away = None
    assert desk.run(99) == []
    assert desk.run(1) == [["b/1"]]
    desk.owe("c/1")
    with connect(database_url) as other:
        assert len(jobs.claim(other, desk.dest, 20, desk.clock.now())) == 1
    assert desk.run(31) == []
    assert desk.run(99) == []
    assert desk.run(1) == [["c/1"]]
    assert desk.twin.unknown == ["a/1", "b/1", "c/1"]


def test_credentials_that_are_refused_are_a_case_for_each_document(desk: Desk) -> None:
    desk.twin.away = Refused("the key is wrong")
    desk.owe("a/1", "b/1")
    desk.run()
    assert desk.states() == {"a/1": "refused", "b/1": "refused"}
    assert len(list_cases(desk.connection)) == 2


def test_a_lease_that_ran_out_is_unknown_and_the_late_answer_is_thrown_away(
    desk: Desk, database_url: str
) -> None:
    desk.owe("a/1", "a/2")
    with connect(database_url) as other:
        (stuck,) = jobs.claim(other, desk.dest, 20, desk.clock.now())
        assert desk.run(30) == [], "it may still be at work"
        assert desk.run(1) == [["a/1"], ["a/2"]]
        assert desk.twin.unknown == ["a/1"]
        answer = jobs.Answer("a/1", "refused")
        assert jobs.finish(other, desk.dest, [(stuck, answer)], desk.clock.now()) == []
        other.commit()
    assert desk.states() == {"a/1": "accepted", "a/2": "accepted"}


def test_the_bucket_bounds_what_is_sent_in_any_time(connection: psycopg.Connection) -> None:
    desk = Desk(connection, accounts.Budget(rate=2.0, burst=5.0, conc=100))
    desk.twin.batch_max = 1
    desk.dispatcher = desk.another(connection)
    desk.owe(*(f"k{number}/1" for number in range(30)))
    assert len(desk.run()) == 5
    sent = 5
    for _ in range(5):
        sent += len(desk.run(1.0))
    assert sent == 15
    assert len(desk.run(60.0)) == 5, "the burst is all that is saved up"


def test_the_semaphore_counts_the_leases_of_all_workers(
    connection: psycopg.Connection, database_url: str
) -> None:
    desk = Desk(connection, accounts.Budget(rate=1000.0, burst=1000.0, conc=2))
    desk.owe(*(f"k{number}/1" for number in range(5)))
    with connect(database_url) as other:
        (one,), (two,) = (jobs.claim(other, desk.dest, 1, desk.clock.now()) for _ in range(2))
        assert desk.run() == [], "two calls are under way"
        accounts.end_call(other, one.slot)
        assert [len(call) for call in desk.run()] == [3]
        answers = [(one, jobs.Answer(one.op, "accepted", "r", "n")) for one in (one, two)]
        assert len(jobs.finish(other, desk.dest, answers, desk.clock.now())) == 2
        other.commit()


def test_a_paused_destination_is_left_alone(desk: Desk) -> None:
    desk.owe("a/1")
    pauses.pause(desk.connection, "erp", "", "pat", "stocktaking", desk.clock.now())
    desk.connection.commit()
    assert desk.run(60) == []
    pauses.resume(desk.connection, "erp", "", by="kim", now=desk.clock.now())
    desk.connection.commit()
    assert desk.run() == [["a/1"]]


def test_a_connector_that_fails_on_one_document_delivers_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = desk.twin._answer

    def poisoned(one: object) -> object:
        if one.document.id == "b/1":  # type: ignore[attr-defined]
            raise ZeroDivisionError("a defect")
        return plain(one)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.twin, "_answer", poisoned)
    desk.owe("a/1", "b/1", "c/1")
    desk.run()
    assert desk.states() == {"a/1": "accepted", "b/1": "refused", "c/1": "accepted"}
    (case,) = list_cases(desk.connection)
    assert "ZeroDivisionError" in case.words
