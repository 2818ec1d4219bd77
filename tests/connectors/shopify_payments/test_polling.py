"""What is asked of a shop's payouts, and what its answers come to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest

from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.canonical.settlement import PayoutTold, SettlementLine, Told
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.connectors.sandbox.shopify_payments_simulator import ShopifyPaymentsSimulator
from tillbridge.connectors.shopify_payments import connector
from tillbridge.connectors.shopify_payments.config import ShopifyPaymentsConfig
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Connection, Item, Page


class Account:
    """A shop's account and how it is asked."""

    def __init__(self, shop: ShopifyPaymentsSimulator, transport: HttpTransport) -> None:
        self.shop = shop
        self.url = shop.start()
        self.transport = transport

    def connection(self, **settings: Any) -> Connection:
        config = ShopifyPaymentsConfig(endpoint=self.url, **settings)
        return Connection(name="acme", entity="us", channel="", currency="USD", settings=config)

    def poll(self, cursor: str = "", secret: str | None = None, **settings: Any) -> Page:
        secrets = {"access_token": "t" if secret is None else secret}
        there = self.connection(**settings)
        return connector.poll("payouts", cursor, there, secrets, self.transport)

    def told(self, item: Item) -> list[Told]:
        there = self.connection()
        assert connector.settles(item.place, item.body[:4096], there)
        return list(connector.settlement(BytesIO(item.body), item.place, there))


@pytest.fixture
def account() -> Iterator[Account]:
    transport = HttpTransport(LOOPBACK)
    shop = ShopifyPaymentsSimulator("t", FixedClock(datetime(2026, 3, 6, 12, tzinfo=UTC)))
    try:
        yield Account(shop, transport)
    finally:
        transport.close()
        shop.stop()


def test_a_payout_of_several_pages_is_one_file_whose_lines_come_to_its_total(
    account: Account,
) -> None:
    for n in range(260):
        account.shop.move("charge", "10.00", "0.30", 100 + n)
    account.shop.move("dispute", "-10.00", "15.00", 107, source=77)
    account.shop.pay_out(91, date(2026, 3, 5), "paid")
    (item,) = account.poll().items
    head, *lines = account.told(item)
    assert isinstance(head, PayoutTold)
    assert head.amount == 260 * 970 - 2500
    found = [one for one in lines if isinstance(one, SettlementLine)]
    assert len(found) == 262
    assert sum(one.net for one in found if one.type != "payout") == head.amount
    (dispute,) = (one for one in found if one.type == "chargeback")
    assert (dispute.reference, dispute.parent) == ("77", "107")


def test_pages_of_payouts_are_followed_and_a_scheduled_one_is_read_again(account: Account) -> None:
    for n in (1, 2, 3):
        account.shop.move("charge", "10.00", "0.30", n)
        account.shop.pay_out(90 + n, date(2026, 3, n), "paid" if n < 3 else "scheduled")
    first = account.poll(page_size=2)
    last = account.poll(first.cursor, page_size=2)
    assert [len(first.items), len(last.items)] == [2, 1]
    assert last.complete_through == datetime(2026, 3, 6, 11, 55, tzinfo=UTC)
    account.shop.becomes(93, "paid")
    before = len(account.shop.calls)
    again = account.poll(last.cursor)
    assert [one.place for one in again.items] == ["payout 93", "payout 92", "payout 91"]
    assert account.shop.calls[before:] == [
        f"/admin/api/2026-10/shopify_payments/{path}"
        for path in ("payouts.json", "balance/transactions.json")
    ]


def test_who_cannot_be_asked_is_told_in_words(account: Account) -> None:
    def refused(words: str, **how: Any) -> None:
        with pytest.raises(Refused, match=words):
            account.poll(**how)

    refused("no secret `access_token`", secret="")
    refused("not accepted", secret="no")
    refused("2026-07 is no longer served", api_version="2026-07")
    config = ShopifyPaymentsConfig()
    there = Connection(name="a", entity="us", channel="", currency="USD", settings=config)
    with pytest.raises(Refused, match="names no shop"):
        connector.poll("payouts", "", there, {"access_token": "t"}, account.transport)
    account.shop.faults.add(Fault(do="throttle", on="read", seconds=7))
    with pytest.raises(RetryLater) as later:
        account.poll()
    assert later.value.after_seconds == 7


def test_the_check_says_what_it_found(account: Account) -> None:
    secrets = {"access_token": "t"}
    there = account.connection()
    assert connector.check(there, secrets, account.transport).endswith("no payout yet")
    account.shop.pay_out(91, date(2026, 3, 5))
    assert "91 of 2026-03-05" in connector.check(there, secrets, account.transport)


@pytest.mark.parametrize(
    "wrong",
    [{"shop": "acme.example"}, {"endpoint": "http://acme.example"}, {"start_at": "2026-03-01"}],
)
def test_settings_that_could_never_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ShopifyPaymentsConfig(**wrong)
