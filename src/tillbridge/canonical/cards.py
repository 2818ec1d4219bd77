"""Gift cards and store credit, told by the ledger a channel or a card service keeps of them.

What an order or a till sells, takes and gives back by card is told there, with the card's id; these
facts tell the rest. A card's balance is the open item `card/<id>` of its liability account. The id
is whatever the ledger knows the card by; who knows it can spend it, so it is shown masked.
"""

from __future__ import annotations

import hashlib
import re

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.valued import ValuedRow

# sold: an order's line paid for it. refund: an order's refund filled it. given: out of goodwill.
ISSUE_REASONS = ("sold", "refund", "given")
# ours, or the state's: unclaimed property is never earned
BREAKAGE_KINDS = ("income", "escheat")
SHOWN_DIGITS = 4
# a key or open item of a card in any text; the id of one of its facts (card/CONNECTION/REFERENCE/
# EVENT) names no card
_NAMED = re.compile(
    r"(?<![\w/.-])card/(?![^\s\"]*/(?:issued|redeemed|adjusted|expired)\b)([^\s\"\\,;:)]+)"
)


def masked(card: str) -> str:
    """A card's id as it may be shown: its last four characters, less of a short one."""
    shown = min(SHOWN_DIGITS, len(card) // 2)
    return "*" * (len(card) - shown) + card[len(card) - shown :]


def hashed(number: str) -> str:
    """A card's id made of its printed number, for sources that tell nothing else: the same for the
    same number everywhere, and the number cannot be read out of it. "" for none.
    """
    return "card-" + hashlib.sha256(number.encode()).hexdigest()[:24] if number else ""


def shown(text: str) -> str:
    """A text whose keys and open items of cards (`card/ID`) show their last four alone."""
    return _NAMED.sub(lambda found: f"card/{masked(found[1])}", text) if "card/" in text else text


class CardMovement(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """What all card facts carry.

    card: id of the card. amount: minor units of `currency`. reference: the ledger's own id of the
    movement, its identity. order: key of the order it belongs to, "" = none.
    """

    card: str
    amount: int
    currency: str
    reference: str
    order: str = ""


class CardIssued(CardMovement, frozen=True, kw_only=True, omit_defaults=True):
    """A card was filled. reason: one of ISSUE_REASONS; sold and refund name what the order's own
    facts booked without knowing the card.
    """

    reason: str = "sold"


class CardRedeemed(CardMovement, frozen=True, kw_only=True, omit_defaults=True):
    """A card paid for an order: another road of the order's payment with that card."""

    tender: str


class GiftCardIssued(CardIssued, frozen=True, kw_only=True, omit_defaults=True):
    """A gift card was filled."""


class GiftCardRedeemed(CardRedeemed, frozen=True, kw_only=True, omit_defaults=True):
    """A gift card paid for an order."""


class CardAdjusted(CardMovement, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody corrected a card's balance; amount is signed. reason: in the teller's words. by,
    approved_by: who did and who agreed, where the teller says so.
    """

    reason: str = ""
    by: str = ""
    approved_by: str = ""


class CardExpired(CardMovement, frozen=True, kw_only=True, omit_defaults=True):
    """What was left on a card can no longer be spent. policy: `file:line` of the term by which the
    hub says so, "" where the card's ledger does.
    """

    policy: str = ""


class BreakageRecognised(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """What of a card, or of all cards sold in a month, nobody is expected to spend; negative when
    it was spent after all. The card itself stays as it is.

    item: `card/<id>` or `breakage/<month>`. rows: by BREAKAGE_KINDS, minor units. method: `remote`
    or `proportional`. version: of the reckoning; policy: `file:line` of the terms that say so.
    """

    currency: str
    item: str
    method: str
    version: str
    rows: tuple[ValuedRow, ...]
    card: str = ""
    policy: str = ""


class GiftCardAdjusted(CardAdjusted, frozen=True, kw_only=True, omit_defaults=True):
    """A gift card's balance was corrected."""


class GiftCardExpired(CardExpired, frozen=True, kw_only=True, omit_defaults=True):
    """A gift card is over."""


class StoreCreditIssued(CardIssued, frozen=True, kw_only=True, omit_defaults=True):
    """Store credit was given."""


class StoreCreditAdjusted(CardAdjusted, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody's store credit was corrected."""


class StoreCreditExpired(CardExpired, frozen=True, kw_only=True, omit_defaults=True):
    """Store credit is over."""


class StoreCreditRedeemed(CardRedeemed, frozen=True, kw_only=True, omit_defaults=True):
    """Store credit paid for an order."""
