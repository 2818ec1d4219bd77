"""What is shared with a partner is read back as it was written."""

from __future__ import annotations

from tests.canonical.test_receivables import COMMON
from tillbridge.canonical.partners import KEPT_TENDERS, MODES, SHARED_KINDS, SaleShared
from tillbridge.canonical.registry import decode, encode
from tillbridge.canonical.valued import ValuedLine, ValuedTax, ValuedTender


def test_what_is_written_is_read_back() -> None:
    fact = SaleShared(
        id="a",
        partner="lumiere",
        mode=MODES[0],
        collects="us",
        net=100,
        rate_ppm=250_000,
        commission=25,
        policy="2026-01-01 rules/policies.toml:1",
        lines=(ValuedLine(SHARED_KINDS[0], 100),),
        taxes=(ValuedTax("us-ny", 8),),
        tenders=(ValuedTender("cash", 108, KEPT_TENDERS[0]),),
        **COMMON,
    )
    assert decode("SaleShared", 1, encode(fact)) == fact
