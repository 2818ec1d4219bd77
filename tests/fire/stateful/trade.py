"""What happens at the retailer: the rules of the machine, by who sells."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.fire.stateful.machine import (
    Teller,
    choices,
    far_future,
    late,
    number_of,
    pieces_,
    places,
    prices,
    products,
)
from tests.fire.stateful.tellings import back_at_till, sold_at_till, voided
from tests.fire.stateful.world import STORE, WAREHOUSE, Bag, Line, Order
from tillbridge.app.worker import chores


def _web(order: Order) -> bool:
    return order.key.startswith("order/web/") and not order.cancelled


def _call(order: Order) -> bool:
    return order.key.startswith("order/callcentre/") and not order.cancelled


def _paid(order: Order) -> bool:
    return sum(order.taken.values()) >= order.total


def _can_go(order: Order) -> bool:
    return any(order.left(name) > order.bagged(name, "ready") for name in order.lines)


def _can_come_back(order: Order) -> bool:
    return any(order.gone(name) > order.home[name] for name in order.lines)


def _untouched(order: Order) -> bool:
    return not (order.sent or order.dropped or order.bags)


def _calm(order: Order) -> bool:
    return not order.disputed


class WebShop(Teller):
    """The shop tells by webhooks."""

    @rule(product=products, pieces=pieces_, each=prices, twice=st.booleans(), late=late, other=late,
          paid=st.sampled_from(["yes", "no", "split"]))  # fmt: skip
    def a_web_order(self, product: str, pieces: int, each: int, paid: str, twice: bool,
                    late: bool, other: bool) -> None:  # fmt: skip
        number = number_of(self.world, "web", 4710)
        at = self.world.now()
        order = Order(
            number, f"order/web/{number}", {f"{number}1": Line(product, pieces, each)}, at, at
        )
        if twice:
            order.lines[f"{number}2"] = Line("P2", 1, 1000)
        self.world.orders[order.key] = order
        more: dict[str, object] = {}
        if paid == "no":
            more["financial_status"] = "pending"
        elif paid == "yes":
            self.world.pay(order, "shop-pay", order.total)
        else:
            more["payment_gateway_names"] = ["gift_card", "shopify_payments"]
            for n, (gateway, tender, amount) in enumerate(
                (
                    ("gift_card", "gift-card", 500),
                    ("shopify_payments", "shop-pay", order.total - 500),
                )
            ):
                self.world.pay(order, tender, amount)
                told = self.out.transaction(order, int(number) * 10 + n, gateway, amount)
                self.tell(order.key, told, late=other)
        self.tell(order.key, self.out.order(order, "orders/create", **more), late=late)

    @rule(choice=choices, late=late)
    def a_web_order_is_paid(self, choice: int, late: bool) -> None:
        order = self.pick(choice, _web, lambda o: not o.taken)
        if order is not None:
            order.at = self.world.now()
            self.world.pay(order, "shop-pay", order.total)
            self.tell(order.key, self.out.order(order, "orders/paid"), late=late)

    @rule(choice=choices, product=products, each=prices, late=late)
    def a_line_is_added_on_the_web(self, choice: int, product: str, each: int, late: bool) -> None:
        order = self.pick(choice, _web, _paid, lambda o: "gift-card" not in o.taken)
        if order is not None and len(order.lines) < 4:
            order.lines[f"{order.number}{len(order.lines) + 1}"] = Line(product, 1, each)
            order.at = self.world.now()
            self.world.pay(order, "shop-pay", order.total - sum(order.taken.values()))
            self.tell(order.key, self.out.order(order), late=late)

    @rule(choice=choices, place=places, pieces=pieces_, late=late)
    def a_web_parcel_leaves(self, choice: int, place: str, pieces: int, late: bool) -> None:
        order = self.pick(choice, _web, _can_go)
        if order is not None:
            at = self.world.now()
            inside = self._packed(order, place, pieces)
            if inside:
                parcel = self.world.number("parcel")
                self.tell(order.key, self.out.parcel(order, parcel, place, inside, at), late=late)

    def _packed(self, order: Order, place: str, pieces: int) -> dict[str, int]:
        """What of an order leaves a place that has it."""
        inside: dict[str, int] = {}
        for name, one in order.lines.items():
            free = order.left(name) - order.bagged(name, "ready")
            n = min(pieces, free, self.world.stock[place, one.product])
            if n > 0:
                inside[name] = n
                self.world.ship(order, name, place, n)
        return inside

    @rule(choice=choices, late=late)
    def a_piece_is_cancelled_on_the_web(self, choice: int, late: bool) -> None:
        order = self.pick(choice, _web, _paid, _can_go)
        if order is None:
            return
        name = next(n for n in order.lines if order.left(n) > 0)
        back = order.lines[name].gross
        if order.taken["shop-pay"] - order.given["shop-pay"] >= back:
            order.dropped[name] += 1
            self.world.pay(order, "shop-pay", -back)
            self._refund(order, {name: (1, "cancel", "")}, back, late=late)

    def _refund(
        self, order: Order, lines: dict[str, tuple[int, str, str]], paid: int, *, late: bool
    ) -> None:
        number = self.world.number("refund")
        told = self.out.refund(order, number, lines, paid, self.world.now())
        self.tell(order.key, told, late=late)

    @rule(choice=choices, late=late, other=late)
    def a_web_order_is_cancelled(self, choice: int, late: bool, other: bool) -> None:
        order = self.pick(choice, _web, _untouched, lambda o: "gift-card" not in o.taken)
        if order is None:
            return
        order.cancelled, order.at = True, self.world.now()
        paid = order.money
        more: dict[str, object] = {"cancelled_at": f"{order.at:%Y-%m-%dT%H:%M:%SZ}"}
        if not paid:
            more["financial_status"] = "pending"
        self.tell(order.key, self.out.order(order, "orders/cancelled", **more), late=late)
        if paid:
            self.world.pay(order, "shop-pay", -paid)
            whole = {name: (one.pieces, "cancel", "") for name, one in order.lines.items()}
            self._refund(order, whole, paid, late=other)

    @rule(
        choice=choices, place=places, restock=st.sampled_from(("return", "no_restock")), late=late
    )
    def a_web_piece_comes_back(self, choice: int, place: str, restock: str, late: bool) -> None:
        order = self.pick(choice, _web, _paid, _can_come_back)
        name = self._comes_back(order)
        if order is not None and name:
            condition = "sellable" if restock == "return" else ""
            self.world.now()
            self.world.take_back(order, name, 1, place, condition)
            back = self.world.credit(order, name, 1)
            self.world.pay(order, "shop-pay", -back)
            self._refund(order, {name: (1, restock, place)}, back, late=late)

    def _comes_back(self, order: Order | None) -> str:
        """A line with a piece out there that its buyer can be paid back for by card."""
        if order is None:
            return ""
        name = next(n for n in order.lines if order.gone(n) > order.home[n])
        there = order.taken["shop-pay"] - order.given["shop-pay"]
        return name if there >= order.lines[name].gross else ""

    @rule(choice=choices, fate=st.sampled_from(("restock", "damaged", "write_off")), late=late,
          other=late, third=late)  # fmt: skip
    def a_web_piece_is_looked_at(self, choice: int, fate: str, late: bool, other: bool,
                                 third: bool) -> None:  # fmt: skip
        order = self.pick(choice, _web, _paid, _can_come_back)
        name = self._comes_back(order)
        if order is None or not name:
            return
        conditions = {"restock": "sellable", "damaged": "damaged", "write_off": ""}
        self.world.take_back(order, name, 1, WAREHOUSE, conditions[fate])
        rma = f"R-{self.world.number('rma')}"
        for state, lines, when in (
            ("received", [(name, 1, "")], late),
            ("inspected", [(name, 1, fate)], other),
        ):
            told = self.out.came_back(order, rma, state, WAREHOUSE, self.world.now(), lines)
            self.tell(order.key, told, late=when)
        back = self.world.credit(order, name, 1)
        self.world.pay(order, "shop-pay", -back)
        restock = "return" if fate == "restock" else "no_restock"
        self._refund(order, {name: (1, restock, WAREHOUSE)}, back, late=third)


class CallCentre(Teller):
    """The call centre tells over the API."""

    @rule(product=products, pieces=pieces_, each=prices, collect=st.booleans(), late=late)
    def a_call(self, product: str, pieces: int, each: int, collect: bool, late: bool) -> None:
        number, at = number_of(self.world, "call"), self.world.now()
        key = f"order/callcentre/C-{number}"
        order = Order(f"C-{number}", key, {"1": Line(product, pieces, each)}, at, at, collect)
        self.world.orders[key] = order
        self.tell(key, self.out.call(order), late=late)

    @rule(choice=choices, each=prices, product=products, late=late,
          what=st.sampled_from(["price", "more", "less", "line", "gone", "address"]))  # fmt: skip
    def a_call_is_edited(self, choice: int, what: str, each: int, product: str, late: bool) -> None:
        order = self.pick(choice, _call)
        if order is None:
            return
        order.at, order.edits = self.world.now(), order.edits + 1
        name = sorted(order.lines)[choice % len(order.lines)]
        one = order.lines[name]
        bound = order.gone(name) + order.bagged(name, "ready", "expired")
        if what == "price":
            one.each = each
        elif what == "more":
            one.pieces += 1
        elif what == "less" and one.pieces > max(bound, 1):
            one.pieces -= 1
        elif what == "gone" and not bound and len(order.lines) > 1 and order.edits:
            del order.lines[name]
        elif what == "line" and len(order.lines) < 4:
            order.lines[str(10 + self.world.number("line"))] = Line(product, 1, each)
        self.tell(order.key, self.out.call(order), late=late)

    @rule(choice=choices, part=st.booleans(), late=late)
    def a_call_is_paid(self, choice: int, part: bool, late: bool) -> None:
        order = self.pick(choice, _call, _calm, lambda o: o.money < o.total)
        if order is not None:
            amount = max((order.total - order.money) // (2 if part else 1), 1)
            self.world.pay(order, "card", amount)
            name = f"c-{self.world.number('payment')}"
            told = self.out.payment(order, "captured", name, amount, self.world.now())
            self.tell(order.key, told, late=late)

    @rule(choice=choices, late=late)
    def a_call_is_given_money_back(self, choice: int, late: bool) -> None:
        order = self.pick(choice, _call, _calm, lambda o: o.money > o.total)
        if order is not None:
            amount = min(order.money - order.total, order.taken["card"] - order.given["card"])
            self._give_back(order, "card", amount, late=late)

    def _give_back(
        self, order: Order, tender: str, amount: int, *, late: bool, card: str = ""
    ) -> None:
        if amount > 0:
            self.world.pay(order, tender, -amount, card)
            name, at = f"r-{self.world.number('payment')}", self.world.now()
            more = {"tender": tender, **({"card": card} if card else {})}
            told = self.out.payment(order, "refunded", name, amount, at, **more)
            self.tell(order.key, told, late=late)

    @rule(choice=choices, late=late, other=late)
    def a_call_is_cancelled(self, choice: int, late: bool, other: bool) -> None:
        order = self.pick(choice, _call, _calm, _untouched)
        if order is not None:
            order.cancelled, order.at = True, self.world.now()
            self.tell(order.key, self.out.call(order), late=late)
            self._give_back(order, "card", order.taken["card"] - order.given["card"], late=other)

    @rule(choice=choices, place=places, pieces=pieces_, late=late)
    def a_parcel_leaves(self, choice: int, place: str, pieces: int, late: bool) -> None:
        order = self.pick(choice, _call, _can_go, lambda o: not o.collect)
        if order is None:
            return
        name = next(n for n in order.lines if order.left(n) > 0)
        n = min(pieces, order.left(name), self.world.stock[place, order.lines[name].product])
        if n > 0:
            self.catch_up(order.key)
            at = self.world.now()
            self.world.ship(order, name, place, n)
            parcel = f"p-{self.world.number('parcel')}"
            self.tell(
                order.key, self.out.bag(order, parcel, "shipped", place, {name: n}, at), late=late
            )

    @rule(choice=choices, late=late)
    def a_bag_is_ready(self, choice: int, late: bool) -> None:
        order = self.pick(choice, _call, _can_go, lambda o: o.collect)
        if order is None:
            return
        name = next(n for n in order.lines if order.left(n) > order.bagged(n, "ready"))
        n = order.left(name) - order.bagged(name, "ready")
        self.catch_up(order.key)
        bag = f"b-{self.world.number('parcel')}"
        order.bags[bag] = Bag(name, n)
        told = self.out.bag(order, bag, "ready", STORE, {name: n}, self.world.now())
        self.tell(order.key, told, late=late)

    @rule(choice=choices, late=late)
    def a_bag_is_collected(self, choice: int, late: bool) -> None:
        order = self.pick(
            choice, _call, lambda o: any(b.state != "collected" for b in o.bags.values())
        )
        if order is None:
            return
        name, bag = next((n, b) for n, b in order.bags.items() if b.state != "collected")
        product = order.lines[bag.line].product
        if self.world.stock[STORE, product] >= bag.pieces:
            bag.state = "collected"
            self.world.ship(order, bag.line, STORE, bag.pieces)
            told = self.out.bag(
                order, name, "collected", STORE, {bag.line: bag.pieces}, self.world.now()
            )
            self.tell(order.key, told, late=late)

    @rule()
    def nobody_came_in_time(self) -> None:
        self.all_is_told()
        chores(self.shop.hub)["pickups"](self.shop.connection, far_future())
        self.shop.connection.commit()
        for order in self.world.orders.values():
            for bag in order.bags.values():
                bag.state = "expired" if bag.state == "ready" else bag.state
        self.shop.flow()

    @rule(choice=choices, place=places)
    def a_place_does_not_find_it(self, choice: int, place: str) -> None:
        order = self.pick(choice, _call, _can_go)
        if order is None:
            return
        self.catch_up(order.key)
        name = next(n for n in order.lines if order.left(n) > 0)
        product = order.lines[name].product
        ((held,),) = self.shop.rows(
            "select coalesce(sum(quantity), 0) / 1000 from reservation"
            " where key = %s and line = %s and location = %s", order.key, name, place,
        )  # fmt: skip
        n = min(int(held), self.world.stock[place, product])
        if n > 0:
            self.tell(order.key, self.out.missed(order, place, name, n, self.world.now()))
            self.world.stock[place, product] -= n
            self.shop.flow()

    @rule(choice=choices, late=late)
    def a_payment_is_disputed(self, choice: int, late: bool) -> None:
        order = self.pick(choice, _call, _calm, lambda o: bool(o.taken["card"]) and not o.given)
        if order is not None:
            order.disputed = True
            amount = order.taken["card"]
            for account, sign in (("clearing/card", -1), ("disputes", 1)):
                self.world.ledger[account] += sign * amount
            self.world.ledger["clearing/card"] -= 1500
            self.world.ledger["fees/card"] += 1500
            name = f"dp-{order.number}"
            told = self.out.payment(order, "disputed", name, amount, self.world.now(), fee="15.00")
            self.tell(order.key, told, late=late)

    @rule(choice=choices, won=st.booleans(), late=late)
    def a_dispute_is_decided(self, choice: int, won: bool, late: bool) -> None:
        order = self.pick(choice, _call, lambda o: o.disputed and not o.given)
        name = f"dp-{order.number}" if order is not None else ""
        if order is not None and self.world.numbers[name] == 0:
            self.world.number(name)
            amount = order.taken["card"]
            self.world.ledger["disputes"] -= amount
            self.world.ledger["clearing/card" if won else "chargeback-losses"] += amount
            kind = "dispute_won" if won else "dispute_lost"
            self.tell(
                order.key, self.out.payment(order, kind, name, 0, self.world.now()), late=late
            )

    @rule(amount=st.sampled_from((1000, 5000)), late=late)
    def a_card_is_given(self, amount: int, late: bool) -> None:
        n = self.world.number("card")
        card = f"G-{n}"
        self.world.cards[card] += amount
        self.world.ledger["card-promotions"] += amount
        self.world.ledger["gift-card-liability"] -= amount
        told = self.out.card(f"I-{n}", "ISSUE", card, amount, self.world.now())
        self.tell(card, told, late=late)

    @rule(choice=choices, late=late, ledger=st.booleans(), other=late)
    def a_call_is_paid_by_card(self, choice: int, late: bool, ledger: bool, other: bool) -> None:
        order = self.pick(choice, _call, _calm, lambda o: o.money < o.total)
        card = next((name for name, left in self.world.cards.items() if left > 0), "")
        if order is None or not card:
            return
        amount = min(self.world.cards[card], order.total - order.money)
        self.world.pay(order, "gift-card", amount, card)
        n, at = self.world.number("payment"), self.world.now()
        told = self.out.payment(
            order, "captured", f"g-{n}", amount, at, tender="gift-card", card=card
        )
        self.tell(order.key, told, late=late)
        if ledger:
            again = self.out.card(f"R-{n}", "REDEEM", card, amount, at, order.key)
            self.tell(order.key, again, late=other)


class Places(Teller):
    """Tills, counts and transfers tell by files."""

    @rule(product=products, pieces=pieces_, each=prices, late=late, back=st.booleans(),
          kind=st.sampled_from(["Cash", "CreditDebit"]))  # fmt: skip
    def a_till_sells(self, product: str, pieces: int, each: int, kind: str, late: bool,
                     back: bool) -> None:  # fmt: skip
        n = -1 if back else min(pieces, self.world.stock[STORE, product])
        number = self.world.number("till")
        if n == 0 or number > 58:
            return
        kind = "Cash" if back else kind
        at = self.world.now()
        self.world.ring(product, n, each, _till_account(kind))
        self.tell(
            "till", self.out.till(sold_at_till(number, at, product, n, each, kind)), late=late
        )

    @rule(choice=choices, late=late)
    def a_web_piece_comes_back_to_a_till(self, choice: int, late: bool) -> None:
        order = self.pick(choice, _web, _paid, _can_come_back)
        number = self.world.number("till")
        if order is None or number > 58:
            return
        name = next(n for n in order.lines if order.gone(n) > order.home[n])
        one, at = order.lines[name], self.world.now()
        order.home[name] += 1
        self.world.ring(one.product, -1, one.each, _till_account("Cash"))
        self.tell("till", self.out.till(back_at_till(number, at, order, name, 1)), late=late)

    @rule(product=products, each=prices, late=late, other=late)
    def a_receipt_is_voided(self, product: str, each: int, late: bool, other: bool) -> None:
        number, end = self.world.number("till"), self.world.number("till")
        if end > 58 or not self.world.stock[STORE, product]:
            return
        at = self.world.now()
        sale = sold_at_till(number, at, product, 1, each, "Cash")
        self.tell("till", self.out.till(sale), late=late)
        self.tell("till", self.out.till(voided(end, self.world.now(), number)), late=other)

    @rule(place=places, product=products, off=st.integers(-2, 2), late=late)
    def a_shelf_is_counted(self, place: str, product: str, off: int, late: bool) -> None:
        found = max(self.world.stock[place, product] + off, 0)
        self.world.stock[place, product] = found
        self.tell("stock", self.out.counted(place, product, found, self.world.now()), late=late)

    @rule(product=products, pieces=pieces_, late=late, other=late)
    def goods_are_transferred(self, product: str, pieces: int, late: bool, other: bool) -> None:
        n = min(pieces, self.world.stock[WAREHOUSE, product])
        if n > 0:
            load = f"T-{self.world.number('load')}"
            self.world.stock[WAREHOUSE, product] -= n
            self.tell(
                "stock", self.out.moved("sent", load, product, n, self.world.now()), late=late
            )
            self.world.stock[STORE, product] += n
            self.tell(
                "stock", self.out.moved("came", load, product, n, self.world.now()), late=other
            )


def _till_account(kind: str) -> str:
    return "till/store-nyc/cash" if kind == "Cash" else "clearing/card"


class WholeRetailer(WebShop, CallCentre, Places):
    """All of it at once."""
