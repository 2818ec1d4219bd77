"""Runs of `verify` that are kept: what each found, and a case for every broken invariant."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import Settled, settle
from tillbridge.watch.verify import Finding, Verdict

QUERIES = load("tillbridge.watch", "verification.sql", "keep", "last")
_ROWS_IN_CASE = 5


class Verification(msgspec.Struct, frozen=True):
    """The newest run. position: newest record its snapshot saw; lies: names that were broken."""

    at: datetime
    position: int
    seconds: float
    deep: bool
    checked: int
    broken: int
    lies: tuple[str, ...]


def keep(connection: Connection, verdict: Verdict, now: datetime) -> Settled:
    """Write down a run and bring the cases up to date with it; the caller commits.

    A case is closed by itself once its invariant holds again.
    """
    lies = {one.name: one.lies for one in verdict.invariants}
    failed = {one.name: one.failed for one in verdict.invariants if one.failed}
    connection.execute(
        QUERIES.keep,
        (
            now,
            verdict.position,
            verdict.seconds,
            verdict.deep,
            verdict.checked,
            verdict.broken,
            msgspec.json.encode(lies).decode(),
            msgspec.json.encode(failed).decode(),
        ),
    )
    broken = [one for one in verdict.invariants if one.lies]
    cases = {key_of("verify", one.name.replace(" ", "_")): _case(one) for one in broken}
    return settle(connection, "invariant_broken", cases, now)


def last(connection: Connection) -> Verification | None:
    """The newest run that was kept."""
    row = connection.execute(QUERIES.last).fetchone()
    if row is None:
        return None
    at, position, seconds, deep, checked, broken, lies = row
    return Verification(at, position, seconds, deep, checked, broken, tuple(lies))


def _case(one: Finding) -> NeedsDecision:
    words = f"{one.name}: {one.lies} rows say otherwise. {one.says} {one.do}"
    if one.failed:
        words = f"{one.name}: could not be checked ({one.failed})"
    return NeedsDecision(
        "invariant_broken",
        words,
        owner="finance" if one.owner == "finance" else "integration",
        remedy=f"tillbridge verify --explain {one.name.replace(' ', '_')}",
        details={"lies": one.lies, "rows": one.rows[:_ROWS_IN_CASE]},
    )
