"""Seeded bugs of the API's guards, and of what channels are shown."""

from __future__ import annotations

from tests.fire.mutants.bug import one

API = (
    one(
        "a key that opens what its scopes do not name",
        "app/api/dispatch.py",
        "        elif route.scope not in who.scopes:\n",
        "        elif not who.scopes:\n",
        "app/api/test_dispatch.py::test_a_key_without_the_scope_is_refused",
    ),
    one(
        "a bucket that is never empty",
        "app/api/rate_limits.py",
        "        bucket.left = left if wait else left - 1\n",
        "        bucket.left = left\n",
        "app/api/test_dispatch.py::test_who_asks_too_much_waits_and_everybody_is_told_what_is_left",
    ),
    one(
        "a bucket that fills beyond its size",
        "app/api/rate_limits.py",
        "        left = min(quota, bucket.left + (now - bucket.at) * rate)\n",
        "        left = bucket.left + (now - bucket.at) * rate\n",
        "app/api/test_rate_limits.py::test_a_bucket_refills_steadily_and_never_beyond_its_size",
    ),
    one(
        "a revoked key believed as long as it is busy",
        "app/api/keys.py",
        "        if age >= STALE_SECONDS:\n            return None\n",
        "        if age >= STALE_SECONDS:\n            return known.who\n",
        "app/api/test_keys.py::test_a_key_that_cannot_be_looked_up_is_not_believed_for_long",
    ),
    one(
        "a stored answer given to another request",
        "app/api/stored_answers.py",
        "    if stored.asked != asked:\n        return _REUSED\n",
        "",
        "app/api/test_group.py::test_a_group_answers_new_repeated_and_wrong_keys_each_its_way",
    ),
    one(
        "a repeated request decided anew",
        "app/api/group.py",
        "            if placed.identity not in known:\n",
        "            if placed.identity:\n",
        "app/api/test_reservations.py"
        "::test_a_repeated_request_gets_its_first_answer_whatever_became_of_it",
    ),
    one(
        "an answer not stored with its effect",
        "app/api/group.py",
        "            stored_answers.keep(connection, mine, now.date())\n",
        "            stored_answers.keep(connection, mine[:0], now.date())\n",
        "app/api/test_group.py::test_the_same_request_in_two_processes_is_one_reservation",
    ),
    one(
        "the reservations of another channel in reach",
        "app/api/reservations.py",
        '    return hold_key(call.who.channel, call.path["id"])\n',
        '    return hold_key("web", call.path["id"])\n',
        "app/api/test_reservations.py::test_nobody_reaches_the_reservations_of_another_channel",
    ),
)

PUBLICATION = (
    one(
        "a channel shown what it has sold and not told",
        "publishing/availability/figures.py",
        "        return max(0, self.available - self.still_untold)\n",
        "        return max(0, self.available)\n",
        "publishing/availability/test_figures.py::test_a_channel_never_shows_more_than_is_there",
    ),
    one(
        "what may have been applied offered as something new",
        "publishing/availability/publisher.py",
        "    if row.sent is not None:\n        return\n",
        "",
        "publishing/availability/test_publisher.py"
        "::test_what_may_have_been_applied_is_offered_again_as_it_was",
    ),
    one(
        "an unknown offer forgotten when it is put off",
        "publishing/availability/availability.sql",
        "    sent = case when p.unknown or x.unknown then p.sent end,\n",
        "    sent = case when x.unknown then p.sent end,\n",
        "publishing/availability/test_publisher.py"
        "::test_an_unknown_offer_put_off_afterwards_stays_unknown",
    ),
    one(
        "a paused channel called",
        "publishing/availability/publisher.py",
        "        if room is None or KIND in room.kinds:\n",
        "        if room is None:\n",
        "publishing/availability/test_publisher.py::test_pausing_the_kind_stops_it_and_nothing_else",
    ),
    one(
        "a late answer booked over the call that took over",
        "publishing/availability/availability.sql",
        "from publication where dest = %(dest)s and slot = %(slot)s order by",
        "from publication where dest = %(dest)s and %(slot)s::int is not null order by",
        "publishing/availability/test_publisher.py"
        "::test_a_late_answer_of_a_call_that_was_taken_over_books_nothing",
    ),
    one(
        "two offers under one operation",
        "publishing/availability/publisher.py",
        "    row.version += 1\n",
        "    row.version = max(row.version, 1)\n",
        "publishing/availability/test_publisher.py"
        "::test_the_next_offer_names_what_was_found_and_a_new_operation",
    ),
    one(
        "a bundle whose parts change unseen",
        "publishing/availability/availability.sql",
        "  from made m join item_component c on c.product = m.bundle where m.depth < 8\n",
        "  from made m join item_component c on c.product = m.bundle where m.depth < 1\n",
        "publishing/availability/test_plan.py::test_a_bundle_changes_with_its_parts_at_any_depth",
    ),
)
