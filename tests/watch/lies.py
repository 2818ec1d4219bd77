"""What a defect would have to do to the tables to break each invariant, and nothing else.

One row per invariant. Statements are cut at semicolons; `ALSO` names what cannot but break with it.
"""

from __future__ import annotations

_BODY = "convert_from(body, 'UTF8')"
_TWIN = """
        create temp table twin as
        select * from entry where gl = 'documents' and reverses is null order by id limit 1;
        insert into entry_line
        select '00000000-0000-0000-0000-000000000001', l.n, l.account, l.amount, l.txn_amount,
          l.txn_currency, l.item from entry_line l join twin on twin.id = l.entry;
        update twin set id = '00000000-0000-0000-0000-000000000001'"""
_OF_ORDER_1 = "(select id from entry where fact = 'order/web/1/recognise/1')"


def _state(key: str, path: str, value: str) -> str:
    return f"""
        update order_state set body =
          convert_to(jsonb_set({_BODY}::jsonb, '{path}', {value})::text, 'UTF8')
        where key = '{key}'"""


def _request(line: str, quantity: int, end: str = "") -> str:
    lines = f'{{"{line}": {{"line": "{line}", "product": "P1", "quantity": {quantity}}}}}'
    return (
        f"""'{{"r/1": {{"location": "wh", "connection": "wms", "cancel": "r/off", "end": "{end}","""
        f""" "lines": {lines}}}}}'"""
    )


def _tax_document(order: str, state: str, tax: int) -> str:
    return f"""
        insert into tax_document values ('tax/{order}/sale-1', 1, '{order}', 'sale-1', '{state}',
          'avatax', 'us', 'sale', 'USD', 2000, {tax}, '', '')"""


_PURCHASE = """
        insert into purchase (supply, version, digest, supplier, location, closed, reason, proposal)
        values ('po-1', '1', '', '', 'wh-east', false, '', '');"""
