"""The test of the tests: `python -m tests.fire.mutants [NAME...] [--json FILE]`.

Plants each seeded bug by itself and tells which test noticed it; ends with 1 when one survived.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.fire.mutants.bug import stale
from tests.fire.mutants.bugs import BUGS
from tests.fire.mutants.hunt import ROOT, Catch, healthy, hunt
from tests.places import quick_place
from tillbridge.durable.postgres import database


def main() -> int:
    """Run the bugs named on the command line, or all; 0 when every one was caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the bugs' names; none for all")
    parser.add_argument("--json", type=Path, help="write the outcomes to this file")
    arguments = parser.parse_args()
    bugs = [b for b in BUGS if not arguments.names or any(n in b.name for n in arguments.names)]
    lost = [words for bug in bugs for words in stale(bug, ROOT)]
    if lost or not bugs:
        print("\n".join(lost) or "no bug has such a name", file=sys.stderr)
        return 1
    workspace = Path(tempfile.mkdtemp(prefix="tillbridge-mutants-", dir=quick_place()))
    workspace.chmod(0o711)
    try:
        with database(workspace) as url:
            sick = healthy(bugs, url)
            if sick:
                print(f"tests fail without any bug:\n{sick}", file=sys.stderr)
                return 1
            caught = [_told(catch) for catch in hunt(bugs, url)]
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.encode(caught))
    good = sum(catch.good for catch in caught)
    print(f"{good} of {len(caught)} seeded bugs caught")
    return 0 if good == len(caught) else 1


def _told(catch: Catch) -> Catch:
    print(f"{catch.outcome:9} {catch.seconds:5.1f} s  {catch.bug}", flush=True)
    print(f"{'':19} {catch.by or catch.words}", flush=True)
    return catch


if __name__ == "__main__":
    sys.exit(main())
