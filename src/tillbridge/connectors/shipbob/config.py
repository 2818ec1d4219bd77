"""Settings of one ShipBob channel, as they stand in the workspace."""

from __future__ import annotations

from typing import Annotated

import msgspec

SECRET_NAME = "access_token"  # noqa: S105 - the name, not the secret


class ShipbobSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One channel of one ShipBob account. Secrets: `access_token` (a personal access token),
    `webhook` (of the subscription, `whsec_...`).

    url: https://api.shipbob.com or https://sandbox-api.shipbob.com. channel_id: the channel that
    our token made, under which orders are ours. shipping_method: as it is mapped to a ship option
    over there. page_size: orders per call of a poll. timeout_seconds: of one call.
    """

    url: str = "https://api.shipbob.com"
    channel_id: int = 0
    api_version: str = "2026-07"
    shipping_method: str = "Standard"
    page_size: Annotated[int, msgspec.Meta(ge=1, le=250)] = 50
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 20.0
