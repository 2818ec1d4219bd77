"""What an order keeps of the requests it sent to those who run its places."""

from __future__ import annotations

import msgspec

ASKED, ACCEPTED, REJECTED, REFUSED = "asked", "accepted", "rejected", "refused"
"""How a request stands. refused: they did not understand it; a person mends that and sends again.
"""
CALLED_OFF, CANCELLED, TOO_LATE = "called_off", "cancelled", "too_late"
"""How calling it off stands; called_off: asked for, not answered."""


class RequestLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Goods a request asks for: the order's line, thousandths of its unit.

    before: of the line had left the place without anybody having been asked for it.
    """

    line: str
    product: str
    quantity: int
    unit: str = ""
    before: int = 0


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request. connection: who was asked; lines: by what is wanted (as OrderState.wanted).

    cancel: operation that calls it off, "" = nobody did. end: how that stands.
    """

    location: str
    connection: str
    lines: dict[str, RequestLine]
    state: str = ASKED
    cancel: str = ""
    end: str = ""

    @property
    def live(self) -> bool:
        """Whether its goods may still leave because of it."""
        return self.state != REJECTED and self.end != CANCELLED

    @property
    def stands(self) -> bool:
        """Whether it is live and nobody has called it off."""
        return self.live and not self.end
