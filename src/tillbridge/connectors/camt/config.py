"""Settings of bank statements in camt.053."""

from __future__ import annotations

import msgspec


class CamtConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """accounts: IBANs or numbers that are taken, () = all in the file."""

    accounts: tuple[str, ...] = ()
