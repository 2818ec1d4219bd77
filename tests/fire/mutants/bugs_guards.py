"""Seeded bugs of what guards the house: cards, secrets, addresses, people."""

from __future__ import annotations

from tests.fire.mutants.bug import Bug, Edit, one

SECURITY = (
    one(
        "no card number masked",
        "atoms/card_numbers.py",
        "    return _without(body, stretches) if stretches else None\n",
        "    return None\n",
        "atoms/test_card_numbers.py::test_a_card_number_in_any_text_is_masked_up_to_its_last_four",
    ),
    one(
        "cards looked for after the body is stored",
        "durable/messages.py",
        "        arrival.body, arrival.masked, arrival.cards ="
        " masked.body, masked.words, masked.stretches\n",
        "        arrival.masked, arrival.cards = masked.words, masked.stretches\n",
        "stories/test_cards_told.py"
        "::test_an_order_with_a_card_number_goes_on_and_the_number_stands_nowhere",
    ),
    one(
        "a private address called",
        "contract/httpx_transport.py",
        "        self._reach.check(host, found)\n",
        "",
        "contract/test_transport.py::test_however_it_is_written_a_private_place_is_not_called",
    ),
    one(
        "only the first address of a name judged",
        "contract/addresses.py",
        "        for text in found:\n",
        "        for text in found[:1]:\n",
        "contract/test_transport.py"
        "::test_one_private_address_among_public_ones_is_enough_to_refuse",
    ),
    Bug(
        "a name looked up again after it was judged",
        (
            Edit(
                "contract/httpx_transport.py",
                "                    address, port, timeout, local_address, socket_options\n",
                "                    self._resolver(host, port)[0],\n"
                "                    port,\n"
                "                    timeout,\n"
                "                    local_address,\n"
                "                    socket_options,\n",
            ),
            Edit(
                "contract/httpx_transport.py",
                '            if not peer or peer[0].partition("%")[0] != '
                'address.partition("%")[0]:\n',
                "            if not peer:\n",
            ),
        ),
        (
            "contract/test_transport.py::test_the_connection_goes_to_the_very_address_that_was_judged",
        ),
    ),
    one(
        "a sealed secret not bound to its name",
        "app/sealed_secrets.py",
        '    return msgspec.json.encode(["tillbridge secret", workspace, name, version, key])\n',
        '    return msgspec.json.encode(["tillbridge secret", workspace, version, key])\n',
        "app/test_sealed_secrets.py::test_a_file_that_was_changed_or_moved_does_not_open",
    ),
)

PEOPLE = (
    one(
        "the audit edited",
        "durable/migrations/0018_audit.sql",
        "  raise exception 'the audit is only added to'"
        " using errcode = 'integrity_constraint_violation';\n",
        "  return null;\n",
        "durable/test_audit.py::test_the_audit_refuses_to_be_changed",
    ),
    one(
        "the author approves",
        "durable/migrations/0021_operators_and_approvals.sql",
        "  check (approver <> author),\n",
        "",
        "triage/test_approvals.py::test_the_database_itself_keeps_the_author_from_approving",
    ),
    one(
        "an approval of something else",
        "durable/migrations/0021_operators_and_approvals.sql",
        "    if sha256(new.change) <> new.change_hash then\n",
        "    if false then\n",
        "triage/test_approvals.py"
        "::test_a_proposal_edited_by_whoever_owns_the_database_is_not_applied",
    ),
    one(
        "a revoked key opens the door",
        "triage/operators.sql",
        "where k.prefix = %b and k.revoked_at is null and k.expires_at > %b"
        " and o.revoked_at is null\n",
        "where k.prefix = %b and k.expires_at > %b and o.revoked_at is null\n",
        "triage/test_operators.py::test_a_key_is_kept_as_a_hash_lasts_its_days_and_is_revoked",
    ),
)
