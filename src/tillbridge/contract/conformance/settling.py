"""Checks of settlement sources: typed lines, the same in any chunks, nothing believed or dropped.

Samples lie in `samples/settlement/`: files as they arrive, and beside each `NAME.expected.json`, a
list of what it tells ({"is": "SettlementLine", ...}), written by `--record`. `NAME.suite.json` has
the settings of a file that needs others than the suite's.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import SeededIds
from tillbridge.canonical.settlement import BankLine, Broken, SettlementLine, Told
from tillbridge.contract.conformance.reading import STREAM_BYTES, Dribble, Endless
from tillbridge.contract.conformance.samples import Suite
from tillbridge.contract.promises import Connection, ReadsSettlements
from tillbridge.contract.settlement import wrong_with, wrong_with_bank

FOLDER = "settlement"
EXPECTED = ".expected.json"
NO_FILES = (EXPECTED, ".suite.json", ".toml")
HEAD_BYTES = 4096
FIRST_BYTES = 4 * 1024 * 1024


def has_settlement_samples(suite: Suite) -> list[str]:
    """At least one file, each with what it tells, and the source knows each of them."""
    found = list(_samples(suite))
    problems = [] if found else [f"samples/{FOLDER} holds no file"]
    for path, data in found:
        there = connection_of(suite, path)
        if not _reader(suite).settles(path.name, data[:HEAD_BYTES], there):
            problems.append(f"{path.name}: the source does not take it for one of its files")
        if not _expected(path).exists():
            problems.append(f"{path.name} has no {_expected(path).name}; run with --record")
    return problems


def tells_what_is_expected(suite: Suite) -> list[str]:
    """Each file tells what stands beside it, and the same whatever the file is called."""
    problems = []
    for path, data in _samples(suite):
        told = plain(_read(suite, path, data))
        if _expected(path).exists():
            wanted = msgspec.json.decode(_expected(path).read_bytes())
            if msgspec.json.decode(msgspec.json.encode(told)) != wanted:
                problems.append(f"{path.name}: it tells something else than {_expected(path).name}")
        if told != plain(_read(suite, path, data, "another.name")):
            problems.append(f"{path.name}: its name changes what it tells")
    return problems


def tells_believable_lines(suite: Suite) -> list[str]:
    """Net is gross less fee, types are ours, and every row keeps its place in the file."""
    problems = []
    for path, data in _samples(suite):
        for told in _read(suite, path, data):
            wrong = ""
            if isinstance(told, SettlementLine):
                wrong = wrong_with(told) or ("" if told.told else "the vendor's words are missing")
            elif isinstance(told, BankLine):
                wrong = wrong_with_bank(told)
            if not wrong and isinstance(told, (SettlementLine, BankLine)) and told.n < 1:
                wrong = "it does not say which line of the file it is"
            if wrong:
                problems.append(f"{path.name}: {wrong}")
    return problems[:12]


def settles_in_any_chunks(suite: Suite) -> list[str]:
    """A file cut into reads of any size tells the same."""
    problems = []
    for path, data in _samples(suite):
        whole = _read(suite, path, data)
        for size in (1, 3, 7, 4_096):
            stream = cast("Any", io.BufferedReader(Dribble(data, size), buffer_size=16))
            parts = list(_reader(suite).settlement(stream, path.name, connection_of(suite, path)))
            if parts != whole:
                problems.append(f"{path.name}: it tells other things {size} bytes at a time")
    return problems


def survives_broken_settlements(suite: Suite) -> list[str]:
    """Garbage ends in Broken or in a case with words, never in another error; a file that was cut
    off never tells all that the whole one tells.
    """
    problems = []
    noise = SeededIds(20260301)
    for path, data in _samples(suite):
        whole = _count(_read(suite, path, data))
        cut = [(f"cut after {part}/8", data[: len(data) * part // 8]) for part in range(8)]
        spoilt = [*cut, ("random", bytes.fromhex(noise.random_hex(2_000))), ("a NUL", b"\0")]
        middle = len(data) // 2
        spoilt.append(("noise within", data[:middle] + b"\x00\xff\n" + data[middle:]))
        for label, bytes_ in spoilt:
            try:
                told = _read(suite, path, bytes_)
            except NeedsDecision:
                continue
            except Exception as problem:  # noqa: BLE001 - the check exists to find exactly these
                problems.append(f"{path.name}, {label}: {type(problem).__name__}: {problem}"[:300])
                continue
            good = not any(isinstance(one, Broken) for one in told)
            if label.startswith("cut") and good and _count(told) > whole:
                problems.append(f"{path.name}, {label}: it tells more than the whole file")
        for _, bytes_ in spoilt:
            _reader(suite).settles(path.name, bytes_[:HEAD_BYTES], connection_of(suite, path))
    return problems[:12]


def never_holds_a_settlement(suite: Suite) -> list[str]:
    """The first lines of a table of 256 MB come after a few of them (tables only)."""
    problems = []
    for path, data in _samples(suite):
        lines = data.splitlines(keepends=True)
        if path.suffix not in (".csv", ".tsv", ".txt") or len(lines) < 3:
            continue
        endless = Endless(lines[0], b"".join(lines[1:]), b"", STREAM_BYTES)
        stream = cast("Any", io.BufferedReader(endless))
        next(_reader(suite).settlement(stream, path.name, connection_of(suite, path)), None)
        if endless.count > FIRST_BYTES:
            problems.append(f"{path.name}: {endless.count} bytes were read before the first line")
    return problems


def record_settlements(suite: Suite) -> Iterator[Path]:
    """Write the expected files that are missing; gives their paths."""
    if not isinstance(suite.connector, ReadsSettlements):
        return
    for path, data in _samples(suite):
        if not _expected(path).exists():
            text = msgspec.json.format(
                msgspec.json.encode(plain(_read(suite, path, data))), indent=1
            )
            _expected(path).write_bytes(text + b"\n")
            yield _expected(path)


def connection_of(suite: Suite, path: Path) -> Connection:
    """The connection a sample is read for."""
    return suite.connection_beside(path)


def plain(told: list[Told]) -> list[dict[str, Any]]:
    """What a file tells as plain tables, each with its name."""
    return [{"is": type(one).__name__, **msgspec.to_builtins(one)} for one in told]


def _reader(suite: Suite) -> ReadsSettlements:
    return cast("ReadsSettlements", suite.connector)


def sample_files(suite: Suite) -> Iterator[Path]:
    """The files of a suite, without what stands beside them."""
    for path, _ in _samples(suite):
        yield path


def _samples(suite: Suite) -> Iterator[tuple[Path, bytes]]:
    folder = suite.samples_folder / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file() and not path.name.endswith(NO_FILES):
            yield path, path.read_bytes()


def _expected(path: Path) -> Path:
    return path.with_name(path.name.rsplit(".", 1)[0] + EXPECTED)


def _read(suite: Suite, path: Path, data: bytes, name: str = "settlement.dat") -> list[Told]:
    there = connection_of(suite, path)
    return list(_reader(suite).settlement(io.BytesIO(data), name, there))


def _count(told: list[Told]) -> int:
    return sum(isinstance(one, (SettlementLine, BankLine)) for one in told)
