"""The simulated Stripe refuses what the real one refuses, and pages as it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tillbridge.atoms.clock import FixedClock
from tillbridge.connectors.sandbox.stripe_simulator import StripeSimulator
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.transport import Request, Response

NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)


class Caller:
    """Asks with the right key unless told otherwise."""

    def __init__(self, simulator: StripeSimulator, transport: HttpTransport) -> None:
        self.stripe = simulator
        self.books = simulator.open_account("sk_live_1", "acct_1")
        self._url = simulator.start()
        self._transport = transport

    def get(self, path: str, key: str = "sk_live_1", **headers: str) -> Response:
        named = {"authorization": f"Bearer {key}", **headers}
        return self._transport.send(
            Request(method="GET", url=f"{self._url}/v1/{path}", headers=named)
        )

    def read(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status == 200, answer.body
        return msgspec.json.decode(answer.body)


@pytest.fixture
def caller() -> Iterator[Caller]:
    transport = HttpTransport(LOOPBACK)
    simulator = StripeSimulator(FixedClock(NOW), calls_a_second=1000)
    try:
        yield Caller(simulator, transport)
    finally:
        transport.close()
        simulator.stop()


def test_lists_are_newest_first_and_paged_by_the_last_id(caller: Caller) -> None:
    for n in range(23):
        caller.books.charge(f"ch_{n}", 100 + n, 3)
    first = caller.read("balance_transactions")
    assert (len(first["data"]), first["has_more"]) == (10, True)
    assert first["data"][0]["source"] == "ch_22"
    last = caller.read(f"balance_transactions?limit=13&starting_after={first['data'][-1]['id']}")
    assert (len(last["data"]), last["has_more"], last["data"][-1]["source"]) == (13, False, "ch_0")


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("payouts?limit=101", 400, "between 1 and 100"),
        ("payouts?limit=0", 400, "between 1 and 100"),
        ("payouts?since=1", 400, "unknown parameter"),
        ("payouts?starting_after=po_no", 404, "No such payout"),
        ("balance_transactions?payout=po_no", 404, "No such payout"),
        ("payouts/po_no", 404, "No such payout"),
        ("charges", 404, "Unrecognized"),
    ],
)
def test_what_stripe_does_not_take_is_refused(
    caller: Caller, path: str, status: int, word: str
) -> None:
    answer = caller.get(path)
    assert answer.status == status
    assert word in msgspec.json.decode(answer.body)["error"]["message"]


def test_a_key_opens_its_own_account_and_no_other(caller: Caller) -> None:
    caller.stripe.open_account("sk_live_2", "acct_2").charge("ch_other", 1, 0)
    caller.stripe.open_account("rk_live_3", "acct_3", may_read=False)
    assert caller.read("balance_transactions")["data"] == []
    assert caller.get("payouts", key="sk_live_no").status == 401
    assert caller.get("payouts", key="rk_live_3").status == 403
    assert caller.get("payouts", **{"stripe-account": "acct_2"}).status == 403
    assert caller.get("payouts", **{"stripe-version": "1999-01-01"}).status == 400


def test_too_many_calls_are_turned_away_without_saying_for_how_long() -> None:
    transport = HttpTransport(LOOPBACK)
    caller = Caller(StripeSimulator(FixedClock(NOW), calls_a_second=1), transport)
    try:
        assert [caller.get("payouts").status for _ in range(2)] == [200, 429]
        assert "retry-after" not in caller.get("payouts").headers
    finally:
        transport.close()
        caller.stripe.stop()


def test_members_of_a_payout_come_to_it_once_it_is_reconciled(caller: Caller) -> None:
    books = caller.books
    books.charge("ch_1", 10_000, 320, "pi_1")
    books.refund("re_1", "ch_1", 1000)
    assert books.pay_out("po_1", reconciled=False) == 8680
    books.charge("ch_2", 500, 10)
    assert caller.read("balance_transactions?payout=po_1")["data"] == []
    books.reconcile("po_1")
    found = caller.read("balance_transactions?payout=po_1&expand[]=data.source")["data"]
    assert [one["net"] for one in found] == [-8680, -1000, 9680]
    assert found[1]["source"]["charge"] == "ch_1"
    books.fail("po_1")
    assert books.pay_out("po_2", automatic=False) == 8680 + 490
    assert caller.get("balance_transactions?payout=po_2").status == 400
    (failed,) = caller.read("payouts?status=failed")["data"]
    assert (failed["id"], failed["failure_code"]) == ("po_1", "account_closed")
    now = int(NOW.timestamp())
    assert caller.read(f"payouts?created[gt]={now}")["data"] == []
    assert len(caller.read(f"payouts?created[gte]={now}")["data"]) == 2
    assert caller.get("payouts").headers["date"] == "Fri, 06 Mar 2026 12:00:00 GMT"
