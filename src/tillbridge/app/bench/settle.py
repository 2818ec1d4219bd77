"""`bench settle`: a settlement file parsed, matched and posted, against a raw load and a join.

The orders are there already: their payments stand in the log, and the hub has read them. The file
is a Stripe export in the order of its payouts: four of ten lines are charges, one a refund, five
are fees of their own; one payout has 10,000 lines. Timed is everything from the first byte of the
file to the posted entries. A run in which a line is not matched, or an entry is missing, fails.
"""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tillbridge.app.bench.retail import bench_hub
from tillbridge.app.bench.scratch import proven, settle
from tillbridge.app.bench.settle_raw import merged, raw_seconds
from tillbridge.app.hub import Hub
from tillbridge.connectors.stripe import connector
from tillbridge.connectors.stripe.config import StripeConfig
from tillbridge.contract.promises import Connection as Source
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect
from tillbridge.reconciliation.settlement.intake import SettlementFiles
from tillbridge.reconciliation.settlement.look import look_at_settlements
from tillbridge.reconciliation.settlement.movements import read_movements
from tillbridge.reconciliation.settlement.rules import Account, SettleRules

QUERIES = load("tillbridge.app.bench", "settle.sql", "tell_payments", "counted", "analyze")
Tell = Callable[[str], None]
LINES_OF_A_PAYOUT = 10_000
HEADER = ("id", "amount", "fee", "net", "currency", "type", "reporting_category", "source",
          "created", "payout_id", "description")  # fmt: skip
WAL_SECONDS = 10


def run(url: str, *, lines: int, progress: Tell) -> dict[str, Any]:
    """Measure on a migrated, empty database; the keys are described in docs/operations.md.

    Raises AssertionError when what was posted is not what the file says.
    """
    lines = max(lines // LINES_OF_A_PAYOUT, 1) * LINES_OF_A_PAYOUT
    with (
        tempfile.TemporaryDirectory(prefix="tillbridge-bench-") as folder,
        bench_hub(url) as hub,
        connect(url, statement_timeout_ms=0) as connection,
    ):
        settings = proven(connection)
        path = Path(folder) / "balance.csv"
        progress(f"a file of {lines} lines and the payments of {lines * 4 // 10} orders")
        kept, paid = write_file(path, lines)
        connection.execute(QUERIES.tell_payments, {"lines": lines})
        movements = read_movements(connection)
        connection.execute(QUERIES.analyze)
        connection.commit()
        settle(connection, WAL_SECONDS)
        progress("parse, match, post")
        reset_peak()
        parts = _settled(hub, connection, path)
        peak = peak_mb()
        total = sum(parts.values())
        _check(connection, lines, kept, paid)
        progress("the same rows raw, joined")
        raw = raw_seconds(connection, path, HEADER)
        merge = merged(path, connection)
    return {
        "bench": "settle",
        "rate": round(lines / total, 1),
        "unit": "settlement lines per second, from the file to posted entries",
        "seconds": round(total, 2),
        **{f"{name}_seconds": round(part, 2) for name, part in parts.items()},
        "lines": lines,
        "orders": lines * 4 // 10,
        "movements": movements,
        "payouts": lines // LINES_OF_A_PAYOUT,
        "peak_mb": round(peak, 1),
        "raw_rate": round(lines / raw, 1),
        "raw_way": "COPY into a table of texts, one join with the payments in SQL",
        "ratio": round(raw / total, 3),
        **merge,
        **settings,
    }


def write_file(path: Path, lines: int) -> tuple[int, int]:
    """The file; gives minor units of fees and of payouts in it. Every tenth of a payout's lines is
    its refund, the last one is the payout itself.
    """
    fees = paid = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file).writerow
        write(HEADER)
        net = 0
        for n in range(lines):
            payout = f"po_{n // LINES_OF_A_PAYOUT}"
            kind, amount, fee, about = _row(n)
            if n % LINES_OF_A_PAYOUT == LINES_OF_A_PAYOUT - 1:
                kind, amount, fee, about = "payout", -net, 0, payout
                paid, net = paid + net, 0
            else:
                net += amount - fee
                fees += fee - (amount if kind == "fee" else 0)
            type_ = "stripe_fee" if kind == "fee" else kind
            day = f"2026-03-{1 + n * 28 // lines:02} 10:00:00"
            write(
                (f"txn_{n}", amount, fee, amount - fee, "usd", type_, kind, about, day, payout, "")
            )
    return fees, paid


def _row(n: int) -> tuple[str, int, int, str]:
    """Category, amount, fee and source of line n: 0 to 3 of ten are charges, 4 a refund."""
    order, place = divmod(n, 10)
    if place < 4:
        return "charge", 2_000 + (order * 4 + place) % 9_000, 88, f"ch_{order * 4 + place}"
    if place == 4:
        return "refund", -500 - order % 900, 0, f"re_{order}"
    return "fee", -(5 + place), 0, ""


def _settled(hub: Hub, connection: Connection, path: Path) -> dict[str, float]:
    """Seconds of each part."""
    source = Source(name="stripe", entity="us", channel="web", currency="USD",
                    settings=StripeConfig())  # fmt: skip
    account = Account(
        name="stripe",
        entity="us",
        channel="web",
        functional="USD",
        rules=SettleRules(tenders=("stripe",)),
    )
    began = time.perf_counter()
    with path.open("rb") as stream:
        files = SettlementFiles(connector, source)
        files.take(connection, stream, path.name, b"bench", hub.clock.now())
    connection.commit()
    read = time.perf_counter()
    look_at_settlements(connection, [account], hub.clock.now())
    connection.commit()
    matched = time.perf_counter()
    with hub.connect(worker=True) as working:
        hub.runner(working).drain()
    return {"read": read - began, "match": matched - read, "post": time.perf_counter() - matched}


def _check(connection: Connection, lines: int, fees: int, paid: int) -> None:
    row = connection.execute(QUERIES.counted).fetchone()
    connection.rollback()
    found = tuple(int(one or 0) for one in row or ())
    wanted = (lines, lines, 0, fees, paid)
    if found != wanted:
        raise AssertionError(
            f"lines, lines of an entry, open lines, fees, paid: {found}, not {wanted}"
        )


def reset_peak() -> None:
    """Let the kernel count this process's largest memory anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_mb() -> float:
    """Largest resident memory of this process since, MB."""
    for row in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if row.startswith("VmHWM:"):
            return int(row.split()[1]) / 1024
    return 0.0
