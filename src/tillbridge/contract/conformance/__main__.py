"""Run the suite from a shell: `python -m tillbridge.contract.conformance PACKAGE`.

PACKAGE is a dotted name whose `connector` is the connector, e.g. `tillbridge.connectors.feed`.
`--record` writes the expected files that are missing. Exit code 1 when a check fails.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from tillbridge.contract.conformance.checks import run_all
from tillbridge.contract.conformance.samples import Suite, record_expected
from tillbridge.contract.conformance.settling import record_settlements


def main(words: list[str]) -> int:
    """Run; prints one line per check and one per problem."""
    names = [word for word in words if not word.startswith("-")]
    if len(names) != 1:
        sys.stderr.write("usage: python -m tillbridge.contract.conformance PACKAGE [--record]\n")
        return 2
    package = importlib.import_module(names[0])
    folder = Path(str(package.__file__)).parent
    if "--record" in words:
        suite = Suite(package.connector, folder)
        for path in (*record_expected(suite), *record_settlements(suite)):
            sys.stdout.write(f"wrote {path.name}; read it before you commit it\n")
    failed = 0
    for name, problems in run_all(Suite(package.connector, folder)).items():
        sys.stdout.write(f"{'FAIL' if problems else 'ok  '} {name}\n")
        for problem in problems:
            sys.stdout.write(f"       {problem}\n")
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
