"""Settings of one AvaTax account, as they stand in the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

SECRET_NAME = "license_key"  # noqa: S105 - the name, not the secret


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where goods leave from. country: ISO 3166-1 alpha-2; region: ISO 3166-2 without it."""

    country: str
    region: str = ""
    postal_code: str = ""
    city: str = ""
    line1: str = ""


class AvataxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One company of one AvaTax account. Secret: `license_key`.

    url: https://rest.avatax.com or https://sandbox-rest.avatax.com. account: the account's number.
    company: the company's code over there. origin: where goods leave from; origins: our location ->
    where it is. tax_codes: our department, or the kind of an amount without goods, -> AvaTax tax
    code; goods without one get `tax_code`. timeout_seconds: of one call.
    """

    url: str
    account: str
    company: str
    origin: Origin
    origins: Mapping[str, Origin] = {}
    tax_code: str = "P0000000"
    tax_codes: Mapping[str, str] = msgspec.field(default_factory=lambda: {"shipping": "FR020100"})
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 20.0
