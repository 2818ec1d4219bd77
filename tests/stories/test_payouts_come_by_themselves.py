"""Two Stripe accounts and a shop pay out, and nobody exports a file.

Each account is polled with a cursor of its own, nothing is skipped and nothing is told twice: not
while a provider is away for a day, not when it is busy in the middle, not when a payout fails after
it was paid. Finance sees through when each account is known to be complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.stories.checkout import Checkout, checkout
from tests.stories.shop import House, house, line, paid_order
from tillbridge.atoms.clock import FixedClock
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.connectors.sandbox.shopify_payments_simulator import ShopifyPaymentsSimulator
from tillbridge.connectors.sandbox.stripe_books import StripeBooks
from tillbridge.connectors.sandbox.stripe_simulator import StripeSimulator
from tillbridge.inbox.polls import PollReport
from tillbridge.reconciliation.sweeps.report import streams

CONNECTIONS = """
[connection.stripe-phone]
connector = "stripe"
entity = "us"
poll_seconds = 3600
secrets = { api_key = { file = "secrets/stripe-phone" } }
[connection.stripe-phone.settings]
order_metadata = "order"
[connection.stripe-phone.settle]
tenders = ["card"]

[connection.shop-pay]
connector = "shopify_payments"
entity = "us"
poll_seconds = 3600
secrets = { access_token = { file = "secrets/shop-pay" } }
[connection.shop-pay.settle]
tenders = ["shop-pay"]
orders = ["web"]

[connection.stripe-app]
connector = "stripe"
entity = "us"
poll_seconds = 3600
secrets = { api_key = { file = "secrets/stripe-app" } }
[connection.stripe-app.settings]
page_size = 2
[connection.stripe-app.settle]
tenders = ["wallet"]
"""
MORNING = datetime(2026, 3, 6, 12, tzinfo=UTC)


class Providers:
    """A house whose providers are asked for their payouts."""

    def __init__(
        self,
        shop: House,
        web: Checkout,
        stripe: StripeSimulator,
        pay: ShopifyPaymentsSimulator,
        clock: FixedClock,
    ) -> None:
        self.shop = shop
        self.web = web
        self.stripe = stripe
        self.clock = clock
        self.phone: StripeBooks = stripe.accounts["sk_live_phone"]
        self.app: StripeBooks = stripe.accounts["sk_live_app"]
        self.pay = pay
        self._pollers = shop.hub.pollers()

    def sold(self, number: str, books: StripeBooks, total: int, fee: int) -> None:
        """An order is placed and paid by card or wallet; the provider has the money."""
        amount = f"{total / 100:.2f}"
        tender = "card" if books is self.phone else "wallet"
        self.web.order(number, amount)
        self.web.payment(
            number, "captured", f"ch_{number}", amount, tender=tender, intent=f"pi_{number}"
        )
        books.charge(f"ch_{number}", total, fee, f"pi_{number}", number)

    def sold_in_shop(self, number: int, total: str, fee: str) -> None:
        """An order of the web shop, paid by what the shop itself offers."""
        body = paid_order(number, [line(number * 10, sku="SKU-1", price=total)], total)
        body["transactions"] = [
            {
                "id": number * 100,
                "kind": "sale",
                "status": "success",
                "amount": total,
                "currency": "USD",
                "gateway": "shopify_payments",
                "created_at": "2026-03-03T09:00:00-05:00",
            }
        ]
        self.shop.web("orders/create", body)
        self.pay.move("charge", total, fee, number * 100)

    def poll(self, hours: float = 1.0) -> dict[str, PollReport]:
        """What the worker's polls and schedule do, so many hours later."""
        self.clock.sleep(hours * 3600)
        found = {
            name: poller.run_due(self.shop.connection)[0] for name, poller in self._pollers.items()
        }
        self.shop.flow()
        self.shop.settle()
        return found

    def through(self, account: str) -> datetime | None:
        """Through when an account is known to be complete."""
        found = {one.connection: one.complete_through for one in streams(self.shop.connection)}
        self.shop.connection.rollback()
        return found[account]

    def payouts(self) -> list[tuple[str, str, int, str, bool]]:
        """Every payout the hub knows: account, name, minor units, state, whether it ties."""
        return [
            (account, name, amount, state, tied)
            for account, name, amount, state, tied in self.shop.rows(
                "select account, payout, amount, state, tied from payout order by account, payout"
            )
        ]


