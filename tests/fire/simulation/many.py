"""Many seeds, several processes at once; a seed's run is the same whoever plays it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from functools import partial

from tests.fire.simulation.plan import Plan
from tests.fire.simulation.quiet import quiet
from tests.fire.simulation.world import Result, play


def played(plans: Sequence[Plan], server_url: str, template: str, jobs: int) -> Iterator[Result]:
    """Results in the order of the plans."""
    one = partial(play, server_url=server_url, template=template)
    if jobs <= 1 or len(plans) == 1:
        yield from map(one, plans)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, initializer=quiet) as pool:
        yield from pool.imap(one, plans)
