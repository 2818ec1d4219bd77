"""Returns reserve: what of a month's sales is expected to come back, told to the money book.

At the end of a month the sales that can still be returned are multiplied by the rate of their
channel and department: that much is owed back and was not earned, and, where the hub values stock,
so much of their cost will be on the shelf again (ASC 606-10-55-22 to 29, IFRS 15 B20 to B27). What
came back already is no sale any more. The next month tells the difference to what was told before;
a month that is worked out again tells only what changed, and so do the months after it. Without
tax: that follows each return.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import key_of, lane_of
from tillbridge.atoms.money import split
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.valued import ExpectedReturns, ReturnsExpected
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.orchestration.terms import ALL, PARTS, TermsOfSale, Whom

QUERIES = load(
    "tillbridge.reconciliation",
    "returns_reserve.sql",
    "lock",
    "sold",
    "told",
    "later",
    "closed",
    "write",
)
VERSION = "returns-reserve/1"
"""Name and version of this reckoning, as facts tell it."""
RATES, DAYS = "return_rates", "return_reserve_days"


class Sold(msgspec.Struct, frozen=True):
    """What was booked of a channel on an account in the days that count: minor units, gains
    positive.
    """

    channel: str
    account: str
    amount: int


class Rates(msgspec.Struct, frozen=True):
    """The policy of a channel: department -> parts of PARTS, ALL for the others. days: how long
    before the end of the month was sold what may come back. place: `file:line` that says it.
    """

    rates: Mapping[str, int]
    days: int
    place: str

    def of(self, department: str) -> int:
        """The rate of a department."""
        return self.rates.get(department, self.rates.get(ALL, 0))


class Expected(msgspec.Struct, frozen=True):
    """What is expected back: minor units of refunds, and of cost."""

    refund: int = 0
    cost: int = 0


def expected(rows: Iterable[Sold], rates: Rates) -> dict[str, Expected]:
    """What is expected of one channel, by department. Pure, in no order."""
    sales: dict[str, int] = {}
    costs: dict[str, int] = {}
    discounts = loose = 0
    named = list(rows)
    for row in named:
        head, _, part = row.account.partition("/")
        if head == "sales":
            sales[part] = sales.get(part, 0) + row.amount
    for row in named:
        head, _, part = row.account.partition("/")
        if head == "discounts":
            discounts += row.amount
        elif head == "cost-of-goods" and part in sales:
            costs[part] = costs.get(part, 0) - row.amount
        elif head == "cost-of-goods":
            loose -= row.amount
    departments = sorted(sales)
    if not departments:
        return {}
    weights = [max(sales[name], 0) for name in departments]
    shares = zip(departments, split(discounts, weights), split(loose, weights), strict=True)
    found = {}
    for name, discount, cost in shares:
        rate = rates.of(name)
        one = Expected(
            _part(max(sales[name] + discount, 0), rate),
            _part(max(costs.get(name, 0) + cost, 0), rate),
        )
        if one != Expected():
            found[name] = one
    return found


def _part(amount: int, rate: int) -> int:
    """A share of an amount that is not negative, to the nearest, halves up."""
    return (2 * amount * rate + PARTS) // (2 * PARTS)


def rates_of(sale: TermsOfSale, entity: str, channel: str, day: date) -> Rates | None:
    """The policy as it counts on a day; None where there is none."""
    said = dict(sale.said(Whom(channel, entity, "", "", day)))
    if RATES not in said:
        return None
    rates, place = said[RATES]
    return Rates(rates, said.get(DAYS, (30, ""))[0], place)


def reserve(
    connection: Connection,
    sale: TermsOfSale,
    entity: str,
    currency: str,
    period: str,
    now: datetime,
) -> list[ReturnsExpected]:
    """Tell what is new of a month and of the months worked out after it; gives the facts. The
    caller commits at once. Raises Refused for a month that is not over.
    """
    end = last_day(period)
    if end >= now.date():
        raise Refused(f"{period} is not over; what is expected back is worked out at its end")
    connection.execute(QUERIES.lock)
    later = [row[0] for row in connection.execute(QUERIES.later, (entity, period))]
    facts = []
    for month in (period, *later):
        facts += _month(connection, sale, entity, currency, month, now)
    if facts:
        records = [Record(f.key, "ReturnsExpected", f, lane_of(f.key)) for f in facts]
        log.append(connection, records)
    return facts


def _month(
    connection: Connection,
    sale: TermsOfSale,
    entity: str,
    currency: str,
    period: str,
    now: datetime,
) -> list[ReturnsExpected]:
    """Target of a month less all that was told up to it."""
    end = last_day(period)
    told: dict[str, dict[str, Expected]] = {}
    turns: dict[str, int] = {}
    for channel, department, refund, cost, turn in connection.execute(
        QUERIES.told, (period, entity, period)
    ):
        told.setdefault(channel, {})[department] = Expected(refund, cost)
        turns[channel] = max(turns.get(channel, 0), turn)
    rows = _sold(connection, sale, entity, end)
    facts = []
    for channel in sorted(told.keys() | rows.keys()):
        rates = rates_of(sale, entity, channel, end)
        target = expected(rows.get(channel, ()), rates) if rates else {}
        news = _news(target, told.get(channel, {}), rates)
        if not news:
            continue
        turn = turns.get(channel, 0) + 1
        facts.append(_fact(entity, currency, period, channel, turn, news, rates, now))
        columns = (
            [one.department for one in news],
            [one.refund for one in news],
            [one.cost for one in news],
        )
        connection.execute(QUERIES.write, (entity, period, channel, turn, *columns))
    return facts


def _sold(
    connection: Connection, sale: TermsOfSale, entity: str, end: date
) -> dict[str, Sequence[Sold]]:
    """What was sold by channel, each in the days of its own policy."""
    longest = max((policy.says.get(DAYS, 30) for policy in sale.policies), default=30)
    values = (entity, end - timedelta(days=longest), end)
    found: dict[str, list[Sold]] = {}
    for channel, account, day, amount in connection.execute(QUERIES.sold, values):
        rates = rates_of(sale, entity, channel, end)
        if rates is not None and day > end - timedelta(days=rates.days):
            found.setdefault(channel, []).append(Sold(channel, account, amount))
    return dict(found)


def _news(
    target: Mapping[str, Expected], told: Mapping[str, Expected], rates: Rates | None
) -> tuple[ExpectedReturns, ...]:
    news = []
    for department in sorted(target.keys() | told.keys()):
        now, before = target.get(department, Expected()), told.get(department, Expected())
        if now != before:
            news.append(
                ExpectedReturns(
                    department=department,
                    refund=now.refund - before.refund,
                    cost=now.cost - before.cost,
                    rate_ppm=rates.of(department) if rates else 0,
                )
            )
    return tuple(news)


def _fact(
    entity: str,
    currency: str,
    period: str,
    channel: str,
    turn: int,
    news: tuple[ExpectedReturns, ...],
    rates: Rates | None,
    now: datetime,
) -> ReturnsExpected:
    key = key_of("reserve", entity, channel)
    return ReturnsExpected(
        key=key,
        id=f"{key}/{period}/{turn}",
        source="hub",
        mapping="hub/1",
        occurred_at=now,
        business_date=last_day(period),
        entities=Entities(selling=entity),
        currency=currency,
        channel=channel,
        period=period,
        version=VERSION,
        policy=rates.place if rates else "",
        rows=news,
    )


def last_day(period: str) -> date:
    """The last day of a month, `2026-03`; raises Refused for what is none."""
    try:
        first = date.fromisoformat(f"{period}-01")
    except ValueError:
        raise Refused(f"{period!r} is no month such as 2026-03") from None
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def look_at_reserves(
    sale: TermsOfSale, currencies: Mapping[str, str], connection: Connection, now: datetime
) -> str:
    """What the schedule runs, and says of it: last month, unless it is being closed. The caller
    commits at once.
    """
    if not any(RATES in policy.says for policy in sale.policies):
        return "no policy says what comes back"
    period = f"{now.date().replace(day=1) - timedelta(days=1):%Y-%m}"
    closed = {entity for (entity,) in connection.execute(QUERIES.closed, (period,))}
    told = 0
    for entity, currency in sorted(currencies.items()):
        if entity not in closed:
            told += len(reserve(connection, sale, entity, currency, period, now))
    return f"{period}: {told} channels with news"
