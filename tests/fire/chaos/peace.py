"""Figures of a hub in peace: how long an order takes to the ERP, alone and with poison among the
trade, and how quickly a backlog drains after the ERP was away. Told by the outside witnesses only.
"""

from __future__ import annotations

import itertools
import math
import time
from datetime import datetime

from tests.fire.chaos.generator import days
from tests.fire.chaos.judge import judge
from tests.fire.chaos.proxy import FAIR, Weather
from tests.fire.chaos.scene import Scene
from tests.fire.chaos.score import Score, say
from tillbridge.app.pending import pending
from tillbridge.connectors.sandbox.erp_store import ErpStore, Stored
from tillbridge.connectors.sandbox.shopify_webhooks import read_witness

RATE = 20.0
POISON_SHARE = 0.01
DAYS_MOST = 12
DRAIN_SECONDS = 300.0
SLOW_ERP = 3.0
"""Calls per second; few, so that the allowance and not the hub says how long a drain takes."""


def measure(score: Score, seed: int, seconds: float = 30.0) -> None:
    """One hub trades in peace, then with poison; another one while its ERP is away."""
    say("measuring a hub in peace")
    with Scene(seed) as scene:
        score.healthy_p95_seconds = _traded(scene, 0, 0.0, seconds)
        score.poisoned_p95_seconds = _traded(scene, 1, POISON_SHARE, seconds)
        say(f"  p95 {score.healthy_p95_seconds} s, with poison {score.poisoned_p95_seconds} s")
        _judged(scene, score)
    with Scene(seed, erp_rate=SLOW_ERP) as scene:
        score.drain_share_of_allowed = _outage(scene, seconds)
        say(f"  after an outage drained at {score.drain_share_of_allowed} of the allowed rate")
        _judged(scene, score)


def _judged(scene: Scene, score: Score) -> None:
    found = judge(scene)
    say(f"  acked {found.acked}, faults {found.faults}")
    score.add(found)


def _traded(scene: Scene, seed: int, poison: float, seconds: float) -> float | None:
    """95th percentile of the seconds from an order's first paid telling to the ERP's document."""
    scene.trade(RATE, poison, seed)
    time.sleep(seconds)
    scene.close_shop()
    _await_no_documents(scene)
    orders = {
        delivery.event: delivery.order
        for day in itertools.islice(days(scene.seed + seed), DAYS_MOST)
        for delivery in day.deliveries
        if delivery.topic == "orders/paid"
    }
    sent: dict[int, datetime] = {}
    for line in read_witness(scene.witness):
        if line.what == "sent" and line.event in orders:
            sent.setdefault(orders[line.event], datetime.fromisoformat(line.at))
    booked = {
        int(one.external_id.split("/")[2]): datetime.fromisoformat(one.at)
        for one in _documents(scene)
        if one.kind == "sales_order"
    }
    took = sorted((booked[o] - at).total_seconds() for o, at in sent.items() if o in booked)
    return round(took[math.ceil(0.95 * len(took)) - 1], 3) if took else None


def _outage(scene: Scene, seconds: float) -> float:
    """The ERP is away while trade goes on; then calls per second as a share of the allowed rate,
    until the last document is there. The burst counts as allowed.
    """
    scene.erp_wire.weather = Weather(refuse=True)
    scene.erp_wire.cut()
    scene.trade(RATE * 2)
    time.sleep(seconds)
    scene.close_shop()
    before = len(_documents(scene))
    scene.erp_wire.weather = FAIR
    _await_no_documents(scene)
    sent = _documents(scene)[before:]
    if not sent:
        return 0.0
    store = ErpStore(scene.books)
    calls = [call.at for call in store.calls() if sent[0].at <= call.at <= sent[-1].at]
    store.close()
    took = datetime.fromisoformat(sent[-1].at) - datetime.fromisoformat(sent[0].at)
    allowed = SLOW_ERP * (1 + took.total_seconds())
    say(f"  {len(sent)} documents in {len(calls)} of {allowed:.0f} calls allowed")
    return round(len(calls) / allowed, 2)


def _await_no_documents(scene: Scene) -> None:
    began = time.monotonic()
    with scene.store() as connection:
        while time.monotonic() - began < DRAIN_SECONDS:
            left = pending(connection)
            if not left.records and not left.documents:
                return
            time.sleep(0.1)
    raise AssertionError("documents are still pending")


def _documents(scene: Scene) -> list[Stored]:
    """The ERP's books, oldest first."""
    store = ErpStore(scene.books)
    found: list[Stored] = []
    while page := store.page(found[-1].id if found else 0, 500):
        found += page
    store.close()
    return found
