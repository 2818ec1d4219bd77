"""Settings of a connection to the sandbox ERP."""

from __future__ import annotations

from typing import Annotated

import msgspec

# The secret a connection of this connector needs, by its name in the workspace.
SECRET_NAME = "api_key"  # noqa: S105 - the name, not the secret


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the sandbox ERP is and how patient to be with it.

    url: its address, e.g. `http://127.0.0.1:20480`. company: its company, "" = the entity's code.
    timeout_seconds: how long to wait for an answer. settle_seconds: how long a call without an
    answer may still be at work over there; the look-up is asked to wait that long.
    """

    url: str
    company: str = ""
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 15.0
    settle_seconds: Annotated[float, msgspec.Meta(ge=0, le=300)] = 0.0
