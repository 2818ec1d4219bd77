"""`make oversell ROUNDS=2000 SEED=4`: many rounds of the proof, some with a killed process."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from tests.fire.oversell.proof import Proof
from tests.places import quick_place
from tillbridge.durable.migrate import migrate
from tillbridge.durable.postgres import database
from tillbridge.durable.postgres.databases import create_database
from tillbridge.durable.session import connect


def main() -> int:
    """Play the rounds; 1 at the first lie, with the seed and round that show it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--kill-every", type=int, default=10, help="rounds; 0 = kill nobody")
    parser.add_argument("--json", type=Path, help="write the outcome to this file")
    chosen = parser.parse_args()
    workspace = Path(tempfile.mkdtemp(prefix="tillbridge-oversell-", dir=quick_place()))
    workspace.chmod(0o711)
    began = time.monotonic()
    try:
        with database(workspace) as server:
            url = create_database(server, "oversell")
            with connect(url, autocommit=True) as connection:
                migrate(connection)
            lies, played, told = _play(url, chosen.rounds, chosen.seed, chosen.kill_every)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
    print("\n".join(lies) or f"oversold 0, undersold 0 in {played} rounds", flush=True)
    print(", ".join(f"{words} {number}" for words, number in sorted(told.items())))
    if chosen.json:
        found = {
            "rounds": played,
            "seed": chosen.seed,
            "seconds": round(time.monotonic() - began, 1),
            "lies": lies,
            "told": told,
        }
        chosen.json.write_bytes(msgspec.json.encode(found))
    return 1 if lies else 0


def _play(
    url: str, rounds: int, seed: int, kill_every: int
) -> tuple[list[str], int, dict[str, int]]:
    with connect(url) as connection:
        proof = Proof(url, connection, kill_every=kill_every)
        try:
            for number in range(rounds):
                lies = proof.play(number, seed)
                if lies:
                    return lies, number + 1, dict(proof.told)
                if (number + 1) % 100 == 0:
                    print(f"{number + 1} rounds", flush=True)
        finally:
            proof.end()
    return [], rounds, dict(proof.told)


if __name__ == "__main__":
    sys.exit(main())
