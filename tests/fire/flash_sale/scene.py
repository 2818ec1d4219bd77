"""The hub of the sale: 300 stores, a shop that asks at the API, an ERP that takes its time."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.fire.chaos.scene import Scene
from tests.fire.flash_sale import stores
from tests.fire.flash_sale.plan import CHANNEL, Plan
from tillbridge.app.pending import pending
from tillbridge.app.settings import FILE
from tillbridge.atoms.ids import SystemIds
from tillbridge.connectors.sandbox.assortment import XrefRow
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.triage import operators
from tillbridge.triage.rights import CLIENT, SCOPES

CONNECTION = "front"
"""The connection by which the shop's orders come."""
CLIENT_NAME = "shop-front"
KEY_RATE = 100_000
BOOKED_SECONDS = 60.0
ERP_RATE = 20.0


class SaleScene(Scene):
    """A hub with the retailer of the plan, its stock booked, the shop's key made."""

    def __init__(self, plan: Plan) -> None:
        """plan: the run. No proxies stand between, for this one measures."""
        super().__init__(plan.seed, erp_rate=ERP_RATE, straight=True)
        self.plan = plan
        self.key = ""
        self.began_at = datetime.now(UTC)

    @property
    def port(self) -> int:
        """The port of the hub's door."""
        return self._ports_used[0]

    def ready(self) -> None:
        """Wait until the stock of the morning is booked, make the key, slow the ERP down."""
        self.await_ready(BOOKED_SECONDS)
        self.await_quiet(BOOKED_SECONDS)
        self.key = self._client_key()
        slow = Fault(do="slow", count=None, on="any", seconds=self.plan.erp_seconds)
        self.erp_fault(slow)

    def await_quiet(self, seconds: float) -> float:
        """Wait until no file, record or document is left; gives the seconds that took."""
        began = time.monotonic()
        with self.store() as connection:
            while True:
                left = pending(connection)
                files = [one for one in (self.workspace / "drop").glob("*/*.*") if one.is_file()]
                took = time.monotonic() - began
                if not (left.records or left.documents or files):
                    return took
                assert took < seconds, f"still at work: {left}, {len(files)} files"
                time.sleep(0.2)

    def put_poslogs(self) -> list[Path]:
        """The late files of all tills, where nobody looks yet."""
        folder = self.outside / "late"
        folder.mkdir()
        return stores.write_poslogs(self.plan, self.began_at, folder)

    def drop(self, path: Path) -> None:
        """One of them comes in."""
        target = self.workspace / "drop" / "stores"
        draft = target / f".{path.name}.part"
        shutil.copyfile(path, draft)
        draft.rename(target / path.name)

    def _write_settings(self, ports: list[int]) -> None:
        super()._write_settings(ports)
        path = self.workspace / FILE
        text = path.read_text()
        places = json.dumps(stores.places(self.plan))
        old = 'fulfil_from = ["wh-east"]'
        assert old in text
        text = text.replace(old, f"fulfil_from = {places}")
        text += stores.settings(self.plan)
        text += f'\n[connection.{CONNECTION}]\nconnector = "direct"\nentity = "us"\n'
        text += f'channel = "{CHANNEL}"\ntimezone = "{stores.ZONE}"\n'
        path.write_text(text)

    def _names(self) -> list[XrefRow]:
        return stores.names(self.plan)

    def _opening(self) -> str:
        return stores.opening(self.plan, self.began_at)

    def _client_key(self) -> str:
        grant = operators.Grant(CLIENT_NAME, [CLIENT], channel=CHANNEL)
        terms = operators.KeyTerms(1, tuple(SCOPES), KEY_RATE)
        with self.store() as connection:
            operators.put(connection, grant, "flash", "the shop asks at the API")
            now = datetime.now(UTC)
            return operators.make_key(
                connection, CLIENT_NAME, "flash", terms, now=now, ids=SystemIds()
            )
