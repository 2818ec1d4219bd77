"""State of a proposal of replenishment: what was proposed, decided, and became of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.canonical.supply import ProposedLine


class Proposal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was proposed, as told."""

    kind: str
    source: str
    location: str
    lines: tuple[ProposedLine, ...]
    at: datetime
    due_at: datetime
    currency: str = ""


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was decided, when and by whom."""

    accepted: bool
    at: datetime
    by: str
    reason: str = ""


class ProposalState(msgspec.Struct, omit_defaults=True):
    """One proposal. passed_on: its transfer is ordered, or its document asked for. document: state
    of the document, "" = none asked for; remote: what the ERP calls it.
    """

    key: str
    revision: int = 0
    number: str = ""
    told: Proposal | None = None
    verdict: Verdict | None = None
    passed_on: bool = False
    document: str = ""
    remote: str = ""

    def copied(self) -> ProposalState:
        """A copy."""
        return msgspec.structs.replace(self)


def status_of(state: ProposalState) -> str:
    """proposed, accepted, rejected or ordered: a transfer once it is accepted, a purchase once the
    ERP took it.
    """
    if state.verdict is None:
        return "proposed"
    if not state.verdict.accepted:
        return "rejected"
    if state.passed_on and state.document in ("", "accepted"):
        return "ordered"
    return "accepted"
