"""What a field of ours takes: the type its text is read as."""

from __future__ import annotations

import msgspec


class Meaning(msgspec.Struct, frozen=True):
    """What a field of ours takes: type, whether it must be mapped, closed values.

    kind: text, number, amount (minor units), quantity (thousandths), day, instant, flag, choice.
    """

    kind: str
    required: bool = False
    choices: tuple[str, ...] = ()
