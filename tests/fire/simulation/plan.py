"""What a seed draws once: sizes, rhythms, and which faults this run knows, so that runs differ."""

from __future__ import annotations

import msgspec

from tillbridge.connectors.sandbox.dice import Dice

TRADES = 6
"""Different days of trade; each is played clean once per process, to compare with."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run. Rates are per yield point, per request or per call, 0 = this fault is not met.

    orders: web orders of the day; from 14 on the third store trades, too.
    stickiness: chance that who steps goes on stepping. away: hours the ERP is away, 0 = never.
    lost, unanswered: requests of the shop that vanish, or whose answer does; copies: chance of a
    further copy; given_up: chance that the shop never sends a delivery. calls: fault of an outside
    call -> chance. jumps: how often the clock of a process jumps. buyers: who
    fill carts at the hub's own door.
    """

    seed: int
    trade: int
    orders: int = 7
    stickiness: float = 0.9
    runners: int = 2
    dispatchers: int = 2
    intakes: int = 1
    batch: int = 500
    fuse: bool = True
    rate: float = 20.0
    concurrent: int = 20
    crash: float = 0.0
    freeze: float = 0.0
    freeze_seconds: int = 300
    unknown_commit: float = 0.0
    lost: float = 0.0
    unanswered: float = 0.0
    copies: float = 0.0
    given_up: float = 0.0
    delay_seconds: int = 0
    calls: dict[str, float] = {}
    away: float = 0.0
    skew_seconds: int = 0
    jumps: int = 0
    lock_month: bool = False
    buyers: int = 0

    @property
    def clean(self) -> Plan:
        """The same day of trade told once, in order, without any fault."""
        return Plan(
            seed=self.trade,
            trade=self.trade,
            orders=self.orders,
            buyers=self.buyers,
            runners=1,
            dispatchers=1,
            stickiness=1.0,
        )


BUYERS = 14
CALLS = ("refuse", "hang", "error", "busy", "throttle", "unanswered", "late", "garbled", "slow")


def draw(seed: int) -> Plan:
    """The plan of a seed."""
    dice = Dice(seed)

    def some(chance: float, *rates: float) -> float:
        return dice.pick(rates) if dice.chance(chance) else 0.0

    plan = Plan(
        seed=seed,
        trade=seed % TRADES,
        stickiness=dice.pick((0.0, 0.5, 0.8, 0.95)),
        runners=dice.pick((1, 2, 2, 3)),
        dispatchers=dice.pick((1, 2, 3)),
        intakes=dice.pick((1, 1, 2)),
        batch=dice.pick((20, 60, 500)),
        fuse=dice.chance(0.8),
        rate=dice.pick((1.0, 5.0, 20.0)),
        concurrent=dice.pick((2, 20, 20)),
        crash=some(0.6, 0.0005, 0.001, 0.003),
        freeze=some(0.4, 0.001, 0.003),
        freeze_seconds=dice.pick((20, 300)),
        unknown_commit=some(0.5, 0.005, 0.02),
        lost=some(0.5, 0.02, 0.2),
        unanswered=some(0.5, 0.02, 0.2),
        copies=some(0.5, 0.1, 0.5),
        given_up=some(0.2, 0.03, 0.1),
        delay_seconds=int(some(0.5, 60, 1800)),
        calls={name: rate for name in CALLS if (rate := some(0.3, 0.03, 0.15))},
        away=some(0.3, 0.5, 4.0),
        skew_seconds=int(some(0.4, 20, 300)),
        jumps=int(some(0.3, 1, 3)),
        lock_month=dice.chance(0.3),
    )
    reject = some(0.2, 0.03, 0.1)  # drawn last, so that older seeds mean what they meant
    calls = {**plan.calls, "reject": reject} if reject else plan.calls
    return msgspec.structs.replace(plan, calls=calls, buyers=BUYERS)
