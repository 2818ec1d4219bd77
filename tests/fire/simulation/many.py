"""Many seeds, several processes at once; a seed's run is the same whoever plays it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from functools import partial

from tests.fire.simulation.plan import Plan
from tests.fire.simulation.quiet import quiet
from tests.fire.simulation.world import Result, day_told, play, told


def played(plans: Sequence[Plan], server_url: str, template: str, jobs: int) -> Iterator[Result]:
    """Results in the order of the plans; each day is told clean once, to compare with."""
    days = {day_told(plan): plan.clean for plan in plans}
    alone = partial(told, server_url=server_url, template=template)
    one = partial(_compared, server_url=server_url, template=template)
    if jobs <= 1 or len(plans) == 1:
        clean = dict(zip(days, map(alone, days.values()), strict=True))
        yield from map(one, [(plan, clean[day_told(plan)]) for plan in plans])
        return
    with multiprocessing.get_context("spawn").Pool(jobs, initializer=quiet) as pool:
        clean = dict(zip(days, pool.imap(alone, days.values()), strict=True))
        yield from pool.imap(one, [(plan, clean[day_told(plan)]) for plan in plans])


def _compared(pair: tuple[Plan, Result], server_url: str, template: str) -> Result:
    plan, clean = pair
    return play(plan, server_url, template, clean)
