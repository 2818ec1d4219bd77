"""The suite itself can fail: a connector made of the usual mistakes is refused check by check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.contract import sloppy
from tillbridge.contract.conformance import (
    CHECKS,
    Suite,
    __main__,
    checks,
    checks_for,
    delivering,
    folder,
    load_suite,
    mutation,
    nonsense,
    outgoing,
    reading,
    record_expected,
    run_all,
    samples,
    translating,
    webhooks,
)

SLOPPY = Path(sloppy.__file__).parent

# What each mistake of the sloppy connector must run into.
MISTAKES = (
    (folder.has_typed_settings, "unknown fields"),
    (folder.has_samples, "no order.expected.json"),
    (translating.tells_believable_facts, "mapping 'sloppy'"),
    (translating.gives_every_instant_a_zone, "is not UTC"),
    (translating.counts_in_whole_numbers, "is a float"),
    (translating.keeps_keys_between_tellings, "other keys or ids"),
    (translating.reports_every_missing_name, "was guessed"),
    (translating.keeps_personal_data_out_of_facts, "email reaches a fact"),
    (mutation.believes_no_wrong_type, "id = True (was 1001) was believed"),
    (mutation.believes_no_wrong_type, "amount = 7.5 (was '10.10') was believed"),
    (mutation.believes_no_wrong_type, "amount = None (was '10.10') was believed"),
    (nonsense.refuses_nonsense, "an empty body: JSONDecodeError"),
    (nonsense.refuses_nonsense, "'id' twice was believed"),
    (nonsense.survives_strange_topics, "an unknown topic tells facts"),
    (webhooks.accepts_each_live_secret, "KeyError: 'X-Sloppy-Signature'"),
    (webhooks.refuses_everything_else, "of the signature flipped"),
    (webhooks.addresses_anything, "share a delivery id"),
    (reading.reads_items_with_identity, "changes the delivery ids"),
    (reading.survives_garbage, "nothing is left"),
    (reading.never_reads_a_file_whole, "no `stream`"),
)


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> Suite:
    """The suite over the sloppy connector, with long lists of problems."""
    monkeypatch.setattr(mutation, "PROBLEMS_MAX", 1_000)
    monkeypatch.setattr(nonsense, "PROBLEMS_MAX", 1_000)
    return load_suite(sloppy.connector, SLOPPY)


@pytest.mark.parametrize(("check", "words"), MISTAKES)
def test_a_sloppy_connector_is_refused(suite: Suite, check: Any, words: str) -> None:
    problems = check(suite)
    assert any(words in problem for problem in problems), "\n".join(problems)


def test_a_wrong_expectation_is_told_by_place(suite: Suite) -> None:
    (sample,) = suite.samples
    told = samples.told(suite, sample)
    told["facts"][0]["body"]["currency"] = "EUR"
    suite.samples = (msgspec.structs.replace(sample, expected=told),)
    (problem,) = translating.says_what_is_expected(suite)
    assert problem == 'order: facts[0].body.currency: expected "EUR", found "USD"'


def test_checks_apply_only_to_whoever_signed() -> None:
    names = {check.name for check in checks_for(sloppy.connector)}
    assert "refuses_nonsense" in names
    assert "waits_when_told_to" not in names
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_a_crashing_check_is_a_finding(suite: Suite) -> None:
    suite.samples = (None,)  # type: ignore[assignment]
    assert "could not run" in run_all(suite)["says_the_same_twice"][0]


def test_expected_files_are_recorded_once(tmp_path: Path) -> None:
    place = tmp_path / "sloppy"
    (place / "samples").mkdir(parents=True)
    order = place / "samples" / "order.json"
    order.write_bytes((SLOPPY / "samples" / "order.json").read_bytes())
    (written,) = record_expected(load_suite(sloppy.connector, place))
    assert written.name == "order.expected.json"
    assert record_expected(load_suite(sloppy.connector, place)) == []
    assert translating.says_what_is_expected(load_suite(sloppy.connector, place)) == []


def test_the_shell_command_says_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["tests.contract.sloppy"]) == 1
    assert "FAIL believes_no_wrong_type" in capsys.readouterr().out
    assert __main__.main([]) == 2


def test_a_difference_names_the_first_place() -> None:
    assert samples.difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}) == ""
    assert samples.difference({"a": [1, 2]}, {"a": [1]}) == "a: 2 expected, there are 1"
    assert "there is nothing" in samples.difference({"a": 1}, {})
    assert "nothing was expected" in samples.difference({}, {"a": 1})
    assert samples.difference(1, True) == ": expected 1, found true"


def test_outgoing_and_live_checks_exist_for_all_who_call_out() -> None:
    named = {check.name for check in CHECKS}
    assert outgoing.keeps_secrets_to_itself.__name__ in named
    assert delivering.survives_a_fault_at_every_call in checks.LIVE_CHECKS
