"""Seeded bugs of money, stock and the state machines."""

from __future__ import annotations

from tests.fire.mutants.bug import Bug, Edit, one

MONEY = (
    one(
        "float money",
        "atoms/money.py",
        "    return value.scaleb(exponent(currency))\n",
        "    return Decimal(int(float(value) * 10 ** exponent(currency)))\n",
        "atoms/test_money.py::test_amounts_of_the_wire",
        "atoms/test_money.py::test_an_amount_survives_its_text",
    ),
    one(
        "a split that loses the last cent",
        "atoms/money.py",
        "        for i in order[:left]:\n",
        "        for i in order[: left - 1]:\n",
        "atoms/test_money.py::test_a_split_loses_no_cent_and_is_fair",
    ),
    one(
        "money of two currencies added",
        "atoms/money.py",
        "        if (self.currency, self.role) != (other.currency, other.role):\n",
        "        if self.role != other.role:\n",
        "atoms/test_money.py::test_money_of_another_currency_or_role_is_never_added",
    ),
    one(
        "a fact told twice booked twice",
        "posting/money/room.py",
        "            if known == hashed:\n"
        "                return DONE\n"
        "            raise _changed(fact)\n"
        "        if isinstance(fact, SaleVoided):\n",
        "            pass\n        if isinstance(fact, SaleVoided):\n",
        "posting/test_money_room.py::test_a_fact_told_twice_is_booked_once",
    ),
    one(
        "an entry with a lost side accepted by the database",
        "durable/migrations/0010_money_book.sql",
        "  where l.total <> 0 or l.first <> 1 or l.last <> l.lines\n",
        "  where l.first <> 1 or l.last <> l.lines\n",
        "posting/test_money_room.py::test_an_entry_that_does_not_balance_is_refused",
    ),
    Bug(
        "a month locked under a posting",
        (
            Edit(
                "durable/migrations/0050_closing_months.sql",
                "  perform pg_advisory_xact_lock_shared(66);\n",
                "",
            ),
            Edit(
                "posting/money/room.sql",
                "select pg_advisory_xact_lock_shared(66)\n",
                "select pg_advisory_xact_lock_shared(67)\n",
            ),
        ),
        ("posting/test_money_room.py::test_a_month_is_not_locked_under_a_posting",),
    ),
    one(
        "a late fact posted into a locked month",
        "posting/money/periods.py",
        "        if (entity, period_of(found)) not in closed:\n",
        "        if True:\n",
        "posting/test_money_room.py::test_a_late_fact_is_posted_in_the_next_open_month",
    ),
    one(
        "a key admitted to nothing posted into a soft-closed month",
        "posting/money/room.py",
        "        if fact.key in self._admitted:\n",
        "        if self._soft:\n            return fact.business_date\n"
        "        if fact.key in self._admitted:\n",
        "reconciliation/test_close.py::test_a_soft_closed_month_takes_only_keys_that_were_admitted",
    ),
    one(
        "a month locked while something blocks it",
        "reconciliation/close/closing.py",
        "    if found:\n",
        "    if len(found) > 1:\n",
        "reconciliation/test_close.py::test_a_blocked_month_is_neither_soft_closed_nor_locked",
    ),
    one(
        "an entry of an evidence file that does not balance overlooked",
        "watch/evidence/proof.py",
        "        if sum(line[2] for line in row.lines):\n",
        "        if not row.lines:\n",
        "watch/test_evidence.py::test_an_entry_that_does_not_balance_is_named",
    ),
    one(
        "a journal that is otherwise at the ERP taken for the same",
        "reconciliation/ledger/tie.py",
        "    return mine == others\n",
        "    return mine.keys() == others.keys()\n",
        "reconciliation/test_ledger_tie.py::test_what_was_altered_added_or_doubled_there_is_opened",
    ),
    one(
        "a fact told twice compared twice",
        "posting/money/differences.sql",
        "  group by r.lane, r.key, r.type, j.body ->> 'id'\n",
        "  group by r.lane, r.id, j.body ->> 'id'\n",
        "posting/test_money_differences.py::test_what_a_void_took_back_is_named_and_not_summed",
    ),
    one(
        "the cents of a share lost",
        "watch/margin.py",
        "            shares = split(line.amount, [weights[name] for name in names])\n",
        "            shares = [line.amount // len(names) for _ in names]\n",
        "watch/test_margin.py::test_no_cent_is_lost_whatever_is_shared_out",
    ),
    one(
        "a void that comes before its sale forgotten",
        "orchestration/sales/decide.py",
        "        state.pending_void = body\n        return False, ()\n",
        "        return False, ()\n",
        "orchestration/test_sales.py"
        "::test_a_sale_and_its_void_are_booked_once_in_whatever_order_they_come",
    ),
    one(
        "a journal row summed up after it was taken",
        "publishing/journals.sql",
        "  delete from journal_pending\n"
        "  where (entity, flow, place, day, currency) = (%b, %b, %b, %b, %b)\n",
        "  delete from journal_pending\n"
        "  where (entity, flow, place, day, currency) = (%b, %b, %b, %b, %b)\n"
        "    and at < now() - interval '1 hour'\n",
        "publishing/test_journals.py::test_a_days_entries_are_one_balanced_journal_per_place",
    ),
)

