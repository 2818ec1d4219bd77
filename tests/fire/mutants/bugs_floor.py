"""Seeded bugs of the floor: receiving, the log, parking, outbound calls."""

from __future__ import annotations

from tests.fire.mutants.bug import Bug, Edit, one

INTAKE = (
    Bug(
        "acknowledged before the commit",
        (
            Edit(
                "durable/group_writer.py",
                "            answers = session.write([waiting.ask for waiting in group])\n",
                "            from tillbridge.durable.messages import Stored\n\n"
                '            _resolve(group, [Stored("new", 0)] * len(group))\n'
                "            answers = session.write([waiting.ask for waiting in group])\n",
            ),
        ),
        ("app/test_http.py::test_a_killed_server_loses_nothing_that_it_acknowledged",),
    ),
    one(
        "the unique key of deliveries dropped",
        "durable/messages.sql",
        "on conflict (connection, id_hash) do update set copies = d.copies + 1\n",
        "on conflict (connection, id_hash) do update set copies = d.copies + 1, "
        "message = excluded.message, body_hash = excluded.body_hash\n",
        "inbox/test_webhooks.py::test_a_known_id_with_another_body_is_kept_with_a_problem",
    ),
    one(
        "a repeated delivery told to the log again",
        "durable/messages.py",
        "        elif new and first[identity] == index:\n",
        "        elif first[identity] == index:\n",
        "inbox/test_webhooks.py::test_the_same_delivery_again_is_acknowledged_and_kept_once",
        "durable/test_retention.py::test_a_delivery_is_new_once_however_often_and_wherever_it_comes",
    ),
    one(
        "signature not checked",
        "inbox/webhooks.py",
        "    return verified is True\n",
        "    return True\n",
        "inbox/test_webhooks.py::test_a_wrong_signature_leaves_nothing_but_a_count",
    ),
    one(
        "an endless body buffered whole",
        "inbox/bodies.py",
        '                if held > most:\n                    raise BodyRefused("too_large")\n',
        "",
        "inbox/test_webhooks.py::test_an_endless_body_is_cut_at_the_limit",
    ),
    one(
        "the poll cursor moved before its page is stored",
        "inbox/polls.py",
        "                connection.rollback()\n                raise _Moved\n",
        "                connection.rollback()\n                raise _Moved\n"
        "            connection.commit()\n",
        "inbox/test_polls.py::test_items_and_cursor_move_together_or_not_at_all",
    ),
    one(
        "a file claimed as done before its pieces are stored",
        "inbox/files.py",
        "            for batch in _batches(self._pieces(stream, name, topic)):\n",
        "            self._connection.execute(\n"
        "                QUERIES.finish_file,\n"
        "                (0, 0, self._clock.now(), self._source.name, digest),\n"
        "            )\n"
        "            self._connection.commit()\n"
        "            for batch in _batches(self._pieces(stream, name, topic)):\n",
        "inbox/test_files.py::test_after_a_crash_between_batches_the_rest_is_taken_once",
    ),
)

