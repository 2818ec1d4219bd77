"""One account at the ERP, many who call it: nobody runs into its limits, and orders go first.

The complaint elsewhere: loops of 429, a deployment and the integrations fighting for one pool.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order
from tillbridge.app.settings import FILE
from tillbridge.app.worker import drain
from tillbridge.connectors.sandbox.connector import SandboxConnector
from tillbridge.connectors.sandbox.erp_documents import Rules

ORDERS = 60
SECOND = """
[connection.erp-b2b]
connector = "sandbox"
entity = "ca"
account = "pool"
secrets.api_key = { file = "secrets/erp-key" }
settings = { url = "auto" }
"""


def _share(folder: Path) -> None:
    """Two connections with one account, which bears 36 requests a second and three calls."""
    path = folder / FILE
    text = path.read_text(encoding="utf-8")
    budget = "budget = { rate = 20.0, burst = 20.0, conc = 20 }"
    assert budget in text
    shared = 'account = "pool"\nbudget = { rate = 36.0, burst = 9.0, conc = 3 }'
    path.write_text(text.replace(budget, shared) + SECOND, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=_share) as found:
        yield found


def test_six_workers_of_one_account_never_run_into_its_limits(
    shop: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SandboxConnector, "batch_max", 1)
    shop.erp.set_rules(Rules(requests_per_second=40.0, burst=10.0, concurrent=3))
    more = b"product,location,quantity,counted\nP1,wh-east,1000,2026-03-01T01:00:00Z\n"
    shop.file("feed", more, "more.csv")
    for number in range(ORDERS):
        shop.web("orders/create", paid_order(4711 + number, [line(1)], "10.00"), flow=False)
    shop.flow()
    # half of the documents are owed by the account's other connection
    shop.connection.execute(
        "with moved as (update outkey set dest = (select dest from dest where name = 'erp-b2b')"
        " where hashtext(key) %% 2 = 0 returning dest, key),"
        " owed as (update job j set dest = m.dest from moved m where j.key = m.key)"
        " update document d set dest = m.dest from moved m where d.key = m.key",
        (),
    )
    shop.connection.commit()
    hub = shop.hub.reaching({name: {"url": shop.erp.address} for name in ("erp", "erp-b2b")})
    threads = [threading.Thread(target=drain, args=(hub, 60.0)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    calls = Counter(call.status for call in shop.erp.store.calls())
    assert calls.total() >= 2 * ORDERS, "a look-up and a create each"
    assert calls[429] <= 0.005 * calls.total(), calls
    assert calls[503] == 0, "never more than three calls at once"
    assert shop.erp.store.counts() == {"sales_order": ORDERS}
    assert shop.erp.store.duplicates() == {}
    assert set(shop.documents().values()) == {"accepted"}
    assert shop.rows("select count(*) from slot") == [(0,)]


def test_a_far_side_that_throttles_is_asked_again_when_it_said_so_and_not_before(
    shop: House,
) -> None:
    """The whole account waits, both connections, until the time is up: one 429, not a loop."""
    shop.fault("throttle", on="any", seconds=2.0)
    shop.web("orders/create", paid_order(4711, [line(1)], "10.00"))
    shop.hub = shop.hub.reaching({name: {"url": shop.erp.address} for name in ("erp", "erp-b2b")})
    threads = [threading.Thread(target=drain, args=(shop.hub, 30.0)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [call.status for call in shop.erp.store.calls()] == [429, 200, 201]
    assert shop.documents() == {"order/web/4711/sales_order": "accepted"}
    assert shop.lies() == []
