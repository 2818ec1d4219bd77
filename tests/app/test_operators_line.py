"""The command line knows who sits at it: roles, reach, two persons, and an audit of it all."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.app.test_command_line import Line
from tests.connectors.shopify.payloads import line
from tests.stories.shop import paid_order
from tillbridge.app.cli.identity import KEY
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.ids import SystemIds
from tillbridge.durable.session import connect
from tillbridge.triage.operators import KeyTerms, make_key

As = Callable[..., str]


@pytest.fixture
def shell(tmp_path: Path, database_url: str) -> Line:
    shell = Line(tmp_path / "house", database_url, own_process=False)
    shell.run("init", str(shell.folder))
    return shell


@pytest.fixture
def staff(shell: Line) -> As:
    """Runs a command as somebody: as_("bob", 0, "cases", "list"); bob and others have keys."""
    keys = {}
    for name, *words in (
        ("bob", "--role", "accountant", "--role", "integrator"),
        ("val", "--role", "viewer"),
        ("tor", "--role", "accountant", "--role", "operator", "--entity", "ca"),
    ):
        shell.here("operators", "add", name, *words, "--account", "")
        keys[name] = shell.json("keys", "make", "--operator", name)["key"]

    def as_(name: str, code: int, *words: str) -> str:
        shell.environment[KEY] = keys[name]
        try:
            done = shell.run("--workspace", str(shell.folder), *words, code=code)
        finally:
            del shell.environment[KEY]
        return done.out + done.err

    return as_


def test_the_one_who_made_the_workspace_is_its_first_admin(shell: Line) -> None:
    shell.here("status")
    (one,) = shell.json("operators", "list")["operators"]
    assert (one["name"], one["roles"]) == (getpass.getuser(), ["admin"])
    (act,) = shell.json("audit", "list")["acts"]
    assert (act["actor"], act["action"]) == ("hub", "operators.grant")


def test_a_viewer_sees_and_changes_nothing(shell: Line, staff: As) -> None:
    assert "case" in staff("val", 0, "cases", "list")
    for words in (
        ("xref", "set", "web", "product", "a", "b"),
        ("cases", "resolve", "1"),
        ("cases", "replay", "--all"),
        ("periods", "lock", "us", "2026-01"),
        ("ingest", "x", "--connection", "web"),
        ("drain",),
        ("audit", "list"),
        ("operators", "add", "val", "--role", "admin"),
        ("rules", "activate"),
        ("db", "psql"),
        ("db", "backup", "x"),
        ("approvals", "approve", "1"),
        ("keys", "make", "--operator", "bob"),
    ):
        assert "val may not" in staff("val", 1, *words), words
    assert "unknown, expired or revoked" in _with_key(shell, "tb_00000000_" + "0" * 40)


def _with_key(shell: Line, key: str) -> str:
    shell.environment[KEY] = key
    try:
        return shell.run("--workspace", str(shell.folder), "status", code=1).err
    finally:
        del shell.environment[KEY]


def test_an_account_that_is_no_operator_is_refused_with_what_to_do(
    shell: Line, database_url: str
) -> None:
    shell.here("status")
    with connect(database_url) as connection:
        connection.execute("update operator set os_user = null")
        connection.commit()
    done = shell.run("--workspace", str(shell.folder), "status", code=1)
    assert "is no operator of this hub; an admin makes one with: tillbridge operators" in done.err


def test_an_operator_of_one_entity_sees_and_changes_that_one_alone(
    shell: Line, staff: As, tmp_path: Path
) -> None:
    order = tmp_path / "order.json"
    order.write_bytes(msgspec.json.encode(paid_order(4711, [line(1)], "10.00")))
    shell.here("ingest", str(order), "--connection", "web", "--topic", "orders/create")
    shell.here("periods", "soft-close", "us", "2026-01")
    assert "mapping_missing" in shell.here("cases", "list")
    assert "mapping_missing" not in staff("tor", 0, "cases", "list")
    for words, told in (
        (("cases", "show", "1"), "there is no case 1"),
        (("cases", "resolve", "1"), "there is no case 1"),
        (("cases", "replay", "1"), "there is no case 1"),
        (("story", "order/web/4711"), "nothing is known of"),
        (("ledger", "balance", "--entity", "us"), "tor works for ca"),
        (("xref", "set", "web", "product", "SKU-1", "P1"), "tor works for ca"),
        (("periods", "lock", "us", "2026-02"), "tor works for ca"),
        (("ingest", str(order), "--connection", "web"), "tor works for ca"),
        (("sweep", "--connection", "web"), "tor works for ca"),
        (("sweep", "--history"), "tor works for ca"),
        (("audit", "list"), "not bound to one legal entity"),
    ):
        assert told in staff("tor", 1, *words), words
    shell.here("cases", "replay", "1", "--yes")
    assert "there is no case 1" in staff("tor", 1, "cases", "cancel", "1")
    assert "waiting, 0 left" in shell.here("cases", "plan", "1")
    assert "2026-01" not in staff("tor", 0, "periods", "list")
    assert "canaria" in shell.here("cases", "show", "1")
    assert "canaria" not in staff("val", 0, "cases", "show", "1")


def test_altering_a_name_locking_and_unlocking_a_month_take_two(
    shell: Line, staff: As, database_url: str
) -> None:
    shell.here("xref", "set", "web", "product", "SKU-1", "P1")
    wrong = ("xref", "set", "web", "product", "SKU-1", "P9")
    assert (
        "say why with --reason" in shell.run("--workspace", str(shell.folder), *wrong, code=1).err
    )
    asked = shell.json(*wrong, "--reason", "a new list")
    assert (asked["changed"], asked["proposal"]) == (0, 1)
    assert shell.json("periods", "lock", "us", "2026-01", "--reason", "done")["proposal"] == 2
    assert (
        "another person has to approve"
        in shell.run("--workspace", str(shell.folder), "approvals", "approve", "1", code=1).err
    )
    assert '"ours": "P9"' in shell.here("approvals", "show", "1")
    # the admin made bob's key, so it does not speak for a second person
    assert "the database refuses it: proposal 1 cannot be approved by bob with that key" in staff(
        "bob", 1, "approvals", "approve", "1"
    )
    # nor does one that is made with it
    shell.environment[KEY] = msgspec.json.decode(staff("bob", 0, "--json", "keys", "make"))["key"]
    assert (
        "cannot be approved by bob with that key"
        in shell.run("--workspace", str(shell.folder), "approvals", "approve", "1", code=1).err
    )
    with connect(database_url) as connection:  # bob at his own account
        own = make_key(
            connection, "bob", "bob", KeyTerms(5), now=SystemClock().now(), ids=SystemIds()
        )
        connection.commit()
    shell.environment[KEY] = own
    shell.here("approvals", "approve", "1", "--note", "seen")
    shell.here("approvals", "approve", "2")
    del shell.environment[KEY]
    assert "locked" in shell.here("periods", "list")
    assert shell.json("periods", "unlock", "us", "2026-01", "--reason", "late")["proposal"] == 3
    shell.environment[KEY] = own
    shell.here("approvals", "approve", "3")
    del shell.environment[KEY]
    assert "P9" in shell.here("xref", "list")
    assert "open" in shell.here("periods", "list")
    acts = [act["action"] for act in shell.json("audit", "list")["acts"]]
    assert acts[-7:] == [
        "approvals.applied",
        "names.set",
        "approvals.applied",
        "periods.lock",
        "approvals.propose",
        "approvals.applied",
        "periods.unlock",
    ]
    assert ", 0 broken" in shell.here("verify")
    assert "0 digests compared" in shell.here("audit", "verify")


def test_changed_rules_wait_until_they_are_activated(shell: Line) -> None:
    shell.here("drain")
    rules = shell.folder / "rules" / "rules.toml"
    rules.write_text(rules.read_text(encoding="utf-8") + "\n# another word\n", encoding="utf-8")
    waiting = shell.run("--workspace", str(shell.folder), "drain")
    assert "rules_wait" in waiting.err
    assert shell.json("rules", "activate", "--reason", "words")["proposal"] == 1
    assert shell.json("approvals", "policy", "--alone", "--reason", "one")["second_person"] is False
    assert shell.json("rules", "activate")["proposal"] is None
    assert "rules_wait" not in shell.run("--workspace", str(shell.folder), "drain").err


@pytest.mark.parametrize(
    "words",
    [
        ("cases", "list", "--limit", "-1"),
        ("cases", "plan", "99999999999999999999"),
        ("cases", "cancel", "99999999999999999999"),
        ("cases", "replay", "99999999999999999999", "--yes"),
        ("audit", "list", "--limit", "-1"),
        ("approvals", "policy", "--amount", "-5", "--reason", "x"),
    ],
)
def test_numbers_no_row_can_have_are_refused_as_usage(shell: Line, words: tuple[str, ...]) -> None:
    done = shell.run("--workspace", str(shell.folder), *words, code=2)
    assert "Invalid value" in done.err


def test_a_workspace_that_cannot_keep_its_master_key_is_not_left_half_made(tmp_path: Path) -> None:
    shell = Line(tmp_path / "house", "", own_process=True)
    (tmp_path / "no-folder").touch()
    shell.environment.pop("TILLBRIDGE_MASTER_KEY", None)
    shell.environment["XDG_CONFIG_HOME"] = str(tmp_path / "no-folder")
    done = shell.run("init", str(shell.folder), code=1)
    assert "the master key cannot be kept in" in done.err
    assert not shell.folder.exists()


def test_an_argument_that_is_no_text_is_refused_in_words(shell: Line) -> None:
    done = shell.run("--workspace", str(shell.folder), "story", "a\udcff", code=1)
    assert "is not UTF-8" in done.err
    assert "defect" not in done.err
