"""Two persons for a change, asked for by the database itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from psycopg import Connection, errors

from tests.one_person import waived, works_alone
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import SeededIds
from tillbridge.durable import audit
from tillbridge.durable.session import connect
from tillbridge.mapping.names import NameRow, set_names
from tillbridge.posting.money import activation, periods
from tillbridge.posting.stock import activation as availability
from tillbridge.posting.stock.rules import default_text, parse_rules
from tillbridge.reconciliation.replenishment import activation as replenishment
from tillbridge.reconciliation.replenishment.rules import meaning
from tillbridge.triage import operators, policy
from tillbridge.triage.approvals import (
    Wish,
    approval,
    approvals,
    approve,
    carry_out,
    needed,
    reject,
)
from tillbridge.triage.operators import Grant
from tillbridge.triage.rights import Who

NOW = datetime(2026, 3, 3, tzinfo=UTC)
ANN, BOB = Who("ann", ("admin",)), Who("bob", ("accountant", "integrator"))
EVE = Who("eve", ("viewer",))
OLD, NEW = NameRow("web", "product", "SKU-1", "P1"), NameRow("web", "product", "SKU-1", "P9")


@pytest.fixture
def staff(connection: Connection) -> Connection:
    """Ann, Bob and Eve, one name, one locked month, rules of money and stock, one dear case."""
    operators.of_account(connection, "ann", "ann")
    operators.put(connection, Grant("bob", list(BOB.roles)), "ann", "")
    operators.put(connection, Grant("eve", ["viewer"]), "ann", "")
    connection.execute(
        "insert into exception_case"
        " (reason, owner, room, key, fingerprint, words, amount, currency)"
        " values ('totals_differ', 'finance', 'x', 'order/web/1', 'f', 'w', 100001, 'USD')"
    )
    activation.first(connection, activation.files_of(None))
    availability.activate(connection, default_text(), "ann", "")
    replenishment.activate(connection, "", "ann", "")
    set_names(connection, [OLD])
    with waived(connection):
        periods.set_period(connection, "us", "2026-01", "locked", at=NOW, by="ann")
    connection.commit()
    return connection


def _names(row: NameRow = NEW) -> Wish:
    change = {"names": msgspec.to_builtins([row])}
    return Wish("names.change", "web", change, "the shop has a new list", "us")


def _unlock() -> Wish:
    change = {"entity": "us", "period": "2026-01"}
    return Wish("periods.unlock", "us/2026-01", change, "a late invoice", "us")


def _rules() -> Wish:
    files = activation.files_of(None)
    files["rules.toml"] += "\n# another word\n"
    change = {"hash": activation.hash_of(files).hex(), "files": files}
    return Wish("rules.activate", "book", change, "a new account")


def _availability() -> Wish:
    text = "[[rule]]\nsafety_stock = 1\n"
    change = {"hash": parse_rules(text).hash.hex(), "text": text}
    return Wish("stock.rules", "rules", change, "stores are slow")


def _give_up() -> Wish:
    return Wish("cases.give_up", "case 1", {"case": 1, "note": "bad"}, "bad", size=100_001)


def _policy() -> Wish:
    change = {"second_person": False, "alone_amount": 1, "alone_keys": 1}
    return Wish("approvals.policy", "hub", change, "quicker")


def _grant() -> Wish:
    change = {"name": "zoe", "roles": ["admin"], "entities": [], "os_user": ""}
    return Wish("operators.grant", "zoe", change, "new")


def _ours(connection: Connection) -> str:
    row = connection.execute("select ours from xref where theirs = 'SKU-1'").fetchone()
    return str(row[0]) if row else ""


def _replenishment() -> Wish:
    text = "demand_days = 7"
    change = {"hash": meaning(text).hex(), "text": text}
    return Wish("stock.replenishment", "rules", change, "a short season")


WISHES = [_names, _unlock, _rules, _availability, _replenishment, _give_up, _policy, _grant]


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.__name__)
def test_a_change_waits_for_another_person_and_is_then_applied(
    staff: Connection, wish: Callable[[], Wish]
) -> None:
    operators.put(staff, Grant("cleo", ["admin"]), "ann", "")  # from here on there are two admins
    number = carry_out(staff, ANN, wish(), NOW)
    assert number is not None
    staff.commit()
    (waiting,) = approvals(staff)
    assert (waiting.author, waiting.state, waiting.hash) == ("ann", "proposed", waiting.hash)
    with pytest.raises(Refused, match="another person"):
        approve(staff, ANN, number, NOW)
    with pytest.raises(Refused, match="eve may not"):
        approve(staff, EVE, number, NOW)
    staff.rollback()
    assert approve(staff, Who("cleo", ("admin",)), number, NOW, "seen") == "applied"
    staff.commit()
    done = approval(staff, number)
    assert (done.state, done.approver) == ("applied", "cleo")
    assert [a.action for a in audit.acts(staff)][-3:-1] == [
        "approvals.propose",
        "approvals.applied",
    ]
    assert audit.acts(staff)[-1].action != "approvals.applied"  # and the act itself
    with pytest.raises(Refused, match="applied already"):
        approve(staff, Who("cleo", ("admin",)), number, NOW)


BEHIND = {
    "an altered name": "update xref set ours = 'P9'",
    "a name taken out": "delete from xref",
    "a month locked": "insert into period values ('us', '2026-02', 'locked', now(), 'ann')",
    "an unlocked month": "update period set state = 'open'",
    "a locked month taken out": "delete from period",
    "other rules": "insert into rule_book (hash, files, activated_by) values ('x', '{}', 'ann')",
    "other availability rules": "insert into availability_rules (hash, text, activated_by)"
    " values ('x', '', 'ann')",
    "other rules of replenishment": "insert into replenishment_rules (hash, text, activated_by)"
    " values ('x', '', 'ann')",
    "a dear case given up": "update exception_case set given_up = true",
    "no second person any more": "update hub set second_person = false",
    "an operator taken out": "delete from operator where name = 'eve'",
    "a proposal taken out": "delete from approval",
    "a proposal edited": "update approval set change = 'x'",
    "a decision by the author": "update approval set state = 'applied', approver = author",
    "a decision by nobody": "update approval set state = 'applied'",
    "availability rules edited": "update availability_rules set hash = 'x'",
    "rules of replenishment edited": "update replenishment_rules set hash = 'x'",
    "a rule book edited": "update rule_book set hash = 'x'",
}


@pytest.mark.parametrize("query", BEHIND.values(), ids=BEHIND)
def test_the_database_refuses_what_nobody_approved(staff: Connection, query: str) -> None:
    carry_out(staff, ANN, _names(), NOW)
    staff.commit()
    with pytest.raises(errors.IntegrityError):
        staff.execute(query.encode())


def test_rights_are_given_by_one_admin_alone_only_while_there_is_one(staff: Connection) -> None:
    assert carry_out(staff, ANN, _grant(), NOW) is None
    staff.commit()
    with pytest.raises(errors.IntegrityError, match="needs the approval"):
        operators.put(staff, Grant("eve", ["admin"]), "ann", "")
    staff.rollback()
    operators.put(staff, Grant("bob", ["integrator"], ["us"]), "ann", "less is taken by one alone")
    operators.revoke(staff, "eve", "ann", "")


def test_between_two_admins_a_client_and_its_channel_are_given_by_both(staff: Connection) -> None:
    operators.put(staff, Grant("shop", ["client"], channel="web"), "ann", "")
    operators.put(staff, Grant("cleo", ["admin"]), "ann", "")
    staff.commit()
    with pytest.raises(errors.IntegrityError, match="needs the approval"):
        operators.put(staff, Grant("shop", ["client"], channel="eu"), "ann", "")
    staff.rollback()
    change = {"name": "shop", "roles": ["client"], "entities": [], "os_user": "", "channel": "eu"}
    number = carry_out(staff, ANN, Wish("operators.grant", "shop", change, "moved"), NOW)
    assert number is not None
    assert approve(staff, Who("cleo", ("admin",)), number, NOW) == "applied"
    state = operators.state_of(staff, "shop")
    assert state is not None
    assert state["channel"] == "eu"


def test_an_approval_covers_what_was_proposed_and_no_more(staff: Connection) -> None:
    number = carry_out(staff, ANN, _names(), NOW)
    staff.execute("select set_config('tillbridge.approval', %b, true)", (str(number),))
    with pytest.raises(errors.IntegrityError, match="needs the approval"):  # proposed is not given
        set_names(staff, [NEW])
    staff.rollback()
    number = carry_out(staff, ANN, _names(), NOW)
    staff.execute(
        "update approval set state = 'applied', approver = 'bob' where id = %b", (number,)
    )
    staff.execute("select set_config('tillbridge.approval', %b, true)", (str(number),))
    with pytest.raises(errors.IntegrityError, match="does not cover web product SKU-1"):
        set_names(staff, [NameRow("web", "product", "SKU-1", "P7")])


def test_a_given_approval_serves_its_own_transaction_only(staff: Connection) -> None:
    number = carry_out(staff, ANN, _names(), NOW)
    staff.commit()
    assert approve(staff, BOB, number or 0, NOW) == "applied"
    staff.commit()
    assert _ours(staff) == "P9"
    staff.execute("select set_config('tillbridge.approval', %b, true)", (str(number),))
    with pytest.raises(errors.IntegrityError):
        set_names(staff, [OLD])


def test_a_proposal_edited_by_whoever_owns_the_database_is_not_applied(staff: Connection) -> None:
    number = carry_out(staff, ANN, _names(), NOW) or 0
    staff.execute("set session_replication_role = replica")
    staff.execute(
        "update approval set change = replace(convert_from(change, 'UTF8'), 'P9', 'P7')::bytea"
    )
    staff.execute("set session_replication_role = origin")
    staff.commit()
    with pytest.raises(errors.IntegrityError, match="was edited after it was made"):
        approve(staff, BOB, number, NOW)
    staff.rollback()
    assert _ours(staff) == "P1"


def test_a_proposal_whose_ground_changed_is_void(staff: Connection) -> None:
    first, second = (carry_out(staff, ANN, _names(), NOW) or 0 for _ in range(2))
    staff.commit()
    assert approve(staff, BOB, first, NOW) == "applied"
    staff.commit()
    assert approve(staff, BOB, second, NOW) == "void"
    staff.commit()
    assert approval(staff, second).approver == ""


def test_a_key_that_the_author_made_approves_nothing(staff: Connection) -> None:
    key = operators.make_key(staff, "bob", "ann", operators.KeyTerms(5), now=NOW, ids=SeededIds(9))
    bob = operators.of_key(staff, key, NOW)
    number = carry_out(staff, ANN, _names(), NOW) or 0
    staff.commit()
    assert bob is not None
    with pytest.raises(errors.IntegrityError, match="cannot be approved by bob with that key"):
        approve(staff, bob, number, NOW)
    staff.rollback()
    own = operators.make_key(staff, "bob", "bob", operators.KeyTerms(5), now=NOW, ids=SeededIds(10))
    bob = operators.of_key(staff, own, NOW)
    assert bob is not None
    assert approve(staff, bob, number, NOW) == "applied"


def test_a_key_made_with_a_key_of_the_author_approves_nothing_either(staff: Connection) -> None:
    number = carry_out(staff, ANN, _names(), NOW) or 0
    staff.commit()
    prefix = ""
    for seed in (11, 12, 13):  # ann makes bob's first key, and with it "bob" makes others
        maker = "bob" if prefix else "ann"
        key = operators.make_key(
            staff, "bob", maker, operators.KeyTerms(5), now=NOW, ids=SeededIds(seed), key=prefix
        )
        bob = operators.of_key(staff, key, NOW)
        assert bob is not None
        prefix = bob.key
        staff.commit()
        with pytest.raises(errors.IntegrityError, match="cannot be approved by bob"):
            approve(staff, bob, number, NOW)
        staff.rollback()


def test_who_works_for_another_entity_neither_approves_nor_rejects(staff: Connection) -> None:
    number = carry_out(staff, ANN, _names(), NOW) or 0
    staff.commit()
    tor = Who("tor", ("integrator",), ("ca",))
    with pytest.raises(Refused, match="tor works for ca"):
        approve(staff, tor, number, NOW)
    staff.rollback()
    with pytest.raises(Refused, match="tor works for ca"):
        reject(staff, tor, number, "")
    staff.rollback()
    assert [one.id for one in approvals(staff)] == [number]


def test_the_database_itself_keeps_the_author_from_approving(staff: Connection) -> None:
    number = carry_out(staff, ANN, _names(), NOW) or 0
    staff.commit()
    with pytest.raises(errors.CheckViolation):
        staff.execute(
            "update approval set state = 'applied', approver = author where id = %s", (number,)
        )


def test_of_two_who_approve_at_once_one_finds_it_done(staff: Connection, database_url: str) -> None:
    number = carry_out(staff, ANN, _names(), NOW) or 0
    staff.commit()
    assert approve(staff, BOB, number, NOW) == "applied"
    told: list[str] = []

    def other() -> None:
        with connect(database_url) as mine:
            try:
                approve(mine, Who("cleo", ("admin",)), number, NOW)
            except Refused as refused:
                told.append(refused.words)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(timeout=0.3)
    staff.commit()
    thread.join(timeout=5)
    assert told == [f"proposal {number} is applied already"]


def test_a_no_ends_a_proposal_and_the_authors_own_takes_it_back(staff: Connection) -> None:
    first, second = (carry_out(staff, ANN, _names(), NOW) or 0 for _ in range(2))
    assert reject(staff, BOB, first, "no") == "rejected"
    assert reject(staff, ANN, second, "a slip") == "void"
    staff.commit()
    assert (approvals(staff), _ours(staff)) == ([], "P1")


def test_a_wish_without_right_reason_or_reach_is_not_even_proposed(staff: Connection) -> None:
    for who, wish, words in (
        (EVE, _names(), "eve may not"),
        (Who("bob", ("integrator",), ("ca",)), _names(), "works for ca"),
        (ANN, msgspec.structs.replace(_names(), reason=""), "say why"),
    ):
        with pytest.raises(Refused, match=words):
            carry_out(staff, who, wish, NOW)
    assert approvals(staff) == []


def test_a_house_of_one_works_alone_and_the_database_says_so(staff: Connection) -> None:
    works_alone(staff)
    assert audit.acts(staff)[-1].action == "approvals.policy"
    assert '"second_person": false' in audit.acts(staff)[-1].after
    for wish in (_names(), _unlock(), _rules(), _give_up()):
        assert not needed(staff, wish.action, wish.size)
        assert carry_out(staff, ANN, wish, NOW) is None
        staff.commit()
    assert _ours(staff) == "P9"
    assert policy.read(staff).second_person is False


def test_small_things_are_done_alone(staff: Connection) -> None:
    assert not needed(staff, "cases.give_up", 100_000)
    assert not needed(staff, "cases.give_up")
    assert needed(staff, "cases.give_up", -100_001)
    assert not needed(staff, "cases.replay", 1_000)
    assert needed(staff, "cases.replay", 1_001)
