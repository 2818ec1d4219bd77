"""Settings of bank statements in camt.053 and of advices in camt.054."""

from __future__ import annotations

import msgspec


class CamtConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """accounts: IBANs or numbers that are taken, () = all in the file. advices: whether advices of
    credits and debits (camt.054) are taken, for a bank that sends no statement of them.
    """

    accounts: tuple[str, ...] = ()
    advices: bool = False
