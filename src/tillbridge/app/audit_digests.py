"""Digests of the audit outside of the database: a file of the workspace and the log.

`audit/digests.jsonl` is only added to: one JSON object per line, newest last. A copy of it that
the hub cannot write to is what shows a chain that was cut off or written anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import structlog

from tillbridge.atoms.errors import Refused
from tillbridge.durable.audit import Digest, digest
from tillbridge.durable.rooms import Connection

FILE = Path("audit") / "digests.jsonl"
_log = structlog.get_logger("audit")


def keep_digests(connection: Connection, workspace: Path, now: datetime) -> str:
    """Add the digests of yesterday and of today so far, where they grew; gives what was done."""
    path = workspace / FILE
    known = read_digests(path) if path.exists() else []
    fresh = [
        found
        for day in (now.date() - timedelta(days=1), now.date())
        if (found := digest(connection, day)).count and found not in known
    ]
    if fresh:
        path.parent.mkdir(mode=0o750, exist_ok=True)
        with path.open("ab") as file:
            for one in fresh:
                file.write(msgspec.json.encode(one) + b"\n")
                _log.info("digest", **msgspec.to_builtins(one))
    return f"kept {len(fresh)} digests"


def read_digests(path: Path) -> list[Digest]:
    """Digests of a file; raises Refused naming the line that is none."""
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found.append(msgspec.json.decode(line, type=Digest))
        except msgspec.MsgspecError as problem:
            raise Refused(f"{path}:{number}: is no digest: {problem}") from None
    return found
