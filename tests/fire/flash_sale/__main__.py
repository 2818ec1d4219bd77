"""`make flash-sale`: one product at twelve times the usual traffic while the ERP is slow.

    python -m tests.fire.flash_sale [--seconds 90] [--json FILE] [--plot FILE.png] [--no-limits]

Exit 1 when a piece was sold twice or left unsold, an answer was a fault, an invariant is broken, or
a promised latency was missed (not with --no-limits: on a busy machine times say nothing).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec

from tests.fire.flash_sale.figures import page
from tests.fire.flash_sale.plan import PHASES, Plan
from tests.fire.flash_sale.plot import draw
from tests.fire.flash_sale.run import sell


def main() -> int:
    """See the module."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="make flash-sale")
    parser.add_argument("--seconds", type=float, default=usual.end, help="of all three phases")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--reads", type=float, default=usual.reads, help="per second, baseline")
    parser.add_argument("--carts", type=float, default=usual.carts, help="per second, baseline")
    parser.add_argument("--pieces", type=int, default=usual.pieces, help="in the warehouse")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--plot", type=Path, help="file for the picture (PNG)")
    parser.add_argument("--no-limits", action="store_true", help="tell latencies, judge none")
    chosen = parser.parse_args()
    plan = Plan(
        seed=chosen.seed,
        seconds=chosen.seconds / len(PHASES),
        reads=chosen.reads,
        carts=chosen.carts,
        pieces=chosen.pieces,
    )
    report = sell(plan)
    sys.stdout.write(page(report) + "\n")
    if chosen.json:
        chosen.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    if chosen.plot and not draw(report, chosen.plot):
        sys.stderr.write("no picture: matplotlib is not installed (make flash-sale does it)\n")
    return 0 if report.right and (chosen.no_limits or not report.missed) else 1


if __name__ == "__main__":
    raise SystemExit(main())
