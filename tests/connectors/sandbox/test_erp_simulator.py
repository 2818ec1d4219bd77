"""The sandbox ERP keeps its rules, and the sandbox connector lives with what the ERP does."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.connectors.sandbox.erp_desk import (
    KEY,
    Desk,
    connection_to,
    credit_note,
    desk,
    invoice,
    journal,
    sales_order,
)
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.connectors.sandbox.erp_documents import Rules
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.connectors.sandbox.erp_simulator import ErpSimulator
from tillbridge.connectors.sandbox.erp_store import ErpStore
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Assignment
from tillbridge.contract.transport import Request, Response


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as found:
        yield found


def test_every_kind_is_created_numbered_and_booked(erp: Desk) -> None:
    receipts = erp.deliver(
        sales_order("so-1"), invoice("in-1", "so-1"), credit_note("cn-1", "so-1"), journal("jr-1")
    )
    assert [r.outcome for r in receipts] == ["accepted"] * 4
    assert [r.number for r in receipts] == ["SO-000001", "INV-000001", "CN-000001", "JRN-000001"]
    assert [r.move_total for r in receipts] == [None, 2178, 1089, 1500]
    assert erp.erp.store.balances() == {
        ("USD", "receivable"): 2178 - 1089,
        ("USD", "revenue/goods"): -2000 + 1000,
        ("USD", "tax/us-ny"): -178 + 89,
        ("USD", "cash"): 1500,
        ("USD", "sales/goods"): -1500,
    }


def test_a_batch_is_one_call_and_a_refused_document_does_not_sink_the_others(erp: Desk) -> None:
    erp.erp.set_rules(Rules(unknown_products=("P9999",)))
    receipts = erp.deliver(
        sales_order("a"), sales_order("b", product="P9999"), journal("c", credit=1499), journal("d")
    )
    assert [r.outcome for r in receipts] == ["accepted", "refused", "refused", "accepted"]
    assert receipts[1].words == "product P9999 is unknown"
    assert "debits 15.00 USD, credits 14.99 USD" in receipts[2].words
    assert [call.method for call in erp.erp.store.calls()] == ["GET", "POST"]


def test_products_go_out_under_their_name_over_there(erp: Desk) -> None:
    erp.deliver(sales_order("a"), names={("product", "P1001"): "OUT-1001"})
    assert b'"product":"OUT-1001"' in erp.erp.store.body("SO-000001").replace(b'\\"', b'"')


def test_an_invoice_that_does_not_add_up_is_refused_with_both_figures(erp: Desk) -> None:
    receipt = erp.deliver(invoice("a", total=2179))[0]
    assert receipt.outcome == "refused"
    assert "21.78 USD" in receipt.words
    assert "21.79 USD" in receipt.words


def test_a_closed_period_refuses(erp: Desk) -> None:
    erp.erp.set_rules(Rules(closed_through=date(2026, 11, 30)))
    assert "is closed" in erp.deliver(journal("a"))[0].words


def test_an_invoice_of_an_unknown_order_is_refused_where_orders_are_required(erp: Desk) -> None:
    erp.erp.set_rules(Rules(require_orders=True))
    assert erp.deliver(invoice("a", "so-9"))[0].words == "sales order so-9 is unknown"
    erp.deliver(sales_order("so-9"))
    assert erp.deliver(invoice("a", "so-9"))[0].outcome == "accepted"


def test_a_second_create_makes_a_second_document_and_the_connector_looks_first(erp: Desk) -> None:
    first = erp.deliver(sales_order("a"))[0]
    assert erp.deliver(sales_order("a"), unknown=True)[0] == first
    assert erp.deliver(sales_order("a"))[0] == first
    assert erp.erp.store.duplicates() == {}
    body = erp.erp.store.body(first.number)
    headers = {"Authorization": f"Bearer {KEY}"}
    url = f"{erp.erp.address}/api/v1/documents"
    erp.transport.send(Request(method="POST", url=url, headers=headers, body=body))
    assert erp.erp.store.duplicates() == {"a": 2}


def test_the_same_operation_twice_in_one_call_is_one_document(erp: Desk) -> None:
    receipts = erp.deliver(sales_order("a"), sales_order("a"))
    assert receipts[0] == receipts[1]
    assert erp.erp.store.counts() == {"sales_order": 1}


def test_unique_external_ids_are_adopted(erp: Desk) -> None:
    erp.erp.set_rules(Rules(unique_external_ids=True))
    first, second = erp.deliver(sales_order("a"))[0], erp.deliver(sales_order("a"))[0]
    assert first == second
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: erp.deliver(sales_order("b")), range(8)))
    assert erp.erp.store.counts() == {"sales_order": 2}


@pytest.mark.parametrize("kind", ["lost", "error", "drop", "hang"])
def test_without_an_answer_the_outcome_is_unknown_and_the_look_up_settles_it(
    erp: Desk, kind: str
) -> None:
    erp.erp.faults.add(Fault(do=kind, seconds=0.3))  # type: ignore[arg-type]
    receipts = erp.deliver(sales_order("a"), invoice("b"), timeout_seconds=0.2)
    assert [r.outcome for r in receipts] == ["unknown", "unknown"]
    receipts = erp.deliver(sales_order("a"), invoice("b"), unknown=True)
    assert [r.number for r in receipts] == ["SO-000001", "INV-000001"]
    assert erp.erp.store.duplicates() == {}


def test_a_slow_answer_is_waited_for_and_a_too_slow_one_is_unknown(erp: Desk) -> None:
    erp.erp.faults.add(Fault(do="slow", seconds=0.3, count=2))
    assert erp.deliver(sales_order("a"))[0].outcome == "accepted"
    assert erp.deliver(sales_order("b"), timeout_seconds=0.1)[0].outcome == "unknown"
    assert erp.deliver(sales_order("b"), unknown=True)[0].number == "SO-000002"


def test_a_late_application_escapes_an_early_look_up(erp: Desk) -> None:
    # Why settle_seconds exists: nothing but waiting helps against this one.
    erp.erp.faults.add(Fault(do="late", seconds=0.4))
    assert erp.deliver(sales_order("a"), timeout_seconds=0.1)[0].outcome == "unknown"
    assert erp.deliver(sales_order("a"), unknown=True)[0].number == "SO-000001"
    erp.erp._stopping.wait(0.6)
    assert erp.erp.store.duplicates() == {"a": 2}


@pytest.mark.parametrize(("kind", "words"), [("throttle", "429"), ("busy", "503")])
def test_a_busy_erp_is_for_later_with_its_own_wish(erp: Desk, kind: str, words: str) -> None:
    erp.erp.faults.add(Fault(do=kind, seconds=7))  # type: ignore[arg-type]
    with pytest.raises(RetryLater, match=words) as caught:
        erp.deliver(sales_order("a"))
    assert (caught.value.after_seconds, caught.value.unknown) == (7.0, False)
    assert erp.erp.store.counts() == {}


def test_refused_by_script_is_refused_for_good_with_its_words(erp: Desk) -> None:
    erp.erp.faults.add(Fault(do="refuse", words="not on a Sunday", skip=1))
    assert erp.deliver(sales_order("a"), sales_order("b"))[0].outcome == "accepted"
    receipts = erp.deliver(sales_order("c"), sales_order("d"))
    assert {(r.outcome, r.words) for r in receipts} == {("refused", "not on a Sunday")}


def test_trouble_after_a_success_is_told_per_document(erp: Desk) -> None:
    many = [sales_order(f"o-{n}") for n in range(25)]
    erp.erp.faults.add(Fault(do="throttle", skip=1, seconds=2))
    receipts = erp.deliver(*many)
    assert [r.outcome for r in receipts] == ["accepted"] * 20 + ["retry"] * 5
    assert receipts[-1].after_seconds == 2.0


def test_a_refused_envelope_is_taken_apart_and_nothing_is_forgotten(erp: Desk) -> None:
    erp.erp.set_rules(Rules(batch_max=2))
    erp.erp.faults.add(Fault(do="throttle", skip=2))
    receipts = erp.deliver(sales_order("a"), sales_order("b"), sales_order("c"))
    assert [r.outcome for r in receipts] == ["accepted", "retry", "accepted"]
    assert erp.erp.store.duplicates() == {}


def test_faults_come_with_probability_and_the_seed_repeats_them(erp: Desk) -> None:
    def outcomes(round_: str) -> list[str]:
        erp.erp.faults.clear()
        erp.erp.faults.add(Fault(do="refuse", probability=0.5, seed=7, count=None))
        return [erp.deliver(journal(f"{round_}-{n}"))[0].outcome for n in range(12)]

    first = outcomes("one")
    assert set(first) == {"accepted", "refused"}
    assert outcomes("two") == first


def test_the_bucket_and_the_door_say_no_and_when(erp: Desk) -> None:
    erp.erp.set_rules(Rules(requests_per_second=2, burst=2))
    erp.deliver(sales_order("a"))
    with pytest.raises(RetryLater) as caught:
        erp.deliver(sales_order("b"))
    assert 0 < (caught.value.after_seconds or 0) <= 0.5
    erp.erp.set_rules(Rules(concurrent=1, latency_seconds=0.2))

    def attempt(number: int) -> str:
        try:
            return erp.deliver(sales_order(f"c-{number}"))[0].outcome
        except RetryLater as problem:
            return problem.words

    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        outcomes = list(threads.map(attempt, range(3)))
    assert sorted(outcomes) == ["accepted", "the ERP is busy (503)", "the ERP is busy (503)"]


def test_a_wrong_key_is_no_fault_of_the_document(erp: Desk) -> None:
    with pytest.raises(RetryLater, match="401") as caught:
        erp.deliver(sales_order("a"), key="wrong-key")
    assert "wrong-key" not in str(caught.value)
    where = connection_to(erp.erp.address)
    with pytest.raises(Refused, match="401"):
        erp.connector.check(where, {"api_key": "wrong"}, erp.transport)
    said = erp.connector.check(where, {"api_key": KEY}, erp.transport)
    assert said == "Sandbox ERP answers and accepts the key"


def test_an_erp_that_is_away_is_for_later_and_comes_back_at_the_same_address(erp: Desk) -> None:
    erp.deliver(sales_order("a"))
    address = erp.erp.address
    erp.erp.stop()
    with pytest.raises(RetryLater):
        erp.connector.check(connection_to(address), {"api_key": KEY}, erp.transport)
    assert erp.erp.start() == address
    assert erp.deliver(sales_order("b"))[0].number == "SO-000002"


def test_the_connector_never_sends_when_it_cannot_look_up(erp: Desk) -> None:
    erp.erp.faults.add(Fault(do="error", on="read"))
    with pytest.raises(RetryLater) as caught:
        erp.deliver(sales_order("a"), unknown=True)
    assert caught.value.unknown
    assert erp.erp.store.counts() == {}


def test_a_document_over_there_with_another_total_is_refused_with_both(erp: Desk) -> None:
    erp.deliver(journal("a"))
    receipt = erp.deliver(journal("a", debit=1600, credit=1600), unknown=True)[0]
    assert receipt.outcome == "refused"
    assert "15.00 USD" in receipt.words
    assert "16.00 USD" in receipt.words


class Garbled:
    """A transport whose answers to creates cannot be read."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        self._answer = Response(status=status, headers={}, body=body)

    def send(self, request: Request) -> Response:
        if request.method == "GET":
            return Response(status=200, headers={}, body=b'{"documents":[]}')
        return self._answer


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"results": []}', b'{"results": 3}', b"\x00"])
def test_an_answer_that_cannot_be_believed_is_unknown(erp: Desk, body: bytes) -> None:
    stranger = Desk(erp.erp, Garbled(body))
    receipts = stranger.deliver(sales_order("a"), sales_order("b"))
    assert [r.outcome for r in receipts] == ["unknown", "unknown"]


def test_books_survive_a_killed_process(tmp_path: Path) -> None:
    store = tmp_path / "erp.sqlite"
    command = [
        sys.executable, "-m", "tillbridge.connectors.sandbox.erp_simulator",
        "--store", str(store), "--key", KEY,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        transport = HttpTransport(LOOPBACK)
        there = ErpSimulator(tmp_path / "other.sqlite", KEY)
        remote = Desk(there, transport)
        receipts = remote.connector.deliver(
            [_assign(sales_order("a")), _assign(invoice("b"))],
            connection_to(address), {"api_key": KEY}, _NoNames(), transport,
        )  # fmt: skip
        os.kill(process.pid, signal.SIGKILL)
        transport.close()
        there.close()
    assert [r.outcome for r in receipts] == ["accepted", "accepted"]
    books = ErpStore(store)
    assert books._database.execute("pragma synchronous").fetchone() == (2,)  # forced to disk
    assert [d.external_id for d in books.page(0, 10)] == ["a", "b"]
    books.close()


class _NoNames:
    def theirs(self, table: str, ours: str) -> str | None:
        return None


def _assign(command: SubmitDocument) -> Assignment:
    return Assignment(document=command)
