"""The three things an error may say to the one who called: wait, decide, or give up.

Nothing else crosses a room's border. Each carries words a person can act on, never a traceback.
"""

from __future__ import annotations

from typing import Any


class RetryLater(Exception):
    """The same call may succeed later: the other side is away, busy, or asks for patience.

    `after_seconds` is the other side's own wish (Retry-After), or None when it has none.
    `unknown` is true when the call may have been applied although no answer came back; the
    caller must then look it up before sending again.
    """

    def __init__(
        self, words: str, *, after_seconds: float | None = None, unknown: bool = False
    ) -> None:
        super().__init__(words)
        self.words = words
        self.after_seconds = after_seconds
        self.unknown = unknown


class NeedsDecision(Exception):
    """A person has to decide or mend something before this record can go on.

    reason:  short closed code of the case class, e.g. `mapping_missing`, `body_unreadable`.
    words:   one sentence for the owner: which line, which value, what is wrong.
    owner:   queue that owns it: stores, ecommerce, fulfilment, finance, integration.
    remedy:  the command that mends it, as it can be typed; empty when a human judgement is needed.
    amount, currency: money at stake in minor units, when known.
    details: JSON-able evidence (missing mappings, both figures of a difference, ...).
    """

    def __init__(
        self,
        reason: str,
        words: str,
        *,
        owner: str = "integration",
        remedy: str = "",
        amount: int | None = None,
        currency: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words
        self.owner = owner
        self.remedy = remedy
        self.amount = amount
        self.currency = currency
        self.details: dict[str, Any] = details or {}


class Refused(Exception):
    """The other side, or a rule of ours, says no for good; sending the same again is pointless."""

    def __init__(self, words: str, *, code: str = "refused") -> None:
        super().__init__(words)
        self.words = words
        self.code = code
