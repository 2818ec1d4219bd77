"""The table of all checks: what each is called and which promise it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tillbridge.contract.conformance import (
    delivering,
    folder,
    mutation,
    nonsense,
    outgoing,
    publishing,
    reading,
    settling,
    translating,
    webhooks,
)
from tillbridge.contract.conformance.samples import Suite
from tillbridge.contract.promises import (
    ChecksConnection,
    Delivers,
    Lists,
    Polls,
    PublishesAvailability,
    ReadsFiles,
    ReadsSettlements,
    ReceivesWebhooks,
    Rereads,
    Translates,
)


class Check(msgspec.Struct, frozen=True):
    """One check. promises: it applies to whoever signed any of them; empty = everybody."""

    name: str
    run: Callable[[Suite], list[str]]
    promises: tuple[type[Any], ...] = ()


def _table(run: Sequence[Callable[[Suite], list[str]]], *promises: type[Any]) -> tuple[Check, ...]:
    return tuple(Check(check.__name__, check, promises) for check in run)


CHECKS: tuple[Check, ...] = (
    *_table((folder.is_named_like_its_folder, folder.has_a_readme, folder.has_typed_settings)),
    *_table((folder.has_samples,)),
    *_table(
        (
            translating.says_the_same_twice,
            translating.says_what_is_expected,
            translating.tells_believable_facts,
            translating.gives_every_instant_a_zone,
            translating.counts_in_whole_numbers,
            translating.keeps_keys_between_tellings,
            translating.reports_every_missing_name,
            translating.keeps_personal_data_out_of_facts,
            mutation.believes_no_wrong_type,
            nonsense.refuses_nonsense,
            nonsense.survives_strange_topics,
        ),
        Translates,
    ),
    *_table(
        (
            webhooks.accepts_each_live_secret,
            webhooks.refuses_everything_else,
            webhooks.addresses_anything,
        ),
        ReceivesWebhooks,
    ),
    *_table(
        (
            reading.reads_in_any_chunks,
            reading.reads_items_with_identity,
            reading.survives_garbage,
            reading.never_reads_a_file_whole,
        ),
        ReadsFiles,
    ),
    *_table(
        (
            settling.has_settlement_samples,
            settling.tells_what_is_expected,
            settling.tells_believable_lines,
            settling.settles_in_any_chunks,
            settling.survives_broken_settlements,
            settling.never_holds_a_settlement,
        ),
        ReadsSettlements,
    ),
    *_table(
        (
            outgoing.waits_when_told_to,
            outgoing.gives_up_when_refused,
            outgoing.believes_no_garbage_answer,
            outgoing.keeps_secrets_to_itself,
        ),
        ChecksConnection,
        Polls,
        Lists,
        Rereads,
        Delivers,
        PublishesAvailability,
    ),
)

# Checks against a live far side: (suite, target) -> problems.
LIVE_CHECKS: tuple[Callable[[Suite, delivering.DeliveryTarget], list[str]], ...] = (
    delivering.delivers_once,
    delivering.delivers_batches,
    delivering.survives_a_fault_at_every_call,
)
LIVE_PUBLISHING_CHECKS: tuple[Callable[[Suite, publishing.PublishingTarget], list[str]], ...] = (
    publishing.shows_what_it_was_told,
    publishing.overwrites_nothing_it_did_not_know,
    publishing.publishes_batches,
    publishing.settles_after_a_fault_at_every_call,
)


def checks_for(connector: object) -> tuple[Check, ...]:
    """The checks that apply to a connector, by looking at what it signed."""
    return tuple(
        check
        for check in CHECKS
        if not check.promises or any(isinstance(connector, promise) for promise in check.promises)
    )


def run_all(suite: Suite) -> dict[str, list[str]]:
    """Every applying check with its problems; a check that crashes is a problem of its own."""
    found: dict[str, list[str]] = {}
    for check in checks_for(suite.connector):
        try:
            found[check.name] = check.run(suite)
        except Exception as problem:  # noqa: BLE001 - a crash of a check is a finding
            found[check.name] = [f"the check could not run: {type(problem).__name__}: {problem}"]
    return found