LOG = (
    one(
        "append lock taken after the insert",
        "durable/log.py",
        "    connection.execute(QUERIES.lock_append)\n"
        "    connection.execute(QUERIES.append, columns, binary=True)\n",
        "    connection.execute(QUERIES.append, columns, binary=True)\n"
        "    connection.execute(QUERIES.lock_append)\n",
        "durable/test_log.py::test_id_order_is_commit_order_under_four_appenders_and_a_reader",
    ),
    one(
        "lane by Python's own hash",
        "atoms/ids.py",
        "    return zlib.crc32(key.encode()) % LANES\n",
        "    return hash(key) % LANES\n",
        "durable/test_log.py::test_a_key_is_always_in_the_same_lane",
        "atoms/test_ids_and_clock.py::test_ids_never_change_between_releases",
    ),
    one(
        "cursor moved outside the transaction",
        "app/runner.py",
        "        visits += [Visit(record, self._routes(record)) for record in records]\n",
        "        log.move_cursors(connection, CONSUMER, log.last_ids(records))\n"
        "        connection.commit()\n"
        "        visits += [Visit(record, self._routes(record)) for record in records]\n",
        "app/test_runner_parking.py::test_a_crash_anywhere_moves_nothing",
    ),
    one(
        "lanes read without their lock",
        "durable/log.sql",
        "order by lane\nfor update of c skip locked\n",
        "order by lane\n",
        "durable/test_log.py::test_two_workers_share_the_lanes_and_idle_ones_are_not_locked",
        "app/test_runner_random.py"
        "::test_whatever_parks_resolves_and_crashes_each_record_is_handled_once_in_order",
    ),
    one(
        "a record overtakes the parked ones of its key",
        "durable/parking.sql",
        "select room, key from parked_key where key = any(%b::text[])\n",
        "select room, key from parked_key where key = any(%b::text[]) and not ready\n",
        "app/test_runner_parking.py"
        "::test_a_live_record_does_not_overtake_a_replay_longer_than_a_batch",
    ),
    Bug(
        "replay without the lane's lock",
        (
            Edit(
                "app/runner.py",
                "        return records, parking.ready("
                "self._connection, CONSUMER, lanes, keys, 100)\n",
                "        return records, parking.ready("
                "self._connection, CONSUMER, list(log.ALL_LANES), keys, 100)\n",
            ),
            Edit(
                "durable/parking.sql",
                "order by room, key limit %b\nfor no key update skip locked\n",
                "order by room, key limit %b\n",
            ),
        ),
        (
            "app/test_runner_parking.py::test_a_replay_runs_under_the_lock_of_its_lane_so_once_over_two_workers",
        ),
    ),
    one(
        "a poisoned batch parks every key in it",
        "app/runner.py",
        "        if len(visits) == 1:\n"
        '            _log.error("poison", key=visits[0].record.key, why=str(problem), '
        "exc_info=problem)\n"
        "            return self._held_back(visits[0], problem)\n",
        "        if visits:\n"
        "            held_back = Work()\n"
        "            for visit in visits:\n"
        "                held_back.add(self._held_back(visit, problem))\n"
        "            return held_back\n",
        "app/test_runner_parking.py::test_a_write_that_the_database_refuses_is_bisected_by_key",
    ),
)

BEHIND = (
    "durable/test_jobs.py::test_a_claimer_that_waited_is_handed_the_job_behind_the_finished_one"
)

