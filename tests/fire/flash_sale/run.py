"""One flash sale from the first buyer to the last document."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec

from tests.fire.chaos.score import say
from tests.fire.flash_sale import check, figures, stores, witness
from tests.fire.flash_sale.load import LAST_SECONDS, Orders
from tests.fire.flash_sale.plan import Plan
from tests.fire.flash_sale.scene import SaleScene
from tests.fire.flash_sale.watch import Watch
from tillbridge.connectors.sandbox.erp_store import ErpStore

LEAD_SECONDS = 3.0
"""Until the first buyer: load processes have to start and build their plans."""
DRAIN_SECONDS = 600.0
SETTLE_SECONDS = 2.0


def sell(plan: Plan) -> figures.Report:
    """The whole story; raises AssertionError when the hub never comes to rest."""
    with SaleScene(plan) as scene:
        scene.ready()
        say(f"{plan.stores} stores stand; {plan.end:.0f} s of trade begin")
        begin = time.monotonic() + LEAD_SECONDS
        with Watch(scene, begin, stores.places(plan)) as watch:
            seen = _traded(scene, begin)
            over = time.monotonic()
            _carts_end(scene, begin, seen)
            seen.add(_told(scene, [_load(scene, begin, plan.loads)]))
        say("the last buyer has gone; the ERP gets what is left")
        report = figures.Report(plan=plan, late_ms=seen.late_ms, faults=seen.faults)
        _rest(scene, report, over)
        with scene.store() as connection:
            report.sold = check.count(connection, plan, seen.carts, watch.looks)
            query = "select reason, count(*) from exception_case group by reason"
            report.cases = dict(connection.execute(query.encode()).fetchall())
            query = "select deadlocks from pg_stat_database where datname = current_database()"
            (report.deadlocks,) = connection.execute(query.encode()).fetchall()[0]
        found = figures.samples(seen, watch.reserved)
        figures.fill(report, found, watch.looks, watch.backlogs)
        return report


def _traded(scene: SaleScene, begin: float) -> witness.Witness:
    """All phases: buyers from processes of their own, tills that tell in the middle of it."""
    plan = scene.plan
    files = scene.put_poslogs()[::-1]
    children = [_load(scene, begin, number) for number in range(plan.loads)]
    for number, path in enumerate(files):
        due = begin + plan.seconds * (1 + number / len(files))
        time.sleep(max(0.0, due - time.monotonic()))
        scene.drop(path)
    return _told(scene, children)


def _carts_end(scene: SaleScene, begin: float, seen: witness.Witness) -> None:
    """Wait until no cart can hold anything any more."""
    until = begin + max((cart.until for cart in seen.carts), default=0.0) + SETTLE_SECONDS
    time.sleep(max(0.0, until - time.monotonic()))


def _load(scene: SaleScene, begin: float, number: int) -> tuple[subprocess.Popen[bytes], Path]:
    """A load process and the file it will write."""
    file = scene.outside / f"load-{number}.json"
    words = (str(scene.port), str(begin), str(number), str(file))
    command = [sys.executable, "-m", "tests.fire.flash_sale.load", *words]
    with (scene.outside / f"load-{number}.log").open("wb") as log:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    assert child.stdin is not None
    child.stdin.write(msgspec.json.encode(Orders(scene.plan, scene.key)))
    child.stdin.close()
    return child, file


def _told(
    scene: SaleScene, children: list[tuple[subprocess.Popen[bytes], Path]]
) -> witness.Witness:
    for child, file in children:
        code = child.wait(timeout=scene.plan.end + 3 * LAST_SECONDS)
        assert code == 0, f"{file.stem} ended with {code}: its words are in {file.stem}.log"
    return witness.read([file for _, file in children])


def _rest(scene: SaleScene, report: figures.Report, over: float) -> None:
    """Until nothing moves; then every invariant."""
    scene.await_quiet(DRAIN_SECONDS)
    report.erp_drained_seconds = round(time.monotonic() - over, 1)
    store = ErpStore(scene.books)
    report.wrong += [
        f"{name} stands {n} times in the ERP" for name, n in store.duplicates().items()
    ]
    after = 0
    while documents := store.page(after, 500):
        report.erp_documents += len(documents)
        after = documents[-1].id
    store.close()
    scene.erp_fault()
    code, words = scene.command("drain", "--timeout", "120")
    if code:
        report.wrong.append(f"drain: {words}")
    code, words = scene.command("--json", "verify", "--quiesced")
    if code:
        report.wrong.append(f"verify: {words[-2000:]}")
