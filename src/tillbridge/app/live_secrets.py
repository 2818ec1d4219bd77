"""Secrets that change while the HTTP role runs: looked at now and then, taken over as they are.

Only the live webhook secrets of connections that are served already change; anything else in the
settings needs a start. What cannot be read leaves the secrets as they were, and the log says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import structlog

from tillbridge.app.sealed_secrets import SealedSecrets
from tillbridge.app.settings import FILE, Workspace, load_workspace
from tillbridge.atoms.errors import Refused
from tillbridge.inbox.webhooks import IntakeConnection

LOOK_SECONDS = 5.0
Served = Mapping[str, IntakeConnection]
_log = structlog.get_logger("secrets")


class LiveSecrets:
    """Watches one workspace."""

    def __init__(self, workspace: Path, read: Callable[[Workspace], Served]) -> None:
        """read: the connections of a workspace as intake sees them."""
        self._workspace = workspace
        self._read = read
        self._stamp = self._now()

    def look(self, served: Served) -> Served | None:
        """The connections with their present secrets; None when nothing changed since."""
        stamp = self._now()
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        try:
            present = self._read(load_workspace(self._workspace))
        except Refused as problem:
            _log.warning("secrets_unchanged", why=problem.words)
            return None
        _log.info("secrets_read")
        return {
            name: msgspec.structs.replace(connection, secrets=present[name].secrets)
            if name in present
            else connection
            for name, connection in served.items()
        }

    def _now(self) -> tuple[object, ...]:
        try:
            state = (self._workspace / FILE).stat()
        except OSError:
            return ()
        return (state.st_mtime_ns, state.st_ino, *SealedSecrets(self._workspace).stamp())