OUTBOUND = (
    Bug(
        "jobs read in the claiming statement",
        (
            Edit(
                "durable/jobs.sql",
                "from pick where (o.dest, o.key) = (pick.dest, pick.key)\n"
                "returning o.key, o.token, o.attempts, o.unknown, o.prio\n",
                "from pick cross join lateral (\n"
                "  select * from job where dest = pick.dest and key = pick.key\n"
                "  order by id limit 1) j where (o.dest, o.key) = (pick.dest, pick.key)\n"
                "returning o.key, o.token, o.attempts, o.unknown, j.id, j.op, j.type, j.trace,\n"
                "  j.body, j.version, o.prio\n",
            ),
            Edit(
                "durable/jobs.sql",
                "with pick as materialized (\n  select dest, key from (\n",
                "with d as materialized (select dest from dest where dest = %(dest)s for update),\n"
                "pick as materialized (\n  select k.dest, k.key from d cross join lateral (\n",
            ),
            Edit("durable/accounts.sql", "for update of a\n", ""),
            Edit(
                "durable/jobs.py",
                "        rows = connection.execute(QUERIES.heads, (*columns, dest), "
                "binary=True).fetchall()\n",
                "        rows = leased or columns\n",
            ),
        ),
        (
            "durable/test_jobs.py::test_a_finished_job_is_never_handed_out_again",
            BEHIND,
        ),
    ),
    one(
        "slots counted in the snapshot of the statement that waited",
        "durable/accounts.sql",
        "for update of a\n",
        "",
        "durable/test_jobs.py::test_a_claimer_that_waited_counts_the_slots_taken_meanwhile",
    ),
    one(
        "an operation owed twice",
        "durable/jobs.py",
        "    fresh = [job for job in jobs if (job.dest, job.op) in new]\n",
        "    fresh = list(jobs)\n",
        "durable/test_jobs.py::test_an_operation_is_owed_once_whatever_becomes_of_its_job",
    ),
    one(
        "a stale fencing token accepted",
        "durable/jobs.sql",
        "  where o.dest = %b and o.key = x.key and o.token = x.token\n"
        "  returning o.key\n"
        ")\n"
        "select key from mine\n"
        "\n"
        "-- name: delete_jobs\n",
        "  where o.dest = %b and o.key = x.key\n"
        "  returning o.key\n"
        ")\n"
        "select key from mine\n"
        "\n"
        "-- name: delete_jobs\n",
        "durable/test_jobs.py::test_a_late_answer_ends_nobody_elses_lease",
    ),
    one(
        "lease slot freed on expiry",
        "durable/accounts.sql",
        "select (select count(*) from slot where account = %(account)s),\n",
        "select (select count(*) from slot where account = %(account)s\n"
        "  and lease_until > %(now)s),\n",
        "durable/test_jobs.py"
        "::test_an_expired_lease_becomes_unknown_and_keeps_its_slot_until_the_sweep",
    ),
    one(
        "an expired lease sent again without a look",
        "durable/accounts.sql",
        "update outkey o set lease_until = null, token = null, unknown = true,\n",
        "update outkey o set lease_until = null, token = null,\n",
        "durable/test_jobs.py"
        "::test_an_expired_lease_becomes_unknown_and_keeps_its_slot_until_the_sweep",
    ),
    one(
        "an unknown outcome forgotten",
        "durable/jobs.sql",
        "  set lease_until = null, token = null, unknown = o.unknown or x.u, due = x.d,\n",
        "  set lease_until = null, token = null, due = x.d,\n",
        "publishing/test_dispatch.py"
        "::test_a_document_that_may_have_been_applied_is_looked_up_first",
        "publishing/test_dispatch.py::test_a_call_that_was_cut_off_makes_all_its_documents_unknown",
    ),
    one(
        "retry with a new key",
        "connectors/sandbox/connector.py",
        "                document = document_of(command, company, directory, task.parties)\n",
        "                fresh = msgspec.structs.replace(\n"
        "                    command, id=command.id + ('/again' if task.unknown else '')\n"
        "                )\n"
        "                document = document_of(fresh, company, directory, task.parties)\n",
        "connectors/test_every_connector.py::test_every_operation_leaves_one_document",
    ),
    one(
        "an outage counted against each document",
        "publishing/dispatch.py",
        "unknown=away.unknown, free=True) for one in claimed],\n",
        "unknown=away.unknown, free=False) for one in claimed],\n",
        "publishing/test_dispatch.py"
        "::test_a_far_side_that_is_away_opens_the_breaker_and_costs_no_document_an_attempt",
    ),
    one(
        "Retry-After ignored",
        "publishing/dispatch.py",
        "        if wished is not None:\n",
        "        if wished is not None and wished < 0:\n",
        "publishing/test_dispatch.py::test_retry_after_is_honoured_to_the_second",
    ),
    one(
        "a call goes on after its lease was lost",
        "durable/accounts.sql",
        "  and exists (select from slot where slot = %(slot)s)\nreturning greatest",
        "returning greatest",
        "durable/test_accounts.py::test_nothing_leaves_for_who_has_lost_his_lease",
    ),
    one(
        "the breaker never opens",
        "durable/accounts.sql",
        "    open_until = greatest(open_until, %(until)s)\n",
        "    open_until = least(%(until)s, now())\n",
        "publishing/test_dispatch.py"
        "::test_a_far_side_that_is_away_opens_the_breaker_and_costs_no_document_an_attempt",
        "durable/test_jobs.py::test_an_open_breaker_stops_all_calls_and_then_lets_one_through",
    ),
    one(
        "a restore doubts nothing",
        "durable/restore.sql",
        "update outkey set unknown = true, lease_until = null, token = null,\n",
        "update outkey set lease_until = null, token = null,\n",
        "durable/test_restore_floor.py::test_a_restore_into_a_new_cluster_loses_no_pending_record",
    ),
)
