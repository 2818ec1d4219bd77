"""The shop trades while the hub is away, and its webhooks never come: the sweep tells count and
sum, has everything read, and the books are those of a shop that told all of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.stories.shop import NAMES, House, house
from tillbridge.atoms.clock import FixedClock
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.connectors.sandbox.shopify_simulator import ShopifySimulator
from tillbridge.connectors.sandbox.shopify_webhooks import WebhookSender
from tillbridge.connectors.shopify.config import TOPICS
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.reconciliation.sweeps.report import StreamState, SweepReport, streams, sweeps
from tillbridge.reconciliation.sweeps.sweeper import Swept

TOKEN = "made-up-token"
DAY = date(2031, 3, 3)
"""Ahead of the database's own clock, which fills the first bucket of calls."""
ADDRESS = "https://hub.example.com/in/web"
ORDERS = 24
HEARD = 6
"""The hub heard these orders being placed and paid; nothing of what became of them."""


@pytest.fixture(scope="module")
def day() -> DayOfTrade:
    return day_of_trade(7, ORDERS, DAY)


@pytest.fixture
def shop(day: DayOfTrade) -> Iterator[ShopifySimulator]:
    simulator = ShopifySimulator(day.stories, TOKEN, points=100_000)
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def clock(day: DayOfTrade) -> FixedClock:
    return FixedClock(max(story.last.at for story in day.stories) + timedelta(hours=5))


@pytest.fixture
def unnamed(
    tmp_path: Path, database_url: str, shop: ShopifySimulator, clock: FixedClock
) -> Iterator[House]:
    """A house with the shop's API that was given none of the day's names yet."""

    def furnish(folder: Path) -> None:
        settings = folder / "tillbridge.toml"
        (folder / "secrets" / "web-token").write_text(TOKEN)
        there = 'secrets.access_token = { file = "secrets/web-token" }\nsweep_hours = 4\n'
        there += 'allow_addresses = ["127.0.0.1"]\n'
        there += f'settings = {{ endpoint = "{shop.endpoint()}", webhook_address = "{ADDRESS}" }}\n'
        text = settings.read_text()
        assert "\n[connection.web]\n" in text
        settings.write_text(text.replace("[connection.web]\n", f"[connection.web]\n{there}", 1))

    with house(tmp_path / "house", database_url, clock=clock, furnish=furnish) as found:
        yield found


@pytest.fixture
def hub(unnamed: House, day: DayOfTrade) -> House:
    """The same, ready for the day."""
    ready(unnamed, day)
    return unnamed


def ready(found: House, day: DayOfTrade) -> None:
    """All names known, the shelves full."""
    rows = list(csv.reader(io.StringIO(day.xref.decode())))[1:]
    known = {name[:3] for name in NAMES}
    wanted = [(c, t, theirs, ours) for c, t, theirs, ours in rows if (c, t, theirs) not in known]
    late = day.late
    found.names([*wanted, (late.connection, late.table, late.theirs, late.ours)])
    found.file("feed", day.opening_stock, "morning.csv")


def told(found: House, day: DayOfTrade, *, all_of_it: bool) -> None:
    """Webhooks of the day; or only that the first orders were placed and paid."""
    heard = {story.order.id for story in day.stories[:HEARD]}
    for delivery in day.deliveries:
        if all_of_it or (
            delivery.order in heard and delivery.topic in ("orders/create", "orders/paid")
        ):
            found.web(
                delivery.topic, msgspec.json.decode(delivery.body), delivery.event, flow=False
            )
    found.flow()


@pytest.fixture
def clean(
    tmp_path: Path, server_url: str, template_database: str, day: DayOfTrade, clock: FixedClock
) -> Iterator[House]:
    """The same trade, every webhook told."""
    name = f"{template_database}_clean"
    with ExitStack() as stack:
        url = create_database(server_url, name, template=template_database)
        stack.callback(drop_database, server_url, name)
        found = stack.enter_context(house(tmp_path / "clean", url, clock=clock))
        ready(found, day)
        told(found, day, all_of_it=True)
        yield found


def swept(hub: House) -> Swept:
    done = hub.hub.sweepers()["web"].run(hub.connection, "orders")
    assert done is not None
    return done


def last(hub: House) -> SweepReport:
    (found,) = sweeps(hub.connection, limit=1)
    hub.connection.rollback()
    return found


def stream(hub: House) -> StreamState:
    (found,) = streams(hub.connection)
    hub.connection.rollback()
    return found


def stock(found: House) -> list[tuple[object, ...]]:
    return found.rows(
        "select location, product, on_hand, reserved from stock"
        " where on_hand <> 0 or reserved <> 0 order by location, product"
    )


