"""What a field of ours takes, and the fields of a return."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.returns import DISPOSITIONS

RETURN_STATES = ("authorized", "cancelled", "received", "inspected")


class Meaning(msgspec.Struct, frozen=True):
    """What a field of ours takes: type, whether it must be mapped, closed values.

    kind: text, number, amount (minor units), quantity (thousandths), day, instant, flag, choice.
    """

    kind: str
    required: bool = False
    choices: tuple[str, ...] = ()


RETURNS = {
    "head": {
        "number": Meaning("text", required=True),
        "order": Meaning("text", required=True),
        "source": Meaning("text"),
        "state": Meaning("choice", required=True, choices=RETURN_STATES),
        "at": Meaning("instant", required=True),
        "location": Meaning("text"),
        "receipt": Meaning("text"),
        "until": Meaning("day"),
        "reason": Meaning("text"),
    },
    "line": {
        "line": Meaning("text"),
        "product": Meaning("text"),
        "quantity": Meaning("quantity", required=True),
        "disposition": Meaning("choice", choices=DISPOSITIONS),
        "reason": Meaning("text"),
    },
}
