"""Business metrics for Prometheus, read from tables so that every process tells the same."""

from __future__ import annotations

import math

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from tillbridge.durable.rooms import Connection
from tillbridge.watch.status import Status, status
from tillbridge.watch.verification import Verification

LAST_HEARD = (
    "select source, location, max(last_heard_at) from till_day"
    " where business_date > current_date - 35 group by source, location"
)


def collect(connection: Connection) -> str:
    """The exposition text of all business gauges; read in the caller's transaction."""
    found = status(connection)
    registry = CollectorRegistry()
    _set(registry, "tillbridge_messages", "Distinct deliveries received.", found.messages)
    _set(registry, "tillbridge_duplicate_deliveries", "Repeated deliveries.", found.duplicates)
    _set(registry, "tillbridge_records_pending", "Records to carry.", found.pending_records)
    row = connection.execute("select extract(epoch from now() - %b)", (found.oldest_pending,))
    age = row.fetchone()
    oldest = float(age[0]) if age and age[0] is not None else 0.0
    _set(registry, "tillbridge_oldest_pending_seconds", "Age of the oldest record.", oldest)
    _set(registry, "tillbridge_entries", "Entries in the money book.", found.entries)
    _set(registry, "tillbridge_parked_keys", "Keys held back by a case.", found.parked_keys)
    _set(
        registry,
        "tillbridge_orders_pending_acknowledgement",
        "Sales orders the ERP has not acknowledged.",
        found.orders_pending_acknowledgement,
    )
    _completeness(connection, registry, found)
    _verified(registry, connection, found.verification)
    cases = Gauge("tillbridge_open_cases", "Open cases.", ["reason"], registry=registry)
    for reason, count in found.open_cases.items():
        cases.labels(reason).set(count)
    documents = Gauge(
        "tillbridge_documents", "Documents by state.", ["kind", "state"], registry=registry
    )
    for kind, states in found.documents.items():
        for state, count in states.items():
            documents.labels(kind, state).set(count)
    waiting = Gauge(
        "tillbridge_documents_waiting", "Owed per connection.", ["connection"], registry=registry
    )
    broken = Gauge(
        "tillbridge_breaker_failures", "Failures in a row.", ["connection"], registry=registry
    )
    for destination in found.destinations:
        waiting.labels(destination.name).set(destination.documents)
        broken.labels(destination.name).set(destination.failures)
    _collect_accounts(registry, found)
    _collect_publication(registry, found)
    return generate_latest(registry).decode()


def _verified(
    registry: CollectorRegistry, connection: Connection, newest: Verification | None
) -> None:
    """Age and result of the newest kept run of `verify`; infinitely old before the first."""
    row = None
    if newest is not None:
        _set(registry, "tillbridge_verify_broken", "Broken invariants.", newest.broken)
        query = "select extract(epoch from now() - %b)::float8"
        row = connection.execute(query, (newest.at,)).fetchone()
    age = float(row[0]) if row else math.inf
    _set(registry, "tillbridge_verify_age_seconds", "Age of the newest scheduled verify.", age)


def _completeness(connection: Connection, registry: CollectorRegistry, found: Status) -> None:
    """What tills and sources have told, and what they have not."""
    _set(
        registry,
        "tillbridge_till_numbers_missing",
        "Transaction numbers of tills never heard of.",
        found.till_numbers_missing,
    )
    heard = Gauge(
        "tillbridge_store_heard_timestamp_seconds",
        "When a store was last heard of.",
        ["connection", "location"],
        registry=registry,
    )
    for source, location, at in connection.execute(LAST_HEARD).fetchall():
        heard.labels(source, location).set(at.timestamp())
    through = Gauge(
        "tillbridge_complete_through_timestamp_seconds",
        "Up to when everything that changed at a source was received.",
        ["connection", "stream"],
        registry=registry,
    )
    lacking = Gauge(
        "tillbridge_sweep_lacking",
        "Objects missing or behind at the last sweep.",
        ["connection", "stream"],
        registry=registry,
    )
    for stream in found.streams:
        if stream.complete_through is not None:
            through.labels(stream.connection, stream.stream).set(
                stream.complete_through.timestamp()
            )
        if stream.lacking is not None:
            lacking.labels(stream.connection, stream.stream).set(stream.lacking)


def _collect_accounts(registry: CollectorRegistry, found: Status) -> None:
    """Budgets, pauses and back-pressure."""
    calls = Gauge("tillbridge_calls_under_way", "Slots taken.", ["account"], registry=registry)
    for account in found.accounts:
        calls.labels(account.name).set(account.under_way)
    names = ["account", "class"]
    for name, words, value in (
        ("tillbridge_waiting_calls", "Due and not under way.", "count"),
        ("tillbridge_waiting_seconds", "Age of the oldest of them.", "seconds"),
    ):
        gauge = Gauge(name, words, names, registry=registry)
        for waiting in found.waiting:
            gauge.labels(waiting.account, waiting.class_).set(getattr(waiting, value))
    paused = Gauge(
        "tillbridge_paused_seconds", "Age of a pause.", ["connection", "kind"], registry=registry
    )
    for pause in found.pauses:
        paused.labels(pause.connection, pause.kind).set((found.at - pause.since).total_seconds())
    held_back = (found.at - found.held_back_since).total_seconds() if found.held_back_since else 0.0
    _set(registry, "tillbridge_held_back_seconds", "Pollers and folders wait.", held_back)


def _collect_publication(registry: CollectorRegistry, found: Status) -> None:
    """How far channels are behind what they should show."""
    for name, words, value in (
        ("tillbridge_publication_waiting", "Figures not shown yet.", "waiting"),
        ("tillbridge_publication_held_back", "Figures with sales not told.", "held_back"),
        ("tillbridge_publication_refused", "Figures refused.", "refused"),
        ("tillbridge_publication_drifts", "Figures found otherwise, open.", "drifts"),
    ):
        gauge = Gauge(name, words, ["connection"], registry=registry)
        for one in found.publication:
            gauge.labels(one.name).set(getattr(one, value))
    oldest = Gauge(
        "tillbridge_publication_oldest_seconds",
        "Age of the oldest change not shown.",
        ["connection"],
        registry=registry,
    )
    lag = Gauge(
        "tillbridge_publication_lag_seconds",
        "From the change to the channel's answer.",
        ["connection", "quantile"],
        registry=registry,
    )
    for one in found.publication:
        age = (found.at - one.oldest).total_seconds() if one.oldest else 0.0
        oldest.labels(one.name).set(max(age, 0.0))
        for quantile, seconds in (("0.5", one.p50), ("0.99", one.p99)):
            if seconds is not None:
                lag.labels(one.name, quantile).set(seconds)


def _set(registry: CollectorRegistry, name: str, words: str, value: float) -> None:
    Gauge(name, words, registry=registry).set(value)
