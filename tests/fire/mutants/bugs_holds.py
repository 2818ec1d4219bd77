"""Seeded bugs of reservations: what would sell twice, hold for nobody, or end what stands."""

from __future__ import annotations

from tests.fire.mutants.bug import one

HOLDS = (
    one(
        "a hold handed out from what was read before the locks",
        "posting/stock/holds.py",
        "        asked = self._levels.ask(places)\n"
        "        while fresh:\n"
        "            found = self._connection.execute(QUERIES.read, (fresh,), binary=True)\n",
        "        asked = None\n"
        "        while fresh:\n"
        "            found = self._connection.execute(QUERIES.read, (fresh,), binary=True)\n"
        "            self._levels.lock(places)\n",
        "posting/test_stock_holds.py"
        "::test_a_hold_that_moved_while_its_rows_were_waited_for_is_seen_where_it_stands",
    ),
    one(
        "a hold confirmed past its time",
        "posting/stock/hold.py",
        "self.expires_at is not None and self.expires_at <= now\n",
        "self.expires_at is not None and self.expires_at <= EPOCH\n",
        "posting/test_stock_desk.py::test_nobody_confirms_a_hold_past_its_time_swept_or_not",
    ),
    one(
        "a hold ended although it was confirmed meanwhile",
        "posting/stock/expiry.py",
        " for key in due if holds[key].is_past(now)]\n",
        " for key in due]\n",
        "posting/test_stock_expiry.py::test_a_hold_confirmed_while_the_sweeper_waits_is_not_ended",
    ),
    one(
        "a release that gives back twice",
        "posting/stock/desk.py",
        "        if hold.ended:\n            return _as_it_is(hold, hold.ended, ok=False)\n",
        "",
        "posting/test_stock_desk.py::test_a_release_gives_back_once",
    ),
    one(
        "a buyer who gets the safety stock of his channel",
        "posting/stock/desk.py",
        "            return level.free - kept\n",
        "            return level.free - min(kept, 0)\n",
        "posting/test_stock_desk.py::test_the_margins_of_the_channel_are_kept_from_a_buyer",
    ),
    one(
        "an order that gets the safety stock of its channel",
        "posting/stock/room.py",
        "level.free) - self._bounds.safety(channel, *place)\n",
        "level.free) - min(self._bounds.safety(channel, *place), 0)\n",
        "fire/oversell/test_oversell.py::test_nothing_is_sold_twice_and_nothing_is_left",
    ),
    one(
        "a buyer at the door who gets the safety stock",
        "posting/stock/activation.py",
        "        return terms.safety_stock + terms.buffer(heard_at, now)\n",
        "        return terms.buffer(heard_at, now)\n",
        "fire/oversell/test_oversell.py::test_nothing_is_sold_twice_and_nothing_is_left",
    ),
    one(
        "a told hold applied once more",
        "posting/stock/holds.py",
        "        if version <= hold.version:\n",
        "        if version < hold.version:\n",
        "posting/test_stock_desk.py::test_the_log_alone_gives_the_same_holds",
    ),
    one(
        "a cart that stays beside its order",
        "posting/stock/requests.py",
        "        if hold.ok and cart is not None and cart.lines:\n",
        "        if hold.ok and cart is not None and cart.ended:\n",
        "posting/test_stock_desk.py::test_a_cart_goes_over_to_its_order_in_one_step",
    ),
    one(
        "a buyer answered by what is on hand, reserved or not",
        "posting/stock/desk.py",
        "            return level.free - kept\n",
        "            return level.on_hand - kept\n",
        "posting/test_stock_desk.py"
        "::test_a_group_is_answered_in_order_of_arrival_and_what_fits_is_sold",
    ),
)