ORDERS = (
    one(
        "an older version of an order replaces the newer",
        "orchestration/orders/evolve.py",
        "        return told.version > known.version\n",
        "        return True\n",
        "orchestration/test_order_arrival.py"
        "::test_any_order_of_arrival_and_any_duplication_ends_the_same",
    ),
    one(
        "refunded beyond captured",
        "orchestration/orders/decide.py",
        "        target[tender] = min(amount, left)\n",
        "        target[tender] = amount\n",
        "orchestration/test_orders.py"
        "::test_more_given_back_than_paid_is_noticed_and_booked_only_when_its_payment_is_told",
    ),
    one(
        "a payment told again with another amount overwrites the first",
        "orchestration/orders/payments.py",
        "    if known is None:\n"
        "        table[told.reference] = (told.tender, told.amount, told.currency)\n",
        "    if known is None or known[1] != told.amount:\n"
        "        table[told.reference] = (told.tender, told.amount, told.currency)\n",
        "orchestration/test_orders.py"
        "::test_a_payment_told_with_another_amount_is_a_case_and_changes_nothing",
    ),
    one(
        "a till transaction with other content taken as a second sale",
        "orchestration/sales/decide.py",
        "        if state.fact_hash == digest:\n            return False, ()\n",
        "        if state.fact_hash:\n            return False, ()\n",
        "orchestration/test_sales.py"
        "::test_a_sale_told_with_other_content_needs_a_decision_and_leaves_the_first",
    ),
)

STOCK = (
    one(
        "naive reserve",
        "posting/stock/levels.sql",
        "order by location, product, condition\nfor no key update\n",
        "order by location, product, condition\n",
        "posting/test_stock_desk.py::"
        "test_buyers_at_the_desk_and_orders_of_the_flow_never_get_the_same_piece",
    ),
    one(
        "two lines of one product checked apart",
        "posting/stock/reserve.py",
        "        demand[line.product] = demand.get(line.product, 0) + line.quantity\n",
        "        demand[line.product] = line.quantity\n",
        "posting/test_stock_reserve.py::test_two_lines_of_one_product_are_summed",
    ),
    one(
        "an older count overrides the newer",
        "posting/stock/counts.py",
        "            if at < counted:\n                return (_old(body, counted),)\n",
        "",
        "posting/test_stock_counts.py::test_a_snapshot_older_than_one_booked_is_one_case_of_its_place",
    ),
    one(
        "what a count saw already is taken away again",
        "posting/stock/movements.py",
        "counted is not None and at < counted:",
        "counted is not None and at > counted:",
        "posting/test_stock_counts.py::test_what_was_counted_already_is_booked_and_taken_back",
    ),
    one(
        "a count is compared with the book of now",
        "posting/stock/movements.sql",
        "select x.n, coalesce(sum(m.quantity), 0)::bigint\n",
        "select x.n, 0::bigint\n",
        "posting/test_stock_counts.py::test_a_difference_is_to_the_book_as_it_was_when_they_counted",
    ),
    one(
        "a case of goods is a piece",
        "posting/stock/items.py",
        "divmod(quantity * pack, SCALE)",
        "divmod(quantity * SCALE, SCALE)",
        "posting/test_stock_items.py::test_a_pack_is_so_many_of_the_base_unit",
    ),
    one(
        "what never arrived is forgotten",
        "posting/stock/transfers.py",
        "            return (_differs(key, differing),), ()\n",
        "            return (), ()\n",
        "posting/test_stock_transfers.py::test_what_never_arrived_is_a_case_and_stays_in_transit",
    ),
    one(
        "a movement told again moves again",
        "posting/stock/room.py",
        "        if self._movements.is_booked(body.id):\n            return DONE\n",
        "",
        "posting/test_stock_book.py::test_a_movement_told_again_moves_nothing",
    ),
    one(
        "goods that leave stay promised",
        "posting/stock/room.py",
        "        facts = self._shortages.settle(fallen, record.body.occurred_at)\n",
        "        facts = ()\n",
        "posting/test_stock_shortage.py"
        "::test_a_late_sale_moves_the_newest_order_to_where_the_goods_are",
    ),
    one(
        "a supply promised twice",
        "posting/stock/promises.py",
        "        return coming - self.promised\n",
        "        return coming\n",
        "posting/test_stock_supply.py::test_no_more_is_promised_than_will_come",
    ),
    one(
        "a place that failed an order is asked again",
        "orchestration/sourcing.py",
        " if place not in failed) if failed else places\n",
        ")\n",
        "orchestration/test_orders_sourced.py"
        "::test_a_place_that_refuses_is_not_asked_again_and_nothing_is_written_off",
    ),
    one(
        "a repeated request reserves again",
        "posting/stock/requests.py",
        "        if body.version <= hold.version:\n",
        "        if body.version < hold.version:\n",
        "posting/test_stock_book.py::test_an_older_or_repeated_request_changes_nothing",
    ),
)
