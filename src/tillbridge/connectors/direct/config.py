"""Settings of a connection for orders handed in."""

from __future__ import annotations

import msgspec


class DirectSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to set: the connection's entity, channel and timezone say it all."""