MESSAGES = {
    "every_delivery_has_its_body": """
        insert into delivery (connection, id_hash, body_hash, message, day)
        select connection, gen_random_uuid(), 'x', 999999, day from delivery limit 1""",
    "every_message_has_its_delivery": """
        delete from delivery where message = (select max(message) from delivery)""",
    "every_body_is_as_it_came": "update message set body = body || ' ' where id = 2",
    "every_message_is_in_the_log_once": """
        insert into record (lane, key, type, version, fused, body)
        select lane, key, type, version, true, body from record
        where type = 'Received' order by id limit 1""",
    "every_message_is_of_a_known_connection": """
        update message set connection = 99 where id = (select max(id) from message)""",
    "no_cursor_is_ahead_of_the_log": "update cursor set pos = 999999 where lane = 1",
    "every_consumer_has_all_its_cursors": "insert into cursor (consumer, lane) values ('late', 3)",
    "every_record_comes_after_its_cause": """
        update record set cause = id where id = (select max(id) from record where fused)""",
    "numbers_go_on_above_the_newest": """
        select setval(pg_get_serial_sequence('exception_case', 'id'), 1)""",
    "every_record_is_in_its_lane": """
        update record set lane = 63 - lane
        where id = (select max(id) from record where fused)""",
    "nothing_is_pending": """
        update record set fused = false
        where id = (select max(r.id) from record r join cursor c using (lane)
                    where r.fused and r.id > c.pos)""",
    "every_record_can_be_read": """
        update record set version = 99
        where id = (select max(id) from record where type = 'StockReserved')""",
}
ORDERS = {
    "refunded_never_exceeds_captured": _state(
        "order/web/1", "{refunded}", """'{"shop-pay": 9999}'"""
    ),
    "nothing_earned_beyond_what_was_ordered": _state(
        "order/web/1", "{recognised,1,quantity}", "'99000'"
    ),
    "nothing_taken_back_beyond_what_was_earned": _state(
        "order/web/1",
        "{reversed}",
        f"""(select jsonb_object_agg(k, v || '{{"quantity": 99000}}')
             from jsonb_each({_BODY}::jsonb -> 'reversed') e (k, v))""",
    ),
    "nothing_comes_back_that_did_not_leave": _state(
        "order/web/1", "{returned}", """'{"1": 99000}'"""
    ),
    "order_revision_never_negative": _state("order/web/1", "{revision}", "'0'")
    + """;
        update order_state set revision = 0 where key = 'order/web/1'""",
    "order_rows_say_what_their_state_says": """
        update order_state set total = total + 1 where key = 'order/web/1'""",
    "every_order_told_is_kept": "delete from order_state where key = 'order/web/4'",
    "every_order_kept_was_told": """
        insert into order_state (key, revision, body)
        values ('order/web/99', 1, '{"key":"order/web/99","revision":1}')""",
    "every_till_record_told_is_kept": """
        delete from sale_state where key = 'sale/stores/12/4/2026-03-02/1'""",
    "no_void_waits_for_a_sale_that_is_known": """
        update sale_state set pending_void = '{}' where voided""",
    "every_receipt_number_belongs_to_its_sale": """
        insert into till_receipt values ('store-nyc', '4', '2026-03-02', 'R-9', 'sale/x')""",
    "every_till_count_was_told": "insert into till_count values ('count/x', 1, '{}')",
    "orders_know_what_became_of_their_documents": _state(
        "order/web/2", "{documents,order/web/2/sales_order,state}", """'"accepted"'"""
    ),
    "documents_tell_what_was_earned": f"""
        update record set body = convert_to(
          replace({_BODY}, '"total":2000', '"total":2100'), 'UTF8')
        where type = 'SubmitDocument' and {_BODY} like '%"id":"order/web/1/invoice/1"%';
        update document set total = 2100, move_total = 2100
        where op = 'order/web/1/invoice/1'""",
    "nobody_is_asked_for_goods_of_a_cancelled_order": _state(
        "order/web/4", "{order,cancelled_at}", """'"2026-03-02T12:00:00Z"'"""
    )
    + ";"
    + _state("order/web/4", "{requests}", _request("1", 0)),
    "no_goods_are_asked_for_twice": _state("order/web/4", "{requests}", _request("1", 99000)),
    "what_is_called_off_was_told": _state(
        "order/web/4", "{requests}", _request("1", 1, "called_off")
    ),
    "order_state_is_the_fold_of_its_facts": _state("order/web/1", "{source}", """'"x"'"""),
    "what_an_order_booked_is_what_it_told": _state("order/web/4", "{deposited,shop-pay}", "'9999'"),
}
MONEY = {
    "the_returns_reserve_is_what_was_told": """
        insert into returns_reserve values ('us', '2026-03', 'web', 1, 'shoes', 500, 0)""",
    "breakage_is_what_was_told": """
        insert into card_breakage values ('us', 'USD', 'card/1', 500, 0, 1)""",
    "every_entry_balances": f"""
        update entry_line set amount = amount + 1, txn_amount = txn_amount + 1
        where n = 1 and entry = {_OF_ORDER_1}""",
    "no_entry_line_without_entry": """
        insert into entry_line (entry, n, account, amount, txn_amount, txn_currency)
        values (gen_random_uuid(), 1, 'sales/x', 0, 0, 'USD')""",
    "one_entry_per_fact_and_entity": f"""
        alter table entry drop constraint entry_fact_entity_key;{_TWIN};
        insert into entry select * from twin""",
    "one_content_per_booked_fact": f"""{_TWIN};
        update twin set entity = 'eu', fact_hash = 'another';
        insert into entry select * from twin""",
    "no_entry_line_says_nothing": f"""
        insert into entry_line (entry, n, account, amount, txn_amount, txn_currency)
        values ({_OF_ORDER_1}, 99, 'sales/x', 0, 0, 'USD');
        update entry set lines = lines + 1 where id = {_OF_ORDER_1}""",
    "amounts_in_the_own_currency_agree": f"""
        update entry_line set txn_amount = txn_amount + 1 where n = 1 and entry = {_OF_ORDER_1}""",
    "every_entry_names_rules_that_are_kept": """
        delete from posting_rule where hash = (select min(hash) from posting_rule)""",
    "every_reversal_undoes_one_entry": f"""
        update entry set reverses = gen_random_uuid() where id = {_OF_ORDER_1}""",
    "nothing_was_posted_in_a_locked_month": """
        insert into period values ('us', '2026-03', 'locked', '2000-01-01', 'finance')""",
    "what_a_closing_month_took_was_admitted": """
        insert into period values ('us', '2026-03', 'soft-closed', '2000-01-01', 'finance')""",
    "posted_days_follow_business_days": f"""
        update entry set posted_date = business_date - 1 where id = {_OF_ORDER_1}""",
    "every_void_did_what_it_says": "update sale_void set posted = false",
    "every_voided_sale_is_taken_back": """
        update sale_state set voided = true where key = 'sale/stores/12/4/2026-03-02/1'""",
    "till_sales_are_booked_or_parked": """
        insert into sale_state (key, type, fact_hash, source, total)
        values ('sale/stores/12/4/2026-03-02/99', 'SaleRung', 'x', 'stores', 100)""",
    "every_valued_fact_is_booked": f"""
        delete from entry_line where entry = {_OF_ORDER_1};
        delete from entry where id = {_OF_ORDER_1}""",
    "cards_add_up_to_their_liability": """
        update entry_line set item = 'order/web/1'
        where account = 'gift-card-liability' and item = ''""",
    "every_card_movement_stands_on_its_card": """
        update entry_line set item = 'card/G-77' where item = 'card/S-77'""",
    "every_entry_was_told": f"""{_TWIN};
        update twin set fact = 'order/web/1/recognise/99';
        insert into entry select * from twin""",
    "journal_entries_reach_the_erp_once": "delete from journal_summary",
    "no_entry_is_in_two_journals": """
        insert into journal_pending (entry, n, entity, flow, place, day, currency, account, amount)
        select l.entry::text, l.n, e.entity, e.flow, e.location, e.posted_date, e.currency,
          l.account, l.amount
        from entry_line l join entry e on e.id = l.entry
        where l.entry::text = (select min(entry) from journal_summary)""",
    "journals_hold_only_entries_that_are_theirs": """
        update journal_pending set amount = amount + 1 where n = 1""",
    "every_summary_has_its_journal": "update journal_summary set op = op || 'x'",
    "every_journal_took_the_entries_it_names": """
        update journal_summary set op = op || 'x'
        where entry = (select min(entry) from journal_summary);
        insert into document (dest, op, key, kind, state, day)
        select 1, max(op), 'journal/x', 'journal', 'dropped', current_date
        from journal_summary where op like '%x'""",
    "every_entry_has_one_way_to_the_erp": """
        update entry set gl = 'documents' where fact = (
          select min(fact) from entry where gl = 'hub')""",
    "no_journal_for_what_the_erp_books_itself": """
        insert into journal_summary (op, entry)
        select 'journal/x/1/nil', id::text from entry where gl = 'documents' limit 1""",
    "every_account_is_in_the_chart": f"""
        update entry_line set account = 'nowhere' where n = 1 and entry = {_OF_ORDER_1}""",
}
STOCK = {
    "goods_are_valued_as_they_moved": """
        insert into goods_value
          (movement, key, origin, entity, product, location, damaged, kind, quantity, day, at)
        values (9999, 'a', 'a', 'us', 'P1', 'wh-east', false, 'sold', -1, '2026-03-01', now())""",
    "what_goods_are_worth_was_told": """
        insert into goods_revalued values ('us', 'P1', '2026-03-01', 'wh-east', 500, 1)""",
    "on_hand_is_the_sum_of_movements": """
        update stock set on_hand = on_hand + 1 where location = 'wh-east' and product = 'P1'""",
    "no_movement_without_a_stock_row": """
        delete from stock where location = 'store-nyc' and product = 'P2'""",
    "reserved_is_the_sum_of_reservations": """
        update stock set reserved = reserved + 1 where location = 'wh-east' and product = 'P1'""",
    "no_reservation_without_a_stock_row": """
        insert into hold (key, version, ok) values ('held/1', 1, true);
        insert into reservation values ('held/1', '1', 'nowhere', 'P9', 1000)""",
    "nothing_is_reserved_beyond_stock": """
        update stock_movement set quantity = 1500
        where location = 'wh-east' and product = 'P2' and kind = 'opening';
        update stock set on_hand = 500 where location = 'wh-east' and product = 'P2'""",
    "every_supply_is_as_it_was_told": """
        insert into purchase (supply, version, digest, supplier, location, closed, reason, proposal)
        values ('po-1', '2', '', '', 'wh-east', false, '', '');
        insert into supply (supply, product, location, version, expected)
        values ('po-1', 'P1', 'wh-east', '1', 3000)""",
    "what_came_of_a_supply_is_in_the_book": f"""{_PURCHASE}
        insert into supply (supply, product, location, version, expected, received)
        values ('po-1', 'P1', 'wh-east', '1', 3000, 2000)""",
    "nothing_is_promised_beyond_supply": f"""{_PURCHASE}
        insert into supply (supply, product, location, version, expected)
        values ('po-1', 'P1', 'wh-east', '1', 1000);
        insert into hold (key, version, ok, promised) values ('held/1', 1, true, true);
        insert into promise values ('held/1', 'x', 'P1', 'po-1', 'wh-east', 1001)""",
    "no_promise_without_its_answer": f"""{_PURCHASE}
        insert into supply (supply, product, location, version, expected)
        values ('po-1', 'P1', 'wh-east', '1', 3000);
        insert into promise values ('held/1', '1', 'P1', 'po-1', 'wh-east', 1000)""",
    "no_reservation_without_its_answer": "update hold set ok = false where key = 'order/web/2'",
    "no_hold_is_past_its_time": """
        update hold set expires_at = '2001-01-01' where key = 'hold/web/1'""",
    "every_hold_granted_holds_something": """
        delete from reservation where key = 'hold/web/1';
        update stock set reserved = reserved - 1000
        where location = 'wh-east' and product = 'P1'""",
    "every_hold_is_as_it_was_told": "update hold set version = 2 where key = 'hold/web/1'",
    "what_is_held_is_what_the_order_wants": """
        insert into reservation values ('order/web/4', 'x', 'wh-east', 'P1', 1000);
        update stock set reserved = reserved + 1000
        where location = 'wh-east' and product = 'P1'""",
    "no_answer_is_ahead_of_its_order": """
        update hold set version = version + 1 where key = 'order/web/4'""",
    "every_order_got_its_answer": """
        update hold set version = version - 1 where key = 'order/web/4'""",
    "every_movement_was_told": """
        insert into stock_movement (fact, n, key, kind, location, product, quantity, occurred_at)
        select 'nobody', n, 'x', 'adjustment', 'wh-east', 'P1', q, now()
        from (values (1, 5), (2, -5)) x (n, q)""",
    "what_changes_place_or_condition_is_neither_made_nor_lost": """
        insert into stock_movement (fact, n, key, kind, location, product, quantity, occurred_at)
        values ('order/web/1/move/1', 900, 'order/web/1', 'condition', 'wh-east', 'P1', 1000,
                now());
        update stock set on_hand = on_hand + 1000 where location = 'wh-east' and product = 'P1'""",
    "what_never_arrived_has_its_case": """
        insert into stock_movement
          (fact, n, key, kind, cause, condition, location, product, quantity, occurred_at)
        select 'order/web/1/move/1', 900 + n, 'transfer/1', k, c, s, 'wh-east', 'P1', q, now()
        from (values (1, 'transfer_out', '', 'sellable', -1000),
                     (2, 'transfer_out', '', 'in_transit', 1000),
                     (3, 'transfer_in', 'complete', 'in_transit', -400),
                     (4, 'transfer_in', 'complete', 'sellable', 400)) x (n, k, c, s, q);
        update stock set on_hand = on_hand - 600 where location = 'wh-east' and product = 'P1';
        insert into stock (location, product, condition, on_hand)
        values ('wh-east', 'P1', 'in_transit', 600)""",
    "a_transfer_holds_no_more_than_has_not_left": """
        update reservation set quantity = quantity + 1000 where key = 'transfer/T-1';
        update stock set reserved = reserved + 1000
        where location = 'wh-east' and product = 'P2' and condition = 'sellable'""",
    "what_is_in_transit_was_sent_and_not_received": f"""
        update transfer_state set body =
          convert_to(replace({_BODY}, '"quantity":1000', '"quantity":2000'), 'UTF8')
        where key = 'transfer/T-1'""",
    "no_bundle_is_in_stock": """
        insert into item_component (bundle, product, quantity) values ('P1', 'P3', 1000)""",
    "every_movement_asked_for_is_booked": """
        delete from stock_movement where fact = 'order/web/1/move/1';
        update stock set on_hand = on_hand + 2000 where location = 'wh-east' and product = 'P1'""",
}
CHANNELS = {
    "no_channel_shows_what_was_never_offered": """
        insert into publication (dest, location, product, confirmed) values (1, 'L', 'P', 5000)""",
    "figures_at_rest_are_what_they_should_be": """
        insert into publication (dest, location, product, version, available, confirmed)
        values (1, 'L', 'P', 1, 4000, 5000)""",
    "who_is_called_has_an_offer": """
        insert into publication (dest, location, product, version, confirmed, slot)
        values (1, 'L', 'P', 1, 0, 1)""",
    "every_channel_shows_what_it_should": """
        insert into publication (dest, location, product, version, available, due)
        values (1, 'L', 'P', 1, 4000, now())""",
}
DOCUMENTS = {
    "outbound_counts_match_jobs": "update outkey set n = n + 1",
    "owed_documents_have_a_job": """
        insert into document (dest, op, key, kind, state, day)
        select dest, 'journal/x/9', 'journal/x', 'journal', 'owed', day from document limit 1""",
    "answered_documents_have_no_job": """
        update document set state = 'dropped' where state = 'refused'""",
    "every_job_has_its_document": """
        insert into job (dest, key, op, type, body)
        select dest, 'x', 'x/1', 'SubmitDocument', '{}' from dest limit 1;
        insert into outkey (dest, key, prio, due, n)
        select dest, 'x', 0, now(), 1 from dest limit 1""",
    "one_job_per_document": """
        insert into job (dest, key, op, type, body)
        select dest, key, op, type, body from job where key = 'order/web/2';
        update outkey set n = n + 1 where key = 'order/web/2'""",
    "everything_owed_has_a_destination": """
        insert into document (dest, op, key, kind, state, day)
        values (99, 'journal/x/9', 'journal/x', 'journal', 'dropped', current_date)""",
    "accepted_documents_have_a_remote_id": """
        update document set remote_id = '' where op = 'order/web/1/invoice/1'""",
    "every_answer_has_its_time": """
        update document set answered_at = null where op = 'order/web/1/invoice/1'""",
    "one_remote_document_per_operation": """
        insert into document (dest, op, key, kind, state, remote_id, day, answered_at)
        select dest, 'journal/x/9', key, kind, state, remote_id, day, answered_at from document
        where kind = 'journal' and state = 'accepted' limit 1""",
    "ledger_moves_agree_with_documents": """
        update document set move_total = total + 1 where op = 'order/web/1/invoice/1'""",
    "every_document_was_asked_for": """
        insert into document (dest, op, key, kind, state, day)
        select dest, 'order/web/1/invoice/99', key, kind, 'dropped', day from document
        where op = 'order/web/1/invoice/1'""",
    "every_document_asked_for_is_owed": """
        delete from document where op = 'order/web/1/invoice/1'""",
    "documents_carry_the_total_that_was_decided": """
        update document set total = total + 1, move_total = move_total + 1
        where op = 'order/web/1/invoice/1'""",
    "documents_of_a_key_were_answered_in_order": f"""
        update record set body = convert_to(
          case when {_BODY} like '%sales_order/accepted%'
          then replace({_BODY}, 'sales_order/accepted', 'invoice/1/accepted')
          else replace({_BODY}, 'invoice/1/accepted', 'sales_order/accepted') end, 'UTF8')
        where type = 'DocumentAccepted' and key = 'order/web/1'
          and {_BODY} ~ '(sales_order|invoice/1)/accepted'""",
    "leases_are_whole": "update outkey set token = 1 where key = 'order/web/2'",
    "calls_stay_within_the_account": """
        update dest set conc = 1;
        insert into slot (account, class, lease_until)
        select dest, 0, now() + interval '1 minute' from dest, generate_series(1, 2)
        where name = 'erp'""",
    "set_aside_means_paused": """
        update outkey set due = 'infinity', paused = 'invoice' where key = 'order/web/2'""",
}
HUB = {
    "parked_keys_have_records_and_an_open_case": """
        update exception_case set state = 'resolved', resolved_at = now(), resolved_by = 'x'
        where reason = 'mapping_missing'""",
    "nothing_is_parked_and_pending": """
        update cursor c set pos = p.id - 1 from parked p join record r on r.id = p.id
        where c.lane = r.lane""",
    "nothing_is_parked_and_carried": """
        update parked set id = (
          select cause from record where type = 'OrderPlaced' and key = 'order/web/1')""",
    "every_case_says_whose_it_is": "update exception_case set owner = '' where id = 1",
    "every_refusal_has_an_open_case": """
        update exception_case set state = 'resolved', resolved_at = now(), resolved_by = 'x'
        where reason = 'document_refused'""",
    "every_name_leads_somewhere": "update xref set ours = '' where theirs = 'A1'",
    "erased_persons_hold_nothing": "update party set erased_at = now()",
    "finished_files_say_when": """
        insert into file_claim (connection, path, size, sha256, state)
        values ('stores', 'x', 1, 'x', 'done')""",
    "the_hub_knows_itself": "update hub set lane_fn = 'md5/64'",
    "till_gaps_are_as_large_as_they_say": """
        insert into till_gap (source, location, till, business_date, head, first, last, missing,
          noticed_at) values ('stores', 'store-nyc', '4', '2026-03-02', false, 7, 8, 3, now())""",
    "the_audit_is_one_chain": """
        insert into audit values (7, now(), 'eve', 'names.set', 'web', '', '', '', '', '')""",
    "erased_bodies_are_blank": """
        insert into erasure (party, connection, state, reason, asked_by)
        values ('p', 'web', 'done', 'r', 'ann');
        insert into erased_message values (1, 1)""",
    "every_applied_change_has_two_persons": """
        insert into operator (name, roles, made_by) values ('eve', '{admin}', 'eve');
        insert into approval (action, subject, change, change_hash, before, author, reason, state)
        values ('names.change', 'web', 'x', sha256('x'), '', 'eve', 'r', 'proposed');
        insert into operator (name, roles, made_by) values ('mal', '{viewer}', 'eve');
        update approval set state = 'applied', approver = 'mal'""",
    "the_guards_stand": "alter table entry disable trigger entry_final",
    "plans_add_up": """
        insert into replay_plan (made_by, wanted, matched) values ('eve', '{}', 3)""",
}
TAXES = {
    "every_tax_document_is_of_an_order": _tax_document("order/web/99", "asked", 0),
    "tax_services_accepted_what_is_called_done": _tax_document("order/web/1", "committed", 0),
    "tax_services_keep_the_tax_that_was_earned": _tax_document("order/web/1", "committed", 5),
}


