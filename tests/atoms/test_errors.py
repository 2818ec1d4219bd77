"""The three errors that may cross a border carry what the one who called needs next."""

from __future__ import annotations

from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater


def test_each_error_says_what_to_do_next_in_words() -> None:
    later = RetryLater("the ERP is away", after_seconds=3.0, unknown=True)
    assert (str(later), later.words, later.after_seconds, later.unknown) == (
        "the ERP is away",
        "the ERP is away",
        3.0,
        True,
    )
    assert not RetryLater("busy").unknown
    refused = Refused("no such account", code="404")
    assert (str(refused), refused.code) == ("no such account", "404")


def test_a_case_has_an_owner_and_evidence_of_its_own() -> None:
    first, second = NeedsDecision("a", "words"), NeedsDecision("a", "words", owner="finance")
    first.details["x"] = 1
    assert second.details == {}
    assert (first.owner, second.owner, first.amount, first.remedy) == (
        "integration",
        "finance",
        None,
        "",
    )
