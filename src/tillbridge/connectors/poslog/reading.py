"""How to read the amounts of a receipt, proven against its own totals.

Dialects differ in what a sign, a discount, a reward or a tax means. Each difference is a question
with few answers, asked only where the receipt raises it; the answers nearest to the standard come
first, and the first set of answers that meets the header's totals to the cent is the reading. No
set meets them: the receipt is not believed. Nothing is ever added to make it fit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from tillbridge.connectors.poslog import voids, wire
from tillbridge.connectors.poslog.coins import Coins
from tillbridge.contract.wire import WireError

MONEY_CATEGORIES = ("Monetary", "")
# Categories of rewards that count offers, points and messages, not money.
OTHER_CATEGORIES = ("Other", "CustomOffer", "Points", "Message")
READINGS_MAX = 5_000
_RETURNS = ("Return", "ReturnForDelivery", "ReturnForPickup")


class Goods(msgspec.Struct, frozen=True):
    """A merchandise line in signed minor units. amount: as told; discount: told beside it, with
    the sign of the line. before: whether prices show that amount is before discount, None when
    they do not. taxes: told in the line, signed.
    """

    line: wire.Line
    part: wire.Merchandise
    quantity: Decimal
    amount: int
    discount: int
    before: bool | None
    taxes: tuple[tuple[wire.Tax, int], ...]


class Totals(msgspec.Struct, frozen=True):
    """The header's own totals in minor units; None where not told. roundings: cash rounding."""

    grand: int | None
    tax: int | None
    net: int | None
    roundings: tuple[int, ...]


class Choice(msgspec.Struct, frozen=True):
    """Answers to the questions (see `_questions`)."""

    void: str = "paired"
    tax_source: str = "none"
    rewards: str = "detail"
    categories: tuple[str, ...] = ()
    discounts: int = 1
    before: str = "shown"
    tax_sign: int = 1
    uncharged: bool = False
    inclusion: str = "added"
    header_sign: int = 1
    rounding: int = 0


class Reading(msgspec.Struct, frozen=True):
    """A receipt under one choice: what counts, and the sums. difference: header less sums."""

    choice: Choice
    goods: tuple[Goods, ...]
    rewards: tuple[tuple[wire.Line, wire.Reward, int], ...]
    discounts: tuple[tuple[wire.Discount, int], ...]
    taxes: tuple[tuple[wire.Tax, int], ...]
    goods_sum: int
    reward_sum: int
    discount_sum: int
    tax_sum: int
    added_tax: int
    total: int
    difference: int
    tax_difference: int