def _payout(amount: int, booked: str = "{}", *, tied: bool = True) -> str:
    return f"""
        insert into payout (key, account, payout, entity, currency, amount, tied, due, version,
                            booked, heard_at)
        values ('payout/psp/1', 'psp', '1', 'us', 'USD', {amount}, {tied}, false, 1, '{booked}',
                now())"""


_FEE = '{"fee\\u001fpsp\\u001f": 1}'
_PAID = '{"paid\\u001fpsp\\u001f": 5}'
_LINE = """
        insert into settlement_file (account, name, sha256, lines, broken, at)
        values ('psp', 'f', 'x', 1, 0, now());
        insert into settlement_line (account, line, payout, file, n, type, told, gross, fee, net,
          currency, tender, reference, parent, order_name, presented_currency, rate, extra)
        select 'psp', 't1', coalesce((select max(id) from payout), 99), max(id), 1, 'sale', 'told',
          10, 0, 10, 'USD', '', '', '', '', '', '', '' from settlement_file"""
SETTLEMENT = {
    "every_settlement_line_is_of_a_payout_and_a_file": _LINE,
    "payouts_that_tie_come_to_their_lines": _payout(1000),
    "every_line_of_a_tied_payout_is_explained": f"{_payout(10)};{_LINE}",
    "settlement_lines_are_in_their_entries": f"""
        {_payout(10, _FEE)};{_LINE};
        insert into settlement_match select id, payout, 'own', '', null, 0, gen_random_uuid()
        from settlement_line""",
    "payouts_are_in_the_books_as_worked_out": _payout(10, _PAID, tied=False),
    "no_bank_line_is_spent_twice": """
        insert into bank_line (account, statement, line, n, amount, currency, booked_on, reference,
          text, told, reversal)
        values ('bank', 1, 'b', 1, 10, 'USD', '2026-03-01', '', '', '', false);
        insert into bank_match select id, 1, 11, 'sum' from bank_line""",
}
_OWED = """
        insert into receivable (key, order_key, n, kind, number, erp_number, order_number, entity,
          channel, party, currency, issued_on, due_on, total, credited, paid)
        values ('order/web/1/invoice/1', 'order/web/1', 1, 'invoice', '1-1', '', '#1', 'us', 'web',
          '', 'USD', '2026-03-01', '2026-03-31', 10, 0, {paid})"""
