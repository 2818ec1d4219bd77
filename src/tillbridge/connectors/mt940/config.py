"""Settings of a bank that writes MT940."""

from __future__ import annotations

import msgspec


class Mt940Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """accounts: those that are taken, as the bank writes them; () = all. interim: whether reports
    within the day (MT942) are taken; false where a statement of the same account tells them again.
    """

    accounts: tuple[str, ...] = ()
    interim: bool = True
