"""Nobody was promised what is not there, and nobody was sent away while it was there.

The load processes say what they were told; the rows of the stock book say what is held. Nothing
here asks the code that decides.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

import msgspec
from psycopg import Connection

from tests.fire.flash_sale import stores
from tests.fire.flash_sale.plan import HOT, Plan
from tests.fire.flash_sale.scene import CONNECTION
from tests.fire.flash_sale.watch import Look
from tests.fire.flash_sale.witness import Cart

AROUND_SECONDS = 0.5
"""How long before and after a refusal something must have been free to call it wrong."""
GAP_SECONDS = 0.25
"""Between two looks; a busy machine that leaves longer gaps may have hidden that nothing was."""
_PLACES = """
select s.location, s.on_hand / 1000, s.reserved / 1000,
  (select coalesce(sum(r.quantity), 0)::bigint / 1000 from reservation r
   where r.location = s.location and r.product = s.product)
from stock s where s.product = %b and s.condition = 'sellable'
"""
_HELD = """
select key, sum(quantity)::bigint / 1000 from reservation where product = %b group by key
"""
_SHORT = "select distinct key from record where type = 'StockShort' and key = any(%b::text[])"


class Sold(msgspec.Struct, kw_only=True):
    """The end of the sale, in pieces of the product on sale.

    opening: in the morning, everywhere. offered: of these, where the shop sells from. at_tills: of
    them, what stores sold and told late. ordered: orders acknowledged; held: of them with stock;
    short: told so because a till had sold the piece. sent_away: buyers. left: of what was offered
    and nobody holds.
    """

    opening: int = 0
    offered: int = 0
    at_tills: int = 0
    ordered: int = 0
    held: int = 0
    short: int = 0
    sent_away: int = 0
    left: int = 0
    wrong: list[str] = []


def key_of(number: str) -> str:
    """The key of an order of the shop."""
    return f"order/{CONNECTION}/{number}"


def count(connection: Connection, plan: Plan, carts: Sequence[Cart], looks: Sequence[Look]) -> Sold:
    """Everything at rest: no cart lives any more, every order is answered."""
    shelf = set(stores.places(plan))
    at_tills = sum(sale.pieces for sale in stores.sales(plan) if sale.store in shelf)
    offered = plan.pieces + plan.shelves
    sold = Sold(
        opening=offered + (plan.stores - plan.shelves) * stores.SHELF_PIECES,
        offered=offered,
        at_tills=at_tills,
    )
    wanted = [cart for cart in carts if cart.product == HOT.code]
    sent = {key_of(cart.order) for cart in wanted if cart.order}
    keys = {key_of(cart.order) for cart in wanted if cart.taken}
    held: dict[str, int] = dict(connection.execute(_HELD.encode(), (HOT.code,)).fetchall())
    short = {key for (key,) in connection.execute(_SHORT.encode(), (sorted(keys),)).fetchall()}
    sold.ordered, sold.held = len(keys), sum(int(pieces) for pieces in held.values())
    sold.short = len(keys & short - held.keys())
    sold.sent_away = sum(cart.fate == "sold out" for cart in wanted)
    places = connection.execute(_PLACES.encode(), (HOT.code,)).fetchall()
    sold.left = sum(max(0, here - taken) for at, here, taken, _ in places if at in shelf)
    if sold.left and sold.sent_away:
        sold.wrong.append(f"{sold.left} pieces are left, and the last buyer was sent away")
    sold.wrong += _oversold(sold, places)
    sold.wrong += _unequal(sent, keys, held, short)
    sold.wrong += undersold(wanted, looks)
    return sold


def _oversold(sold: Sold, places: Sequence[tuple[str, int, int, int]]) -> list[str]:
    wrong = [f"{at}: {rows} held of {here}" for at, here, _, rows in places if rows > max(here, 0)]
    wrong += [f"{at}: {r} reserved, rows say {rows}" for at, _, r, rows in places if r != rows]
    if sold.held > sold.offered - sold.at_tills:
        most = f"{sold.offered} offered, {sold.at_tills} sold at tills"
        wrong.append(f"{sold.held} pieces are held: {most}")
    return wrong


def _unequal(sent: set[str], keys: set[str], held: dict[str, int], short: set[str]) -> list[str]:
    """Each acknowledged order holds its one piece or was told that it is short."""
    wrong = [f"{key} holds nothing and was not told so" for key in keys - held.keys() - short]
    wrong += [f"{key} holds a piece nobody ordered" for key in held.keys() - sent]
    wrong += [f"{key} holds {held[key]} pieces" for key in keys & held.keys() if held[key] != 1]
    return sorted(wrong)


def undersold(wanted: Sequence[Cart], looks: Sequence[Look]) -> list[str]:
    """Buyers who were sent away although pieces were free all the while around their asking.

    Only where the looks are close enough together to say so.
    """
    times = [look.at for look in looks]
    wrong = []
    for cart in wanted:
        if cart.fate != "sold out":
            continue
        first = bisect_left(times, cart.asked - AROUND_SECONDS)
        last = bisect_right(times, cart.answered + AROUND_SECONDS)
        seen = looks[max(0, first - 1) : last + 1]
        gap = max((two.at - one.at for one, two in pairwise(seen)), default=GAP_SECONDS)
        free = min((look.left + look.overdue for look in looks[first:last]), default=0)
        if free > 0 and gap < GAP_SECONDS:
            wrong.append(f"sent away at {cart.asked:.1f} s while {free} were free")
    return wrong
