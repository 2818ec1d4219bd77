"""`make simulate SEEDS=n FIRST=k`: many seeds, a summary, and how to play a failing one again."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.fire.simulation.many import played
from tests.fire.simulation.plan import draw
from tests.fire.simulation.quiet import quiet
from tests.fire.simulation.summary import Summary
from tests.fire.simulation.world import make_template
from tests.places import quick_place
from tillbridge.durable.migrate import migrate
from tillbridge.durable.postgres import database
from tillbridge.durable.postgres.databases import create_database
from tillbridge.durable.session import connect


@contextmanager
def server() -> Iterator[tuple[str, str]]:
    """An embedded server for the run: its address, and the name of the template database."""
    workspace = Path(tempfile.mkdtemp(prefix="tillbridge-simulate-", dir=quick_place()))
    workspace.chmod(0o711)
    try:
        with database(workspace) as url:
            template = create_database(url, "simulation")
            with connect(template, autocommit=True) as connection:
                migrate(connection)
            make_template(template)
            yield url, "simulation"
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def main() -> int:
    """Play the seeds; 1 when one fails or something interesting never happened."""
    parser = argparse.ArgumentParser(description="Deterministic simulation of the whole hub.")
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--orders", type=int, default=7, help="web orders of the day")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at once")
    parser.add_argument("--log", action="store_true", help="the hub's own log lines")
    parser.add_argument("--trace", action="store_true", help="the trace hash of each seed")
    chosen = parser.parse_args()
    if chosen.log:
        chosen.jobs = 1
    else:
        quiet()
    summary = Summary()
    began = time.monotonic()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    plans = [msgspec.structs.replace(draw(seed), orders=chosen.orders) for seed in seeds]
    with server() as (url, template):
        for seed, result in zip(seeds, played(plans, url, template, chosen.jobs), strict=True):
            summary.add(result)
            if chosen.trace:
                print(f"seed {seed} trace {result.trace}")
            for line in summary.failure_lines(result):
                print(line, file=sys.stderr, flush=True)
    print(summary.page(time.monotonic() - began))
    return 0 if summary.ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
