"""`make chaos`: fire for so many minutes, then the score table.

    python -m tests.fire.chaos [--minutes 10] [--seed K] [--json FILE]

Exit 1 when anything was lost, doubled, unbalanced, stuck or untrue.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
from pathlib import Path
from types import FrameType

import msgspec

from tests.fire.chaos.campaign import campaign


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0, help="0: by chance, and told")
    parser.add_argument("--json", type=Path, help="file for the score")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    seed = chosen.seed or 1 + secrets.randbelow(900)
    sys.stderr.write(f"chaos for {chosen.minutes:g} minutes, seed {seed}\n")
    score = campaign(chosen.minutes, seed)
    sys.stdout.write(score.page() + "\n")
    if chosen.json:
        chosen.json.write_bytes(msgspec.json.format(msgspec.json.encode(score)))
    return 0 if score.clean else 1


if __name__ == "__main__":
    raise SystemExit(main())