@contextmanager
def _providers(folder: Path, url: str) -> Iterator[Providers]:
    clock = FixedClock(MORNING)
    stripe = StripeSimulator(clock)
    stripe.open_account("sk_live_phone", "acct_phone")
    stripe.open_account("sk_live_app", "acct_app")
    pay = ShopifyPaymentsSimulator("shpat_pay", clock)
    address = stripe.start()

    def furnish(there: Path) -> None:
        settings = there / "tillbridge.toml"
        settings.write_text(settings.read_text() + CONNECTIONS)
        for name in ("phone", "app"):
            secret = there / "secrets" / f"stripe-{name}"
            secret.write_text(f"sk_live_{name}")
            secret.chmod(0o600)
        (there / "secrets" / "shop-pay").write_text("shpat_pay")
        (there / "secrets" / "shop-pay").chmod(0o600)

    reach = {name: {"url": address} for name in ("stripe-phone", "stripe-app")}
    reach["shop-pay"] = {"endpoint": pay.start()}
    try:
        with (
            house(folder, url, clock=clock, furnish=furnish, reach=reach) as shop,
            checkout(shop) as web,
        ):
            yield Providers(shop, web, stripe, pay, clock)
    finally:
        stripe.stop()
        pay.stop()


@pytest.fixture
def providers(tmp_path: Path, database_url: str) -> Iterator[Providers]:
    with _providers(tmp_path / "house", database_url) as found:
        yield found


def test_payouts_of_several_accounts_come_by_themselves_and_tie(providers: Providers) -> None:
    shop = providers.shop
    providers.sold("A-1", providers.phone, 10_000, 320)
    providers.sold("A-2", providers.phone, 5000, 175)
    providers.sold("B-1", providers.app, 8000, 262)
    providers.sold_in_shop(1001, "60.00", "2.04")
    providers.phone.pay_out("po_a1")
    providers.app.pay_out("po_b1")
    providers.pay.pay_out(91, date(2026, 3, 6))
    told = providers.poll()
    assert {name: (one.items, one.lines, one.words) for name, one in told.items()} == {
        "stripe-phone": (1, 3, ""),
        "shop-pay": (1, 2, ""),
        "stripe-app": (1, 2, ""),
    }
    assert providers.payouts() == [
        ("shop-pay", "91", 5796, "scheduled", True),
        ("stripe-app", "po_b1", 7738, "scheduled", True),
        ("stripe-phone", "po_a1", 14_505, "scheduled", True),
    ]
    for books, payout in ((providers.phone, "po_a1"), (providers.app, "po_b1")):
        books.arrive(payout, f"trace-{payout}")
    providers.pay.becomes(91, "paid")
    providers.poll(24)
    told = providers.poll()
    assert [one.new for one in told.values()] == [0, 1, 0]  # the shop's head without its lines
    told = providers.poll()
    assert [(one.new, one.duplicates) for one in told.values()] == [(0, 1)] * 3
    assert shop.cases() == []
    balances = shop.balances()
    assert "clearing/card" not in balances
    assert "clearing/wallet" not in balances
    assert "clearing/shop-pay" not in balances
    assert (balances["fees/card"], balances["fees/wallet"]) == (495, 262)
    assert balances["fees/shop-pay"] == 204
    assert balances["payouts-in-transit"] == 14_505 + 7738 + 5796
    assert shop.lies() == []


def test_a_provider_that_was_away_for_a_day_is_read_to_its_end(providers: Providers) -> None:
    shop, books = providers.shop, providers.app
    providers.sold("B-0", books, 1000, 59)
    books.pay_out("po_b0")
    books.arrive("po_b0")
    providers.poll()
    through = providers.through("stripe-app")
    providers.stripe.stop()
    for n in range(1, 6):  # it sells and pays out, and nobody can ask
        providers.sold(f"B-{n}", books, 1000 * n, 30 + 29 * n)
        books.pay_out(f"po_b{n}")
        books.arrive(f"po_b{n}")
        told = providers.poll(5)
        assert told["stripe-app"].words != ""
    assert providers.through("stripe-app") == through
    assert len(providers.payouts()) == 1

    providers.stripe.start()
    # too busy for the second payout of the page: the first is kept, the cursor goes on behind it
    providers.stripe.faults.add(Fault(do="throttle", on="read", skip=3, count=2))
    told = providers.poll()
    assert told["stripe-app"].words == "Stripe asks for patience (429)"
    assert told["stripe-app"].new == 1
    assert providers.through("stripe-app") == through
    providers.poll()
    found = {name: amount for _, name, amount, _, _ in providers.payouts()}
    assert found == {f"po_b{n}": 1000 * (n or 1) - 30 - 29 * (n or 1) for n in range(6)}
    assert all(tied for *_, tied in providers.payouts())
    later = providers.through("stripe-app")
    assert later is not None
    assert through is not None
    assert later > through + timedelta(days=1)
    assert f"stripe-app is complete through {later:%Y-%m-%d %H:%M} UTC" in shop.verb(
        "reconcile", "status"
    )
    assert shop.cases() == []
    assert "clearing/wallet" not in shop.balances()
    assert shop.lies() == []


