"""Who sits at this command line: a key in TILLBRIDGE_OPERATOR_KEY, else the account of the machine.

Whoever can read the workspace's files can also open its database without this program: roles on
the command line keep honest people to their work and name them in the audit. Over HTTP they are
a wall.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from tillbridge.app.cli.verbs import VERBS
from tillbridge.app.machine_account import account
from tillbridge.app.settings import FILE
from tillbridge.atoms.errors import Refused
from tillbridge.durable.rooms import Connection
from tillbridge.triage import operators
from tillbridge.triage.rights import Who, require

KEY = "TILLBRIDGE_OPERATOR_KEY"


def identify(connection: Connection, folder: Path, now: datetime) -> Who:
    """The operator of this call; commits when a first one was made. Raises Refused."""
    key = os.environ.get(KEY, "")
    if key:
        who = operators.of_key(connection, key, now)
        connection.rollback()
        if who is None:
            raise Refused(
                f"the key in {KEY} is unknown, expired or revoked", code="unknown_operator"
            )
        return who
    try:
        who = operators.of_account(connection, account(os.getuid()), _owner(folder))
    finally:
        connection.commit()
    return who


def allowed(who: Who, verb: str) -> None:
    """Raises Refused when the operator may not use the verb, or it names no action."""
    require(who, VERBS.get(verb, f"of `{verb}`"))


def _owner(folder: Path) -> str:
    return account((folder / FILE).stat().st_uid)
