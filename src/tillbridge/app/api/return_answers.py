"""Returns as a till or service desk asks for them, and what it is told.

Quantities are decimal text of the line's unit, amounts decimal text of major units.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from tillbridge.app.api.reservation_answers import Code, Wanted
from tillbridge.orchestration.orders.returnable import Why

LINES_MOST = 200
Name = Annotated[str, msgspec.Meta(max_length=200)]
State = Literal["allowed", "refused", "authorized", "approval"]


class ReturnLineAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is brought back of one line of the sale; without a receipt of one product. price: what
    one piece costs today with tax, asked for without a receipt only.
    """

    quantity: Wanted
    line: Name = ""
    product: Name = ""
    price: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,12}(\.[0-9]{1,6})?$")] = ""


class ReturnAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A buyer stands there with goods. location: where. order: number of the order, receipt: of the
    till sale; neither = without a receipt. channel: whose order, where numbers are the same. lines:
    none = what could come back. commit: authorise it; else it is only looked at.
    """

    location: Code
    order: Name = ""
    receipt: Name = ""
    channel: Name = ""
    lines: Annotated[tuple[ReturnLineAsked, ...], msgspec.Meta(max_length=LINES_MOST)] = ()
    commit: bool = False
    reason: Name = ""


class ReturnLineTold(msgspec.Struct, frozen=True):
    """A line's history. expected: authorised and not here yet. returnable: what can still come
    back; why: why not. quantity, amount: of what was asked.
    """

    line: str
    product: str
    title: str
    sold: str
    handed_over: str
    returned: str
    expected: str
    returnable: str
    why: Why
    quantity: str
    amount: str


class TenderTold(msgspec.Struct, frozen=True):
    """What a tender may still get back in all, and what it gets of this return."""

    tender: str
    kind: str
    refundable: str
    amount: str


class ReturnTold(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer. state: `allowed`, `refused`, `authorized` (stored), `approval` (a second
    person decides `proposal`). key: of the sale, for the till's log. until: the last day, null
    without a window. tenders: in the order in which they are paid back.
    """

    state: State
    key: str
    number: str
    return_id: str
    proposal: int | None
    currency: str
    amount: str
    needs_approval: bool
    until: date | None
    detail: str
    lines: tuple[ReturnLineTold, ...]
    tenders: tuple[TenderTold, ...]
