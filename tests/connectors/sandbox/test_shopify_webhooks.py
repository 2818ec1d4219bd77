"""The sandbox shop's webhooks are signed, retried, given up, and witnessed on disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tillbridge.atoms.clock import FixedClock
from tillbridge.connectors.sandbox.loopback import CUT, Answer, Call, LoopbackServer
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.connectors.sandbox.shopify_webhooks import (
    RETRY_PAUSES,
    WebhookSender,
    acknowledged,
    disturb,
    read_witness,
)
from tillbridge.connectors.shopify import connector as shopify
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport

SECRET = "made-up-secret"


class Hub:
    """Stands where the hub would: verifies, remembers, and fails as told."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: list[Answer] = []
        self.broken = False
        self._lock = threading.Lock()
        self.server = LoopbackServer(self.answer)

    def answer(self, call: Call) -> Answer:
        with self._lock:
            self.calls.append(call)
            if self.answers:
                return self.answers.pop(0)
        if self.broken:
            return Answer(status=500)
        genuine = shopify.verify(call.body, call.headers, [SECRET])
        return Answer(status=200 if genuine else 401)


@pytest.fixture(scope="module")
def day() -> DayOfTrade:
    return day_of_trade(7)


@pytest.fixture
def hub() -> Iterator[Hub]:
    found = Hub()
    found.server.start()
    yield found
    found.server.stop()


@pytest.fixture
def sender(hub: Hub, tmp_path: Path) -> Iterator[WebhookSender]:
    transport = HttpTransport(LOOPBACK)
    yield WebhookSender(
        f"{hub.server.address}/hooks/web",
        SECRET,
        transport,
        tmp_path / "sent.jsonl",
        clock=FixedClock(datetime(2026, 11, 13, tzinfo=UTC)),
    )
    transport.close()


def test_a_day_is_sent_in_order_and_every_signature_is_right(
    hub: Hub, sender: WebhookSender, day: DayOfTrade, tmp_path: Path
) -> None:
    report = sender.send(day.deliveries)
    assert report.acknowledged == report.deliveries == len(day.deliveries)
    assert [call.body for call in hub.calls] == [one.body for one in day.deliveries]
    events = {(one.topic, one.event) for one in day.deliveries}
    assert set(acknowledged(tmp_path / "sent.jsonl")) == events
    assert hub.calls[0].path == "/hooks/web"


def test_a_forged_delivery_is_refused(hub: Hub, sender: WebhookSender, day: DayOfTrade) -> None:
    assert sender.forge(day.deliveries[0]) == 401
    assert sender.post(day.deliveries[0]) == 200


def test_what_fails_is_sent_again_as_it_was(
    hub: Hub, sender: WebhookSender, day: DayOfTrade, tmp_path: Path
) -> None:
    hub.answers = [Answer(status=503), CUT, Answer(status=302)]
    report = sender.send(day.deliveries[:2])
    assert (report.acknowledged, report.attempts) == (2, 5)
    first = day.deliveries[0]
    assert [call.body for call in hub.calls].count(first.body) >= 2
    lines = [line for line in read_witness(tmp_path / "sent.jsonl") if line.event == first.event]
    assert [line.what for line in lines].count("acked") == 1
    assert lines[-1].attempt > 1


def test_after_eight_retries_the_subscription_is_deleted(
    hub: Hub, sender: WebhookSender, day: DayOfTrade, tmp_path: Path
) -> None:
    hub.broken = True
    topic = day.deliveries[0].topic
    same = [one for one in day.deliveries if one.topic == topic][:3]
    report = sender.send(same)
    assert (report.gave_up, report.acknowledged, report.deleted) == (1, 0, {topic})
    first = [line for line in read_witness(tmp_path / "sent.jsonl") if line.what == "gave_up"]
    assert first[0].attempt == 1 + len(RETRY_PAUSES)
    assert report.unsent == 2
    assert acknowledged(tmp_path / "sent.jsonl") == {}


def test_the_pauses_are_eight_within_four_hours() -> None:
    assert len(RETRY_PAUSES) == 8
    assert sum(RETRY_PAUSES) == 4 * 3600
    assert list(RETRY_PAUSES) == sorted(RETRY_PAUSES)


def test_several_workers_send_everything_once(
    hub: Hub, sender: WebhookSender, day: DayOfTrade
) -> None:
    report = sender.send(day.deliveries, workers=4)
    assert report.acknowledged == len(day.deliveries)
    assert sorted(call.body for call in hub.calls) == sorted(one.body for one in day.deliveries)


def test_disturbed_deliveries_lose_nothing_and_repeat_by_seed(day: DayOfTrade) -> None:
    disturbed = disturb(day.deliveries, 5, doubled=0.3, moved=0.3)
    assert disturb(day.deliveries, 5, doubled=0.3, moved=0.3) == disturbed
    assert {one.event for one in disturbed} == {one.event for one in day.deliveries}
    assert len(disturbed) > len(day.deliveries)
    kept = [one for one in disturbed if one in day.deliveries]
    assert kept != list(day.deliveries)


def test_a_torn_last_line_of_the_witness_is_left_out(
    hub: Hub, sender: WebhookSender, day: DayOfTrade, tmp_path: Path
) -> None:
    sender.send(day.deliveries[:3])
    path = tmp_path / "sent.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert len(acknowledged(path)) == 2