def test_a_sweep_finds_what_no_webhook_told_and_the_books_become_those_of_a_clean_day(
    hub: House, clean: House, day: DayOfTrade
) -> None:
    told(hub, day, all_of_it=False)
    first = swept(hub)
    found = last(hub)
    assert (found.source_count, found.hub_count, found.missing) == (ORDERS, HEARD, ORDERS - HEARD)
    assert found.behind == HEARD
    sold, given_back = sum(o.total for o in day.orders), sum(o.refunded for o in day.orders)
    heard = sum(story.order.total for story in day.stories[:HEARD])
    assert given_back > 0
    assert msgspec.structs.astuple(found.sums["USD"]) == (sold, given_back, heard, 0)
    assert found.miss_rate == pytest.approx((ORDERS - HEARD) / ORDERS)
    assert (found.asked, found.fetched) == (ORDERS, 0)
    assert not first.complete
    assert stream(hub).complete_through is None

    assert not hub.drain().moving
    assert last(hub).fetched == ORDERS
    second = swept(hub)
    assert (second.complete, second.tally.missing, second.tally.behind) == (True, [], [])
    found = last(hub)
    assert (found.hub_count, found.missing, found.asked) == (ORDERS, 0, 0)
    assert msgspec.structs.astuple(found.sums["USD"]) == (sold, given_back, sold, given_back)
    assert stream(hub).complete_through == second.window.until

    assert hub.cases() == []
    assert hub.balances() == clean.balances()
    assert stock(hub) == stock(clean)
    assert hub.statuses() == clean.statuses()
    for one in (hub, clean):
        assert not one.drain(60).moving
    assert hub.erp_balances() == clean.erp_balances() != {}
    assert hub.erp.store.duplicates() == {}
    assert hub.lies() == []


def test_each_order_is_read_once_and_then_a_sweep_is_two_calls(
    hub: House, day: DayOfTrade, shop: ShopifySimulator
) -> None:
    told(hub, day, all_of_it=False)
    swept(hub)
    hub.flow()  # the readings again are owed now, behind everything else
    lowest = hub.rows("select prio, count(*) from outkey where key like 'reread/%%' group by prio")
    assert lowest == [(2, ORDERS)]
    assert not hub.drain().moving
    calls = shop.calls
    assert swept(hub).complete
    assert shop.calls - calls == 2  # the count and one page
    messages = hub.rows("select count(*) from message where topic = 'reread/order'")
    assert messages == [(ORDERS,)]


def test_an_order_that_waits_for_a_name_does_not_hold_the_stream_back(
    unnamed: House, day: DayOfTrade
) -> None:
    told(unnamed, day, all_of_it=True)
    assert "mapping_missing" in unnamed.cases()
    done = swept(unnamed)
    assert done.tally.waiting > 0
    assert (done.tally.missing, done.tally.behind) == ([], [])
    assert stream(unnamed).complete_through == done.window.until


def test_the_worker_sweeps_at_its_start_then_by_its_rhythm(
    hub: House, day: DayOfTrade, clock: FixedClock
) -> None:
    sweeper = hub.hub.sweepers()["web"]
    assert [one.asked for one in sweeper.run_due(hub.connection)] != []
    assert not hub.drain().moving
    assert sweeper.run_due(hub.connection) == []
    clock.sleep(601)  # something was missing: look again soon
    assert [one.complete for one in sweeper.run_due(hub.connection)] == [True]
    clock.sleep(3600)
    assert sweeper.run_due(hub.connection) == []
    assert len(hub.hub.sweepers()["web"].run_due(hub.connection, at_start=True)) == 1
    clock.sleep(4 * 3600)
    assert len(sweeper.run_due(hub.connection)) == 1


def test_the_verb_tells_counts_and_sums(hub: House, day: DayOfTrade) -> None:
    told(hub, day, all_of_it=False)
    since, until = day.day.isoformat(), (day.day + timedelta(days=2)).isoformat()
    page = hub.verb("sweep", "--connection", "web", "--from", since, "--to", until)
    (found,) = sweeps(hub.connection)
    assert (found.source_count, found.missing) == (ORDERS, ORDERS - HEARD)
    assert page.splitlines()[-1].startswith(f"web orders to {until} 00:00 USD: there ")
    assert hub.verb("sweep", "--history") == page
    assert "orders of web complete through" in hub.verb("status")


def test_a_hub_away_for_hours_comes_back_to_deleted_subscriptions_and_misses_nothing(
    hub: House, day: DayOfTrade, shop: ShopifySimulator, clock: FixedClock, tmp_path: Path
) -> None:
    shop.subscriptions = dict.fromkeys(TOPICS, ADDRESS)
    transport = HttpTransport(LOOPBACK)
    nobody = "http://127.0.0.1:9/in/web"
    away = clock.now()
    sender = WebhookSender(
        nobody, "secret", transport, tmp_path / "sent.jsonl", compress=1, clock=clock
    )
    report = sender.send(day.deliveries)
    transport.close()
    assert report.acknowledged == 0
    assert clock.now() - away >= timedelta(hours=4)
    for topic in report.deleted:
        shop.subscriptions.pop(topic, None)
    assert "orders/create" not in shop.subscriptions

    back = clock.now()
    sweeper = hub.hub.sweepers()["web"]
    (first,) = sweeper.run_due(hub.connection, at_start=True)
    assert shop.subscriptions == dict.fromkeys(TOPICS, ADDRESS)
    assert len(first.tally.missing) == ORDERS
    assert not hub.drain().moving
    clock.sleep(601)
    (second,) = sweeper.run_due(hub.connection)
    assert second.complete
    assert second.tally.hub_count == ORDERS
    sums = second.tally.sums["USD"]
    assert sums.hub_refunded == sums.source_refunded > 0
    assert clock.now() - back < timedelta(minutes=15)
    assert hub.cases() == []


def test_a_token_that_may_not_subscribe_is_a_case_and_the_sweep_goes_on(
    hub: House, shop: ShopifySimulator
) -> None:
    shop.faults.add(Fault(do="refuse", on="read", words="access denied"))
    (done,) = hub.hub.sweepers()["web"].run_due(hub.connection)
    assert hub.cases() == ["subscription_missing"]
    assert done.tally.source_count == ORDERS
