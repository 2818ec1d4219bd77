"""A grocer's recorded log: its tills lack nothing, and what is taken out of it is named.

The log is not part of the project: TILLBRIDGE_REALDATA names its folder, or it lies in
`shared/realdata` beside the checkout; without it nothing is tested here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.connectors.poslog.receipts import items
from tests.stories.shop import House, house
from tillbridge.atoms.clock import FixedClock
from tillbridge.contract.promises import Item
from tillbridge.reconciliation.tills.health import health

HERE = Path(__file__).resolve()
FOLDER = Path(os.environ.get("TILLBRIDGE_REALDATA", HERE.parents[3] / "shared" / "realdata"))
LOG = FOLDER / "05_pos" / "ncr_acs_poslog_2.1_real" / "POSLog.xml"

pytestmark = pytest.mark.skipif(not LOG.exists(), reason="the recorded log is not at hand")


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[House]:
    clock = FixedClock(datetime(2017, 10, 1, 21, tzinfo=UTC))
    with house(tmp_path / "house", database_url, clock=clock) as found:
        yield found


def log_of(pieces: Iterable[Item]) -> bytes:
    """A log of these transactions."""
    return b"<Log>" + b"".join(piece.body for piece in pieces) + b"</Log>"


def missing(store: House) -> dict[str, list[tuple[int, int]]]:
    """Till -> what it lacks."""
    store.look_at_tills()
    found = health(store.connection, store.hub.expected, store.hub.clock.now())
    store.connection.rollback()
    (one,) = found.stores
    return {
        till.till: [(gap.first, gap.last) for gap in till.gaps] for till in one.tills if till.gaps
    }


def test_the_recorded_tills_lack_nothing_and_what_is_taken_out_is_named(
    store: House, tmp_path: Path
) -> None:
    """Taken out: two sales of till 31, two no-sales of till 5, which sold nothing at all."""
    names = tmp_path / "names.csv"
    store.verb("xref", "propose", "--connection", "stores", str(LOG), "--out", str(names))
    store.verb("xref", "import", str(names))
    pieces = list(items(LOG.read_bytes()))
    out = ("/31/2017-10-01/116", "/31/2017-10-01/117", "/5/2017-10-01/65", "/5/2017-10-01/66")
    store.file("stores", log_of(one for one in pieces if not one.key.endswith(out)), "part.xml")
    assert missing(store) == {"31": [(116, 117)], "5": [(65, 66)]}
    store.file("stores", LOG.read_bytes(), "whole.xml")
    assert missing(store) == {}
    used = store.rows("select till, first, last from till_numbers order by till")
    assert used == [
        ("1", 376, 383),
        ("2", 297, 303),
        ("3", 86, 95),
        ("31", 114, 119),
        ("32", 113, 118),
        ("34", 99, 105),
        ("5", 61, 67),
    ]
