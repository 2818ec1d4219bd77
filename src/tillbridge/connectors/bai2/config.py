"""Settings of a bank that writes BAI2."""

from __future__ import annotations

import msgspec


class Bai2Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """accounts: those that are taken, as the bank writes them; () = all. currency: where neither
    group nor account tells one. interim: whether reports within the day are taken; false where one
    of the day before tells them again.
    """

    accounts: tuple[str, ...] = ()
    currency: str = "USD"
    interim: bool = True
