"""Many seeds, several processes at once; a seed's run is the same whoever plays it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from functools import partial

from tests.fire.simulation.plan import draw
from tests.fire.simulation.quiet import quiet
from tests.fire.simulation.world import Result, play


def played(seeds: Sequence[int], server_url: str, template: str, jobs: int) -> Iterator[Result]:
    """Results in the order of the seeds."""
    one = partial(_one, server_url=server_url, template=template)
    if jobs <= 1 or len(seeds) == 1:
        yield from map(one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, initializer=quiet) as pool:
        yield from pool.imap(one, seeds)


def _one(seed: int, *, server_url: str, template: str) -> Result:
    return play(draw(seed), server_url, template)
