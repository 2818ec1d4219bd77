"""The checkout keeps every tidy rule, and every tidy rule can fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tidy import code_rules, command_rules, room_rules, text_rules
from tests.tidy.tree import ROOT

Rule = Callable[[Path], list[str]]

RULES: tuple[Rule, ...] = (
    code_rules.modules_say_what_they_are_for,
    code_rules.packages_have_an_init,
    code_rules.files_stay_short,
    code_rules.functions_stay_short,
    code_rules.names_say_something,
    code_rules.nothing_is_patched_by_string,
    room_rules.rooms_are_the_declared_ones,
    room_rules.import_law_names_every_room,
    room_rules.modules_have_tests,
    room_rules.reasons_for_no_tests_are_alive,
    text_rules.no_banned_words,
    text_rules.decisions_are_indexed,
    text_rules.dependencies_are_used,
    text_rules.dependencies_have_reasons,
    text_rules.lock_pins_everything,
    text_rules.glossary_has_one_word_per_thing,
    command_rules.make_targets_exist,
    command_rules.tillbridge_verbs_exist,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_checkout_is_tidy(rule: Rule) -> None:
    problems = rule(ROOT)
    assert not problems, "\n".join(problems)


# Rule, file planted (its words added at the end if it is there), and what the rule then says.
PLANTS: tuple[tuple[Rule, str, str, str], ...] = (
    (
        code_rules.modules_say_what_they_are_for,
        "src/tillbridge/inbox/x.py",
        "A = 1\n",
        "inbox/x.py",
    ),
    (
        code_rules.packages_have_an_init,
        "src/tillbridge/inbox/deep/x.py",
        '"""X."""\n',
        "inbox/deep",
    ),
    (code_rules.files_stay_short, "src/tillbridge/inbox/x.py", "A = 1\n" * 401, "401 lines"),
    (code_rules.files_stay_short, "tests/inbox/test_x.py", "A = 1\n" * 601, "601 lines"),
    (
        code_rules.functions_stay_short,
        "src/tillbridge/inbox/x.py",
        "def f() -> None:\n" + "    g()\n" * 60,
        "f has 61 lines",
    ),
    (code_rules.names_say_something, "src/tillbridge/inbox/utils.py", "", "e.g. money"),
    (code_rules.names_say_something, "src/tillbridge/common/__init__.py", "", "both sides share"),
    (
        code_rules.nothing_is_patched_by_string,
        "tests/inbox/test_x.py",
        'monkeypatch.setattr("a.b", 1)\n',
        "test_x.py:1",
    ),
    (
        room_rules.rooms_are_the_declared_ones,
        "src/tillbridge/zoo/__init__.py",
        '"""Z."""\n',
        "zoo: an undeclared room",
    ),
    (
        room_rules.import_law_names_every_room,
        ".importlinter",
        "\n[importlinter:contract:layers]\nlayers =\n    app\n",
        "differ in",
    ),
    (room_rules.modules_have_tests, "src/tillbridge/inbox/x.py", "A = 1\n", "inbox/x.py: no test"),
    (text_rules.no_banned_words, "docs/x.md", "see /home/ann/x\n", "x.md:1: a path"),
    (text_rules.no_banned_words, "src/tillbridge/inbox/x.sql", "-- TODO\n", "unfinished"),
    (text_rules.no_banned_words, "Makefile", "x:\n\tpip --index-url=y\n", "an index"),
    (text_rules.decisions_are_indexed, "docs/adr/9999-x.md", "# 9999. X\n", "not in docs/adr"),
    (text_rules.decisions_are_indexed, "docs/adr/README.md", "(8888-y.md)\n", "8888-y.md"),
    (
        text_rules.dependencies_have_reasons,
        "docs/dependencies.md",
        "| `left-pad` | none |\n",
        "left-pad is no dependency",
    ),
    (
        text_rules.lock_pins_everything,
        "requirements.txt",
        "left-pad==1.0\n",
        "left-pad has no hash",
    ),
    (
        text_rules.lock_pins_everything,
        "requirements.txt",
        "--extra https://x\n",
        "names an address",
    ),
    (
        text_rules.glossary_has_one_word_per_thing,
        "docs/glossary.md",
        "| **case** | again | |\n",
        "case twice",
    ),
    (
        command_rules.make_targets_exist,
        "docs/x.md",
        "```console\n$ make tea\n```\n",
        "make knows no tea",
    ),
)


@pytest.mark.parametrize(
    ("rule", "place", "words", "said"),
    PLANTS,
    ids=[f"{plant[0].__name__}-{number}" for number, plant in enumerate(PLANTS)],
)
def test_a_rule_sees_what_is_planted(
    rule: Rule, place: str, words: str, said: str, tmp_path: Path
) -> None:
    root = _copy(tmp_path)
    before = rule(root)
    planted = root / place
    planted.parent.mkdir(parents=True, exist_ok=True)
    text = planted.read_text(encoding="utf-8") if planted.exists() else ""
    if place == ".importlinter":
        text = ""  # an ini file may not hold a section twice
    planted.write_text(text + words, encoding="utf-8")
    new = [problem for problem in rule(root) if problem not in before]
    assert any(said in problem for problem in new), new


def test_a_dependency_that_nothing_imports_is_seen(tmp_path: Path) -> None:
    root = _copy(tmp_path)
    assert any(words.startswith("msgspec: ") for words in text_rules.dependencies_are_used(root))
    module = root / "src" / "tillbridge" / "inbox" / "x.py"
    module.write_text("def f() -> None:\n    import msgspec\n", encoding="utf-8")
    found = text_rules.dependencies_are_used(root)
    assert found
    assert not any(words.startswith(("msgspec: ", "pixeltable-")) for words in found)


def test_an_excuse_that_is_no_longer_needed_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = _copy(tmp_path)
    module = root / "src" / "tillbridge" / "inbox" / "x.py"
    module.write_text('"""X."""\nA = 1\n', encoding="utf-8")
    monkeypatch.setitem(room_rules.WITHOUT_TWIN, "inbox/x", "has none yet")
    assert not room_rules.modules_have_tests(root)
    assert not room_rules.reasons_for_no_tests_are_alive(root)
    (root / "tests" / "inbox").mkdir()
    (root / "tests" / "inbox" / "test_x.py").write_text("", encoding="utf-8")
    (stale,) = room_rules.reasons_for_no_tests_are_alive(root)
    assert "take it off" in stale
    monkeypatch.setitem(room_rules.WITHOUT_TWIN, "inbox/gone", "is gone")
    assert any(
        "no such module" in words for words in room_rules.reasons_for_no_tests_are_alive(root)
    )


def test_a_rule_book_lists_every_rule() -> None:
    modules = (code_rules, command_rules, room_rules, text_rules)
    public = {
        thing
        for module in modules
        for name, thing in vars(module).items()
        if callable(thing)
        and getattr(thing, "__module__", "") == module.__name__
        and not name.startswith("_")
        and name not in {"shown_commands", "refusal", "declared_dependencies"}
    }
    assert public == set(RULES)
    # These are shown to fail by tests of their own, here and in test_documents.py.
    elsewhere = {
        text_rules.dependencies_are_used,
        command_rules.tillbridge_verbs_exist,
        room_rules.reasons_for_no_tests_are_alive,
    }
    can_fail = {plant[0] for plant in PLANTS} | elsewhere
    assert can_fail == set(RULES), "a rule without a plant that shows it can fail"


def _copy(target: Path) -> Path:
    """A small checkout: the rooms, the documents and the settings, without the big files."""
    root = target / "checkout"
    for folder in ("docs", ".ci"):
        shutil.copytree(ROOT / folder, root / folder)
    for name in (".importlinter", "Makefile", "README.md", "pyproject.toml", "requirements.txt"):
        shutil.copy2(ROOT / name, root / name)
    for room in room_rules.ROOMS:
        package = root / "src" / "tillbridge" / room
        package.mkdir(parents=True)
        (package / "__init__.py").write_text('"""A room."""\n', encoding="utf-8")
    (root / "tests").mkdir()
    return root