_ISSUED = (
    """'{"issued": {"order/web/1/invoice/1": {"number": "1-1", "total": 10,"""
    """ "issued_on": "2026-03-01", "due_on": "2026-03-31"}}}'"""
)
RECEIVABLES = {
    "receivables_are_what_their_orders_say": _OWED.format(paid=10),
    "receivables_are_in_the_books_as_they_are_open": f"""
        {_OWED.format(paid=0)};
        {_state("order/web/1", "{account}", _ISSUED)}""",
}
LIES = {
    **MESSAGES,
    **ORDERS,
    **TAXES,
    **MONEY,
    **SETTLEMENT,
    **RECEIVABLES,
    **STOCK,
    **CHANNELS,
    **DOCUMENTS,
    **HUB,
}
ALSO = {
    "journal_entries_reach_the_erp_once": {"every_journal_took_the_entries_it_names"},
    "every_summary_has_its_journal": {"every_journal_took_the_entries_it_names"},
    "tax_services_keep_the_tax_that_was_earned": {"tax_services_accepted_what_is_called_done"},
    "refunded_never_exceeds_captured": {"what_an_order_booked_is_what_it_told"},
    "one_entry_per_fact_and_entity": {"the_guards_stand"},
    "nobody_is_asked_for_goods_of_a_cancelled_order": {"order_state_is_the_fold_of_its_facts"},
    "nothing_is_parked_and_pending": {"nothing_is_pending"},
}
