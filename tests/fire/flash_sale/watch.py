"""A look at the hub ten times a second while the sale is on: in a thread, on its own session."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Self

import msgspec
from psycopg import Connection

from tests.fire.flash_sale.plan import HOT
from tests.fire.flash_sale.scene import SaleScene
from tillbridge.app.pending import pending

LOOK_SECONDS = 0.1
PENDING_EVERY = 10
OVERDUE = "1.5 s"
"""A cart whose time is over that long is not held any more, whoever should have noticed."""
_ANSWERED = """
select id, key from record
where lane = any(%b::smallint[]) and id > %b and type in ('StockReserved', 'StockShort')
"""
_LEFT = """
select coalesce(sum(greatest(on_hand - reserved, 0)), 0)::bigint / 1000,
  (select coalesce(sum(r.quantity), 0)::bigint / 1000 from reservation r join hold h using (key)
   where r.product = %(product)b and h.kind = 'soft' and h.ended = ''
     and h.expires_at < now() - %(overdue)b::interval)
from stock
where product = %(product)b and location = any(%(places)b) and condition = 'sellable'
"""


class Look(msgspec.Struct, frozen=True, array_like=True):
    """What was there at an instant, seconds from the begin. left: pieces on sale that nobody holds;
    overdue: held by carts whose time is long over.
    """

    at: float
    left: int
    overdue: int


class Backlog(msgspec.Struct, frozen=True, array_like=True):
    """What was waiting at an instant: records for the flow, documents for the ERP."""

    at: float
    records: int
    documents: int


class Watch:
    """Use as a context manager around the sale. `reserved`: when the stock book's answer to an
    order's key was first seen.
    """

    def __init__(self, scene: SaleScene, begin: float, places: Sequence[str]) -> None:
        """begin: of the first phase on the monotonic clock. places: where the shop sells from."""
        self._scene = scene
        self._begin = begin
        self._terms = {"product": HOT.code, "overdue": OVERDUE, "places": list(places)}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._last = 0
        self.reserved: dict[str, float] = {}
        self.looks: list[Look] = []
        self.backlogs: list[Backlog] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with self._scene.store() as connection:
            row = connection.execute("select coalesce(max(id), 0) from record").fetchone()
            self._last = int(row[0]) if row else 0
            count = 0
            while not self._stop.wait(LOOK_SECONDS):
                self._look(connection)
                if count % PENDING_EVERY == 0:
                    left = pending(connection)
                    at = time.monotonic() - self._begin
                    self.backlogs.append(Backlog(round(at, 2), left.records, left.documents))
                count += 1
            self._look(connection)

    def _look(self, connection: Connection) -> None:
        rows = connection.execute(_ANSWERED.encode(), (list(range(64)), self._last)).fetchall()
        row = connection.execute(_LEFT.encode(), self._terms).fetchone()
        at = time.monotonic() - self._begin
        for number, key in rows:
            self.reserved.setdefault(key, at)
            self._last = max(self._last, number)
        if row is not None:
            self.looks.append(Look(round(at, 3), int(row[0]), int(row[1])))
