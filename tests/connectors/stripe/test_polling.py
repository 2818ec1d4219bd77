"""What is asked of Stripe, and what of its answers is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest

from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.settlement import Broken, PayoutTold, SettlementLine, Told
from tillbridge.connectors.sandbox.stripe_books import StripeBooks
from tillbridge.connectors.sandbox.stripe_simulator import StripeSimulator
from tillbridge.connectors.stripe import connector
from tillbridge.connectors.stripe.config import StripeConfig
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Connection, Item


class Account:
    """An account and how it is asked."""

    def __init__(self, stripe: StripeSimulator, transport: HttpTransport) -> None:
        self.stripe = stripe
        self.books: StripeBooks = stripe.open_account("sk_live_1", "acct_1")
        self.url = stripe.start()
        self.transport = transport

    def connection(self, **settings: Any) -> Connection:
        config = StripeConfig(url=self.url, **settings)
        return Connection(name="acme", entity="us", channel="", currency="USD", settings=config)

    def poll(self, key: str = "sk_live_1", **settings: Any) -> tuple[Item, ...]:
        page = connector.poll(
            "payouts", "", self.connection(**settings), {"api_key": key}, self.transport
        )
        return page.items

    def told(self, **settings: Any) -> list[Told]:
        there = self.connection(**settings)
        (item,) = self.poll(**settings)
        assert connector.settles(item.place, item.body[:4096], there)
        return list(connector.settlement(BytesIO(item.body), item.place, there))


@pytest.fixture
def account() -> Iterator[Account]:
    transport = HttpTransport(LOOPBACK)
    stripe = StripeSimulator(FixedClock(datetime(2026, 3, 6, 12, tzinfo=UTC)), calls_a_second=1000)
    try:
        yield Account(stripe, transport)
    finally:
        transport.close()
        stripe.stop()


def test_a_payout_of_several_pages_is_one_file_whose_lines_come_to_its_total(
    account: Account,
) -> None:
    for n in range(230):
        account.books.charge(f"ch_{n}", 1000 + n, 30, f"pi_{n}", f"{n}")
    account.books.refund("re_1", "ch_7", 500)
    total = account.books.pay_out("po_1")
    head, *lines = account.told(order_metadata="order")
    assert isinstance(head, PayoutTold)
    assert (head.amount, head.itemised) == (total, True)
    assert len(account.stripe.calls) == 1 + 3
    found = [one for one in lines if isinstance(one, SettlementLine)]
    assert len({one.line for one in found}) == 232
    assert {one.payout for one in found} == {"po_1"}
    assert sum(one.net for one in found if one.type != "payout") == total
    by_reference = {one.reference: one for one in found}
    assert (by_reference["ch_7"].parent, by_reference["ch_7"].order) == ("pi_7", "7")
    assert by_reference["re_1"].parent == "pi_7"


def test_nothing_of_the_buyer_is_kept(account: Account) -> None:
    account.books.charge("ch_1", 1000, 30, "pi_1")
    account.books.pay_out("po_1")
    (item,) = account.poll()
    assert b"Featherstone" not in item.body
    assert b"canaria" not in item.body
    assert b"pi_1" in item.body


def test_a_manual_payout_has_no_lines_and_is_told_so(account: Account) -> None:
    account.books.charge("ch_1", 1000, 30)
    account.books.pay_out("po_1", automatic=False)
    (head,) = account.told()
    assert isinstance(head, PayoutTold)
    assert not head.itemised


def test_keys_that_cannot_be_right_are_refused_in_words(account: Account) -> None:
    account.stripe.open_account("sk_test_1", "acct_t", live=False).pay_out("po_t")
    account.stripe.open_account("rk_live_2", "acct_2", may_read=False)
    with pytest.raises(Refused, match="no secret `api_key`"):
        account.poll(key="")
    with pytest.raises(Refused, match="does not accept the key"):
        account.poll(key="sk_live_no")
    with pytest.raises(Refused, match="read access to balance transactions and payouts"):
        account.poll(key="rk_live_2")
    with pytest.raises(Refused, match="test mode"):
        account.poll(key="sk_test_1")
    assert len(account.poll(key="sk_test_1", take_tests=True)) == 1
    with pytest.raises(Refused, match=r"Invalid Stripe API version: 1999"):
        account.poll(api_version="1999-01-01")


def test_the_check_says_which_account_answers(account: Account) -> None:
    def check(**settings: object) -> str:
        there = account.connection(**settings)
        return connector.check(there, {"api_key": "sk_live_1"}, account.transport)

    assert check() == "Stripe answers; there was no payout yet"
    account.books.pay_out("po_1")
    assert check() == "Stripe answers in live mode; the last payout is po_1 of 2026-03-06"
    assert "po_1" in check(connected_account="acct_1")
    with pytest.raises(Refused):
        check(connected_account="acct_2")


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://stripe.example"},
        {"connected_account": "1Ab"},
        {"start_at": "2026-03-01"},
    ],
)
def test_settings_that_could_never_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        StripeConfig(**wrong)


def test_answers_in_any_order_and_broken_ones_are_told_apart() -> None:
    there = Connection(name="a", entity="us", channel="", currency="USD", settings=StripeConfig())
    body = (
        b'{"object":"list","data":[{"id":"po_1","object":"payout","amount":5,"currency":"usd",'
        b'"arrival_date":1772755200,"created":1,"status":"paid"},{"object":"charge"},'
        b'{"id":"po_2","object":"payout","amount":"5","currency":"usd","arrival_date":1,'
        b'"created":1,"status":"paid"}]} {"object":"list","data":7}\n{"object":"li'
    )
    assert connector.settles("x", body, there)
    found = list(connector.settlement(BytesIO(body), "x", there))
    assert [type(one) for one in found] == [PayoutTold, Broken, Broken, Broken, Broken]
    assert not connector.settles("x", b'{"object":"list","url":"/v1/charges"}', there)
