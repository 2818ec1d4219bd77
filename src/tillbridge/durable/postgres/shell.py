"""Run PostgreSQL's client programs against a workspace's database."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tillbridge.durable.postgres.binaries import find
from tillbridge.durable.postgres.lease import Report, database, on_standard_error


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """A connection string that may be seen in a process list, and the environment with the
    password.
    """
    told = conninfo_to_dict(url)
    password = told.pop("password", None)
    environment = dict(os.environ)
    if password:
        environment["PGPASSWORD"] = str(password)
    return make_conninfo(**{name: str(value) for name, value in told.items()}), environment


def psql(
    workspace: Path | str, arguments: Sequence[str] = (), *, report: Report = on_standard_error
) -> int:
    """Run psql on the workspace's database with our own standard streams; its exit code."""
    with database(workspace, report=report) as url:
        address, environment = without_password(url)
        done = subprocess.run(
            [find().program("psql"), "--dbname", address, *arguments], check=False, env=environment
        )
    return done.returncode