class Readings:
    """All readings of one receipt, the likeliest first."""

    def __init__(self, retail: wire.Retail, totals: Totals, coins: Coins) -> None:
        self._retail = retail
        self._totals = totals
        self._coins = coins
        self._counting: dict[str, list[wire.Line]] = {}
        self._goods: dict[str, tuple[Goods, ...]] = {}

    def each(self) -> Iterator[Reading]:
        """Readings in the order of likelihood; at most READINGS_MAX."""
        questions = self._questions()
        answers = itertools.product(*(range(len(answers)) for _, answers in questions))
        if all(len(answers) == 1 for _, answers in questions):
            ordered: Sequence[tuple[int, ...]] = list(answers)
        else:
            ordered = sorted(itertools.islice(answers, READINGS_MAX), key=sum)
        for picked in ordered:
            choice = {
                name: answers[at] for (name, answers), at in zip(questions, picked, strict=True)
            }
            yield self.read(Choice(**choice))  # type: ignore[arg-type]

    def read(self, choice: Choice) -> Reading:
        """The receipt under one choice."""
        goods = self.goods(choice.void)
        lines = self.counting(choice.void)
        rewards = self._rewards(lines, choice)
        discounts = tuple(
            (line.part, choice.discounts * self._coins.minor(line.part.amount))
            for line in lines
            if isinstance(line.part, wire.Discount)
        )
        taxes = self._taxes(choice)
        tax_sum = sum(value for _, value in taxes)
        added = sum(value for tax, value in taxes if not is_included(tax, choice))
        goods_sum = sum(paid(each, choice) for each in goods)
        reward_sum = sum(value for _, _, value in rewards)
        discount_sum = sum(value for _, value in discounts)
        total = goods_sum - reward_sum - discount_sum + added
        grand, header_tax = self._totals.grand, self._totals.tax
        target = total if grand is None else choice.header_sign * grand - choice.rounding
        told_tax = abs(tax_sum if header_tax is None else header_tax)
        return Reading(
            choice=choice,
            goods=goods,
            rewards=rewards,
            discounts=discounts,
            taxes=taxes,
            goods_sum=goods_sum,
            reward_sum=reward_sum,
            discount_sum=discount_sum,
            tax_sum=tax_sum,
            added_tax=added,
            total=total,
            difference=target - total,
            tax_difference=told_tax - abs(tax_sum),
        )

    def counting(self, mode: str) -> list[wire.Line]:
        """Lines that count when voids are read in a mode."""
        if mode not in self._counting:
            self._counting[mode] = voids.counting(self._retail.lines, mode)
        return self._counting[mode]

    def goods(self, mode: str) -> tuple[Goods, ...]:
        """Merchandise that counts."""
        if mode not in self._goods:
            self._goods[mode] = tuple(
                goods_of(line, line.part, self._coins, literal=mode == "counted")
                for line in self.counting(mode)
                if isinstance(line.part, wire.Merchandise)
            )
        return self._goods[mode]

    def _questions(self) -> list[tuple[str, tuple[object, ...]]]:
        """Questions this receipt raises, each with its answers, the likeliest first."""
        lines = self._retail.lines
        parts = [line.part for line in lines]
        goods = self.goods("paired")
        discounted = any(each.discount for each in goods)
        negative = sum(each.amount for each in goods) < 0
        return [
            ("void", voids.MODES if voids.has_voids(lines) else ("paired",)),
            ("header_sign", (1, -1) if negative and (self._totals.grand or 0) > 0 else (1,)),
            ("rounding", (0, *self._totals.roundings)),
            ("rewards", self._reward_answers(parts)),
            ("categories", _category_answers(parts)),
            ("discounts", self._discount_answers(parts, negative=negative)),
            (
                "before",
                ("shown", "shown-or-before", "after", "before") if discounted else ("shown",),
            ),
            ("tax_source", self._tax_sources()),
            (
                "uncharged",
                (False, True) if any(not tax.charged for tax in _told(parts)) else (False,),
            ),
            ("tax_sign", (-1, 1) if negative and self._unsigned_taxes(parts) else (1,)),
            ("inclusion", self._inclusions(parts)),
        ]

    def _reward_answers(self, parts: list[wire.Part]) -> tuple[str, ...]:
        told = [part for part in parts if isinstance(part, wire.Reward) and part.amount]
        if not told:
            return ("detail",)
        flipped = ("flipped",) if all(part.amount > 0 for part in told) else ()
        money = [part for part in told if part.category in MONEY_CATEGORIES]
        detailed = [part.amount for part in money if part.detailed and not part.summarized]
        summed = [part.amount for part in money if part.summarized and not part.detailed]
        other = ("summary",) if summed else ()
        # rows of other names may tell the same money again only when the sums are the same
        again = ("detail-only", "summary-only") if summed and sum(detailed) == sum(summed) else ()
        in_lines = self._lines_tell([part.amount for part in money if part.detailed])
        return ("detail", *other, *again, *flipped, *(("told-in-lines",) if in_lines else ()))

    def _lines_tell(self, amounts: Sequence[Decimal]) -> bool:
        """Whether the lines' own discounts are enough to hold reductions that are told again."""
        in_lines = sum(abs(each.discount) for each in self.goods("paired"))
        return 0 < sum(abs(self._coins.minor(each)) for each in amounts) <= in_lines

    def _discount_answers(self, parts: list[wire.Part], *, negative: bool) -> tuple[int, ...]:
        told = [part.amount for part in parts if isinstance(part, wire.Discount) and part.amount]
        if not told:
            return (1,)
        twice = (0,) if self._lines_tell(told) else ()
        return (-1, *twice, 1) if negative else (1, *twice, -1)

    def _tax_sources(self) -> tuple[str, ...]:
        """Where taxes are told: in lines, as lines of their own, twice, or in the header only."""
        goods = self.goods("paired")
        in_lines = any(tax.amount is not None for each in goods for tax, _ in each.taxes)
        own = any(
            isinstance(line.part, wire.Tax) and line.part.amount is not None
            for line in self._retail.lines
        )
        if in_lines and own:
            return ("lines", "receipt", "both")
        if in_lines or own:
            return ("lines",) if in_lines else ("receipt",)
        return ("header",) if self._totals.tax else ("none",)

    def _unsigned_taxes(self, parts: list[wire.Part]) -> bool:
        own = [part for part in parts if isinstance(part, wire.Tax) and not part.refund]
        return any((tax.amount or 0) > 0 for tax in own)

    def _inclusions(self, parts: list[wire.Part]) -> tuple[str, ...]:
        told = _told(parts)
        if not self._totals.tax and not any(tax.amount for tax in told):
            return ("added",)
        flags = {tax.included for tax in told}
        holds = any(isinstance(part, wire.Merchandise) and part.price_holds_tax for part in parts)
        mixed = ("told",) if True in flags and len(flags) > 1 else ()
        if holds or True in flags:
            return ("included", "added", *mixed)
        return ("added", "included", *mixed)

    def _rewards(
        self, lines: list[wire.Line], choice: Choice
    ) -> tuple[tuple[wire.Line, wire.Reward, int], ...]:
        """Rewards that lower what is paid, each told once, as positive reductions."""
        if choice.rewards == "told-in-lines":
            return ()
        wanted = (*MONEY_CATEGORIES, *choice.categories)
        told = [
            (line, line.part)
            for line in lines
            if isinstance(line.part, wire.Reward)
            and line.part.category in wanted
            and line.part.amount
        ]
        summary = choice.rewards.startswith("summary")
        only = choice.rewards.endswith("-only")
        have = {part.source for _, part in told if (part.summarized if summary else part.detailed)}
        sign = 1 if choice.rewards == "flipped" else -1
        return tuple(
            (line, part, sign * self._coins.minor(part.amount))
            for line, part in told
            if (part.summarized if summary else part.detailed) or not (only or part.source in have)
        )

    def _taxes(self, choice: Choice) -> tuple[tuple[wire.Tax, int], ...]:
        """Signed taxes of the receipt under a choice, wherever they are told."""
        found: list[tuple[wire.Tax, int]] = []
        if choice.tax_source in ("lines", "both"):
            found += [each for goods in self.goods(choice.void) for each in goods.taxes]
        if choice.tax_source in ("receipt", "both"):
            for line in self.counting(choice.void):
                if isinstance(line.part, wire.Tax) and line.part.amount is not None:
                    found.append((line.part, self._own_tax(line.part, choice)))
        if choice.tax_source == "header" and self._totals.tax:
            found.append((HEADER_TAX, choice.header_sign * self._totals.tax))
        if not choice.uncharged:
            found = [(tax, value) for tax, value in found if tax.charged]
        return tuple(found)

    def _own_tax(self, tax: wire.Tax, choice: Choice) -> int:
        value = self._coins.minor(tax.amount or Decimal(0))
        if tax.refund and value > 0:
            return -value
        return choice.tax_sign * value if value > 0 else value


