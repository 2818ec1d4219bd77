"""Run the reference ERP from a shell: `python -m tillbridge.app.erp --server URL --folder FOLDER`.

Prints each step, then the connection's settings, and serves until it is interrupted.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import msgspec

from tillbridge.app.erp.beside import DATABASE, erp_beside
from tillbridge.app.erp.books import Books
from tillbridge.app.erp.progress import ErpError


def main(words: list[str]) -> int:
    """Serve; 1 when the ERP cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tillbridge.app.erp", description=__doc__)
    parser.add_argument("--server", required=True, help="URL of the PostgreSQL server")
    parser.add_argument("--folder", required=True, type=Path, help="for its settings and log")
    parser.add_argument("--books", required=True, type=Path, help="JSON file: what to fill it with")
    parser.add_argument("--database", default=DATABASE, help="name of its database")
    parser.add_argument("--fresh", action="store_true", help="throw an existing database away")
    given = parser.parse_args(words)
    try:
        books = msgspec.json.decode(given.books.read_bytes(), type=Books)
        with erp_beside(
            given.server, given.folder, books,
            database=given.database, fresh=given.fresh, progress=_say,
        ) as erp:  # fmt: skip
            shown = {"url": erp.url, "database": erp.database, "user": erp.user}
            sys.stdout.write(msgspec.json.encode(shown).decode() + "\n")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except (ErpError, OSError, msgspec.MsgspecError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _say(step: str, done: int, total: int) -> None:
    sys.stderr.write(f"{step}: {done}/{total}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
