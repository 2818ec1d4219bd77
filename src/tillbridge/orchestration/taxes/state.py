"""State of a tax document: what was wanted of it last, and how it stands at the tax service."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.taxes import LineTaxes, TaxDocument

ASKED, CALCULATED, COMMITTED, VOIDED, REFUSED = (
    "asked",
    "calculated",
    "committed",
    "voided",
    "refused",
)
PREFIX = "tax"
"""How the keys of tax documents begin, before the first slash."""


class TaxState(msgspec.Struct, omit_defaults=True):
    """One tax document. state: asked (an answer is owed), calculated, committed, voided, refused.

    order: key of its order. goal, digest, document: what was wanted last. kept: whether anything of
    it stands at the service. n: operations so far; about: operation -> digest of what it was asked
    for. answered: taxes the service worked out. words: its refusal.
    """

    key: str
    revision: int = 0
    order: str = ""
    subject: str = ""
    service: str = ""
    entity: str = ""
    state: str = ""
    goal: str = ""
    digest: str = ""
    document: TaxDocument | None = None
    kept: bool = False
    kind: str = ""
    n: int = 0
    about: dict[str, str] = {}
    answered: tuple[LineTaxes, ...] = ()
    words: str = ""

    def copied(self) -> TaxState:
        """A copy whose tables may be changed without touching this one."""
        return msgspec.structs.replace(self, about=dict(self.about))