HEADER_TAX = wire.Tax(
    name="total",
    authority="",
    amount=None,
    taxable=None,
    percent=None,
    included=None,
    rough=False,
    refund=False,
    charged=True,
)


def goods_of(
    line: wire.Line, part: wire.Merchandise, coins: Coins, *, literal: bool = False
) -> Goods:
    """A merchandise line in signed minor units. A positive amount of a Return, or of a negative
    quantity, is money given back; a negative amount is one as it stands. literal: a flagged line
    counts exactly as written.
    """
    told = _extended(part, coins)
    back = part.element in _RETURNS or part.item_type in _RETURNS or part.quantity < 0
    amount = -told if back and told > 0 and not (literal and line.voided) else told
    sign = -1 if amount < 0 or (amount == 0 and back) else 1
    discount = sign * _discount(part, coins)
    return Goods(
        line=line,
        part=part,
        quantity=sign * abs(part.quantity),
        amount=amount,
        discount=discount,
        before=_before(part, abs(amount), abs(discount), coins),
        taxes=tuple(
            (tax, coins.minor(tax.amount) * (sign if tax.amount > 0 else 1))
            for tax in part.taxes
            if tax.amount is not None
        ),
    )


def _extended(part: wire.Merchandise, coins: Coins) -> int:
    if part.extended is not None:
        return coins.minor(part.extended)
    price = part.actual if part.actual is not None else part.regular
    if price is None:
        raise WireError(f"{part.element} of {part.item or part.description!r} tells no amount")
    return coins.product(price, part.quantity)


def _discount(part: wire.Merchandise, coins: Coins) -> int:
    """Discount told for the line: as one amount, else as the sum of its price modifiers."""
    if part.discount:
        return abs(coins.minor(part.discount))
    return sum(coins.minor(each.amount) for each in part.modifiers)


def _before(part: wire.Merchandise, amount: int, discount: int, coins: Coins) -> bool | None:
    """Whether list price times quantity shows that the amount is before or after discount."""
    if not discount or part.regular is None or part.extended is None:
        return None
    full = coins.product(part.regular, abs(part.quantity))
    if amount == full:
        return True
    return False if amount == full - discount else None


def paid(goods: Goods, choice: Choice) -> int:
    """What a line adds to the receipt, less its own discount."""
    return goods.amount - goods.discount if is_before(goods, choice) else goods.amount


def is_before(goods: Goods, choice: Choice) -> bool:
    """Whether the line's amount is told before its discount."""
    if choice.before in ("after", "before"):
        return choice.before == "before"
    if goods.before is not None:
        return goods.before
    return choice.before == "shown-or-before"


def is_included(tax: wire.Tax, choice: Choice) -> bool:
    """Whether the prices hold the tax already."""
    if choice.inclusion == "told":
        return bool(tax.included)
    return choice.inclusion == "included"


def _told(parts: list[wire.Part]) -> list[wire.Tax]:
    """Every tax of the receipt."""
    found = [part for part in parts if isinstance(part, wire.Tax)]
    for part in parts:
        if isinstance(part, wire.Merchandise):
            found += part.taxes
    return found


def _category_answers(parts: list[wire.Part]) -> tuple[tuple[str, ...], ...]:
    """No unknown category of reward is money, unless the totals prove that one is."""
    unknown = {
        part.category
        for part in parts
        if isinstance(part, wire.Reward)
        and part.amount
        and part.category not in MONEY_CATEGORIES
        and part.category not in OTHER_CATEGORIES
    }
    return ((), *((each,) for each in sorted(unknown)[:4]))
