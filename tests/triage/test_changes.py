"""Each change that takes two persons names a right, and its ground is JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from psycopg import Connection

from tillbridge.triage.changes import KINDS
from tillbridge.triage.rights import ACTIONS


def test_every_kind_of_change_takes_a_right_that_changes_something() -> None:
    assert {kind.right for kind in KINDS.values()} <= ACTIONS.keys()
    assert [name for name, kind in KINDS.items() if not ACTIONS[kind.right].changes] == []


def test_the_ground_of_a_change_survives_json(connection: Connection) -> None:
    connection.execute(
        "insert into exception_case (reason, owner, room, key, fingerprint, words)"
        " values ('r', 'o', 'x', 'k', 'f', 'w')"
    )
    connection.execute(
        "insert into payout (key, account, payout, entity, currency, heard_at)"
        " values ('payout/psp/1', 'psp', '1', 'us', 'USD', now())"
    )
    changes: dict[str, dict[str, Any]] = {
        "names.change": {"names": [dict.fromkeys(("connection", "table", "theirs", "ours"), "a")]},
        "periods.lock": {"entity": "us", "period": "2026-01"},
        "periods.unlock": {"entity": "us", "period": "2026-01"},
        "operators.grant": {"name": "zoe"},
        "rules.activate": {},
        "stock.rules": {},
        "stock.replenishment": {},
        "cases.give_up": {"case": 1},
        "cases.replay": {"cases": [1], "wanted": {}},
        "approvals.policy": {},
        "returns.authorize": {"fact": {}},
        "refunds.approve": {"fact": {}},
        "settlement.accept": {"payout": "payout/psp/1"},
        "items.write_off": {"entity": "us", "account": "customer-deposits", "item": "order/web/1"},
    }
    assert changes.keys() == KINDS.keys()
    for name, kind in KINDS.items():
        ground = kind.ground(connection, changes[name])
        assert msgspec.json.decode(msgspec.json.encode(ground)) == ground
