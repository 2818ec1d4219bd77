"""A retailer that does what it likes in any order, and a hub that must agree once all is told.

Every rule lets something happen in the world and has it told now or late. After each, no safety
invariant of `verify` may be broken; whenever the post is empty, stock, books, cards, reservations
and papers must be what the world says, and no case may be left without a ground.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.fire.stateful.tellings import Outside, Telling
from tests.fire.stateful.world import PLACES, PRODUCTS, Order, World
from tests.stories.shop import House

GROUNDED = {
    "stock_short",
    "payment_disputed",
    "pickup_expired",
    "stock_snapshot_old",
    "settled_below_value",
}
"""Cases the world may end with: its own trouble, not the hub's."""
late = st.booleans()
pieces_ = st.integers(1, 3)
products = st.sampled_from(PRODUCTS)
places = st.sampled_from(PLACES)
prices = st.sampled_from((1000, 1250, 2500))
choices = st.integers(0, 63)


class Retailer(RuleBasedStateMachine):
    """The machine without its rules: house, post, checks. `open_house` makes a house."""

    open_house: Callable[[], AbstractContextManager[House]]

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.post: list[tuple[str, Telling]] = []
        self.told: list[Telling] = []
        self._house = type(self).open_house()
        self.shop = self._house.__enter__()
        self.out = Outside(self.shop)

    def teardown(self) -> None:
        """All is told, all papers go out, and what must hold at rest holds."""
        try:
            self.all_is_told()
            assert not self.shop.drain(30.0).moving
            lies = self.shop.lies()
            assert not lies, lies
            self.compare()
        finally:
            self.out.close()
            self._house.__exit__(None, None, None)

    # -- telling --------------------------------------------------------------------------------

    def tell(self, about: str, telling: Telling, *, late: bool = False) -> None:
        """Told now, or put into the post. about: key of what it is about."""
        if late:
            self.post.append((about, telling))
            return
        telling()
        self.told.append(telling)

    def catch_up(self, about: str) -> None:
        """Whatever waits in the post about one thing is delivered first, and carried through."""
        for key, telling in [one for one in self.post if one[0] == about]:
            self.tell(key, telling)
        self.post = [one for one in self.post if one[0] != about]
        self.shop.flow()

    def all_is_told(self) -> None:
        """The post is emptied, newest first."""
        while self.post:
            self.tell(*self.post.pop())
        self.shop.flow()

    def pick(self, choice: int, *wanted: Callable[[Order], bool]) -> Order | None:
        """One of the orders for which all of this holds."""
        found = [o for o in self.world.orders.values() if all(want(o) for want in wanted)]
        return found[choice % len(found)] if found else None

    # -- what must hold -------------------------------------------------------------------------

    @invariant()
    def nothing_is_broken(self) -> None:
        """After every step."""
        lies = self.shop.lies(quiesced=False)
        assert not lies, lies

    def compare(self) -> None:
        """The hub against the world; nothing is in the post."""
        cases = set(self.shop.cases())
        assert cases <= GROUNDED, self.shop.rows("select reason, words from exception_case")
        assert self.shop.balances() == self.world.books()
        self._same_stock()
        self._same_orders()
        for card, balance in self.world.cards.items():
            (held,) = self.shop.rows(
                "select coalesce(-sum(amount), 0)::bigint from entry_line where item = %s",
                f"card/{card}",
            )
            assert held[0] == balance >= 0, card

    def _same_stock(self) -> None:
        rows = self.shop.rows(
            "select location, product, condition, on_hand / 1000 from stock where on_hand <> 0"
        )
        found = {(place, product, state): int(n) for place, product, state, n in rows}
        world = {(*where, "sellable"): n for where, n in self.world.stock.items()}
        world |= dict(self.world.other)
        assert found == {where: n for where, n in world.items() if n}

    def _same_orders(self) -> None:
        reserved: dict[str, Counter[str]] = {}
        for key, name, n in self.shop.rows(
            "select key, line, sum(quantity) / 1000 from reservation group by 1, 2"
        ):
            reserved.setdefault(key, Counter())[name] = int(n)
        status = dict(self.shop.rows("select key, status from order_state"))
        papers = self._papers()
        for key, order in self.world.orders.items():
            wanted = {name: left for name in order.lines if (left := order.left(name)) > 0}
            held = {name: n for name, n in reserved.get(key, Counter()).items() if n}
            assert held == wanted or (not held and self._is_short(key)), (key, status[key])
            credited = order.credited["net"] + order.credited["tax"]
            told = papers.get(key, Counter[str]())
            assert told["invoiced"] == order.earned - credited, key
            assert key not in papers or told["wanted"] == order.kept, key
            assert sum(order.given.values()) <= sum(order.taken.values())
            assert all(order.home[name] <= order.gone(name) for name in order.lines)

    def _is_short(self, key: str) -> bool:
        ((hold,),) = self.shop.rows(
            "select convert_from(body, 'UTF8')::json ->> 'hold' from order_state where key = %s",
            key,
        )
        return str(hold) == "short"

    def _papers(self) -> dict[str, Counter[str]]:
        """By order: invoices less credit notes, and what its sales order says last."""
        found: dict[str, Counter[str]] = {}
        for key, raw in self.shop.rows(
            "select key, body from record where type = 'SubmitDocument' order by id"
        ):
            body = msgspec.json.decode(raw)
            sums, kind = found.setdefault(key, Counter()), body["kind"]
            total = body.get(kind, {}).get("total", 0)
            if kind in ("invoice", "credit_note"):
                sums["invoiced"] += total if kind == "invoice" else -total
            elif kind.startswith("sales_order"):
                sums["wanted"] = total
        return found


class Teller(Retailer):
    """Rules that tell: late, again, in any order."""

    @initialize()
    def opens(self) -> None:
        """The shelves are as the opening count says."""
        self.compare()

    @precondition(lambda self: self.post)
    @rule(choice=choices)
    def something_late_comes(self, choice: int) -> None:
        self.tell(*self.post.pop(choice % len(self.post)))

    @precondition(lambda self: self.told)
    @rule(choice=choices)
    def something_old_comes_again(self, choice: int) -> None:
        self.told[choice % len(self.told)]()

    @rule()
    def the_flow_goes_on(self) -> None:
        self.shop.flow()

    @rule(lost=st.booleans())
    def papers_go_out(self, lost: bool) -> None:
        if lost:
            self.shop.fault("lost", count=1)
        self.shop.drain(5.0)

    @rule()
    def all_is_told_and_compared(self) -> None:
        self.all_is_told()
        self.compare()


def number_of(world: World, kind: str, start: int = 0) -> str:
    """A number that nothing has yet."""
    return str(start + world.number(kind))


def far_future() -> datetime:
    """When every buyer who was to come should have come."""
    return datetime(2026, 6, 1, tzinfo=UTC)
