"""One run of replenishment: what lies below its minimum, in one query, as proposals.

    facts = replenish(connection, rules, kept_back, Run(now, ids, entities))

A source sends no more than is free there above its safety stock. A proposal is for one place from
one source, as many products as there are; those whose quantity a rule lets pass alone stand in a
proposal of their own, which is accepted at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from tillbridge.atoms.ids import Ids
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.supply import ProposalDecided, ProposedLine, ReplenishmentProposed
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.replenishment.rules import DAYS, ReplenishRule, ReplenishRules

QUERIES = load("tillbridge.reconciliation.replenishment", "replenish.sql", "only", "ran", "needs")
NUMBER_BYTES = 4
_JOINT = "\x1f"
KeptBack = Callable[[str, str, str], int]
"""What stays at a location of a product and its category: thousandths."""


class Run(msgspec.Struct, frozen=True):
    """When it runs, where numbers come from, whose locations are: code -> entity, currency."""

    now: datetime
    ids: Ids
    entities: Mapping[str, tuple[str, str]]


def replenish(
    connection: Connection, rules: ReplenishRules, kept_back: KeptBack, run: Run
) -> list[Fact]:
    """What should be proposed, as facts of the log, and that it was; the caller appends and
    commits. Nothing while another run is at work or the flow has not decided on the last one.
    """
    row = connection.execute(QUERIES.only, {"now": run.now}).fetchone()
    if not rules.rules or row is None or not row[0]:
        return []
    found = list(proposals(connection, rules, kept_back, run))
    if found:
        connection.execute(QUERIES.ran, (run.now, sorted({fact.key for fact in found})))
    return found


def proposals(
    connection: Connection, rules: ReplenishRules, kept_back: KeptBack, run: Run
) -> Iterator[Fact]:
    """The proposals of this moment; nothing is written."""
    found = connection.execute(QUERIES.needs, _asked(rules, run)).fetchall()
    rows = sorted(_given(found, kept_back), key=lambda row: row[:6])
    for (kind, source, location, lead, alone), lines in groupby(rows, key=lambda row: row[:5]):
        number = f"R{run.now:%y%m%d}-{run.ids.random_hex(NUMBER_BYTES)}"
        key = f"proposal/{number}"
        entity, currency = run.entities.get(location, ("", ""))
        carried: dict[str, Any] = {
            "key": key,
            "source": "hub",
            "mapping": "hub/1",
            "occurred_at": run.now,
            "business_date": run.now.date(),
            "entities": Entities(selling=entity),
        }
        told: dict[str, Any] = {"number": number, "kind": kind, "location": location}
        told |= {"currency": currency, "days": rules.demand_days, "rules": rules.hash}
        yield ReplenishmentProposed(
            **carried,
            **told,
            id=f"{key}/proposed",
            comes_from=source,
            lines=tuple(_line(line[5:]) for line in lines),
            due_at=run.now + timedelta(days=lead),
        )
        if alone:
            yield ProposalDecided(
                **carried, id=f"{key}/decided/hub", number=number, accepted=True, by="hub",
                reason="a rule lets so much pass",
            )  # fmt: skip


def _given(rows: list[tuple[Any, ...]], kept_back: KeptBack) -> Iterator[tuple[Any, ...]]:
    """What each place is given of what it needs: a source hands out what it has free, to those that
    lack most first, in whole packs; a supplier gives everything.
    """
    for kind, source, location, lead, product, category, needed, *figures in rows:
        free, before, pack, accept, *shown = figures
        much = needed
        if kind == "transfer":
            left = free - kept_back(source, product, category) - before
            much = min(needed, max(left // pack, 0) * pack)
        if much > 0:
            alone = accept is not None and much <= accept
            yield (kind, source, location, lead, alone, product, much, *shown)


def _asked(rules: ReplenishRules, run: Run) -> dict[str, Any]:
    numbered = list(enumerate(rules.rules))

    def column(name: str) -> list[Any]:
        return [getattr(rule, name) for _, rule in numbered]

    def joined(names: tuple[str, ...] | None) -> str | None:
        return None if names is None else _JOINT.join(names)

    places = [(n, place) for n, rule in numbered for place in rule.locations]
    return {
        "n": [n for n, _ in numbered],
        "products": [joined(rule.products) for _, rule in numbered],
        "categories": [joined(rule.categories) for _, rule in numbered],
        "least": column("least"),
        "most": column("most"),
        "pack": column("pack"),
        "accept": column("accept_up_to"),
        "source": column("source"),
        "review": [_review(rule) for _, rule in numbered],
        "lead": column("lead_days"),
        "at": [n for n, _ in places],
        "location": [place for _, place in places],
        "now": run.now,
        "since": run.now - timedelta(days=rules.demand_days),
        "today": DAYS[run.now.weekday()],
    }


def _review(rule: ReplenishRule) -> str | None:
    return None if rule.review_days is None else _JOINT.join(rule.review_days)


def _line(row: tuple[Any, ...]) -> ProposedLine:
    product, quantity, on_hand, reserved, on_order, in_transit, demand, least, most = row
    return ProposedLine(
        product=product,
        quantity=quantity,
        on_hand=on_hand,
        reserved=reserved,
        on_order=on_order,
        in_transit=in_transit,
        demand=demand,
        least=least,
        most=most,
    )