def test_a_payout_without_its_lines_yet_holds_the_account_back(providers: Providers) -> None:
    shop, books = providers.shop, providers.phone
    providers.sold("A-1", books, 10_000, 320)
    books.pay_out("po_a1", reconciled=False)
    made = providers.clock.now()
    providers.poll(30)
    assert providers.payouts() == [("stripe-phone", "po_a1", 9680, "scheduled", False)]
    assert providers.through("stripe-phone") == made
    assert shop.balances()["clearing/card"] == 10_000
    books.reconcile("po_a1")
    books.send("po_a1")
    told = providers.poll()
    assert told["stripe-phone"].lines == 2
    through = providers.through("stripe-phone")
    assert through is not None
    assert through > made + timedelta(days=1)
    assert "clearing/card" not in shop.balances()
    assert shop.cases() == []
    assert shop.lies() == []


def test_a_payout_that_fails_after_it_was_paid_is_owed_again(providers: Providers) -> None:
    shop, books = providers.shop, providers.phone
    providers.sold("A-1", books, 10_000, 320)
    books.pay_out("po_a1")
    books.arrive("po_a1", "0114")
    providers.poll()
    assert shop.balances()["payouts-in-transit"] == 9680
    books.fail("po_a1")
    providers.poll(5 * 24)
    balances = shop.balances()
    assert "payouts-in-transit" not in balances
    assert balances["clearing/card"] == 9680
    books.pay_out("po_a2")
    books.arrive("po_a2", "0115")
    providers.poll(24)
    assert shop.balances()["payouts-in-transit"] == 9680
    assert "clearing/card" not in shop.balances()
    assert [one[1:4] for one in providers.payouts()] == [
        ("po_a1", 9680, "failed"),
        ("po_a2", 9680, "paid"),
    ]
    assert shop.lies() == []


def test_a_dispute_whose_webhook_was_missed_is_found_in_the_payout(providers: Providers) -> None:
    shop, books = providers.shop, providers.phone
    for number in ("A-1", "A-2", "A-3"):
        providers.sold(number, books, 10_000, 320)
    books.dispute("dp_2", "ch_A-2", 10_000, 1500)
    books.pay_out("po_a1")
    books.arrive("po_a1")
    providers.poll()
    shop.settle()  # the line finds the dispute it told of
    assert shop.cases() == ["payment_disputed"]
    balances = shop.balances()
    assert balances["disputes"] == 10_000
    assert balances["fees/card"] == 3 * 320 + 1500
    assert balances["payouts-in-transit"] == 2 * 10_000 - 3 * 320 - 1500
    assert "clearing/card" not in balances
    # its webhook comes after all, late: nothing new
    providers.web.payment(
        "A-2", "disputed", "dp_2", "100.00", fee="15.00", parent="ch_A-2", intent="pi_A-2"
    )
    shop.settle()
    assert shop.balances() == balances

    books.win("dp_2", 10_000)
    books.pay_out("po_a2")
    books.arrive("po_a2")
    providers.poll(24)
    shop.settle()
    assert shop.cases() == []
    balances = shop.balances()
    assert "disputes" not in balances
    assert "clearing/card" not in balances
    assert balances["payouts-in-transit"] == 3 * 10_000 - 3 * 320 - 1500
    assert shop.lies() == []


def test_a_key_that_may_not_read_is_told_in_words_that_help(providers: Providers) -> None:
    shop = providers.shop
    keys = providers.stripe.accounts
    keys["rk_live_other"] = keys.pop("sk_live_phone")
    told = providers.poll()
    assert "Stripe does not accept the key" in told["stripe-phone"].words
    assert told["stripe-app"].words == ""  # the other account goes on
    assert shop.cases() == ["delivery_broken"]
    page = shop.verb("reconcile", "status")
    assert "stripe-phone: not read: Stripe does not accept the key (401)" in page
