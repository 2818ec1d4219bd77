"""Damaged bytes at every parser: a fact, a case or a refusal in words, soon and in little memory.

`make test` gives 300 to each, `make test-long` 5,000. A failure names seed and number.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import cast

import msgspec
import pytest

from tests.connectors.test_every_connector import connector_of, folders, suite_of
from tests.fire.fuzz.mutations import mutants
from tillbridge.app.settings import FILE, SettingsRefused, load_workspace
from tillbridge.app.workspace import init
from tillbridge.app.xref_files import read_rows
from tillbridge.atoms.card_numbers import mask
from tillbridge.atoms.errors import NeedsDecision, Refused
from tillbridge.atoms.ids import SeededIds
from tillbridge.canonical.settlement import Told
from tillbridge.contract.conformance import settling
from tillbridge.contract.conformance.samples import Sample, message_of
from tillbridge.contract.promises import NamesFiles, ReadsSettlements
from tillbridge.posting.money.policy import parse_rates

SEED = 20260115
SECONDS_MOST = 5.0
MEMORY_MOST_KB = 400 * 1024
COUNTS = [300, pytest.param(5_000, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])]
counted = pytest.mark.parametrize("count", COUNTS)

TOPICS = sorted({message.topic for _, message in suite_of("shopify").messages()})


def survives(corpus: Sequence[bytes], count: int, body_taken: Callable[[bytes], None]) -> None:
    """Feed mutants; what is taken raises nothing, is quick, and memory stays where it was."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, body in mutants(corpus, count, SEED):
        began = time.monotonic()
        try:
            body_taken(body)
        except Exception as problem:
            raise AssertionError(f"seed {SEED}, number {number}: {body[:300]!r}") from problem
        took = time.monotonic() - began
        assert took < SECONDS_MOST, f"seed {SEED}, number {number} took {took:.1f} s"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MEMORY_MOST_KB


def refusal(call: Callable[[], object], *errors: type[Exception]) -> str | None:
    """The words something is refused with, None when it is taken."""
    try:
        call()
    except errors as problem:
        return str(problem)
    return None


def samples(name: str) -> tuple[Sample, ...]:
    return suite_of(name).samples


@counted
@pytest.mark.parametrize("topic", TOPICS)
def test_a_damaged_webhook_of_the_shop_is_told_or_a_case(topic: str, count: int) -> None:
    suite = suite_of("shopify")
    corpus = [m.body for _, m in suite.messages() if m.topic == topic]
    sample, message = next((s, m) for s, m in suite.messages() if m.topic == topic)

    def taken(body: bytes) -> None:
        damaged = msgspec.structs.replace(message, body=body)
        outcome = suite.outcome(damaged, sample.connection)
        assert outcome.kind != "error", outcome.words

    survives(corpus, count, taken)


FILES = [
    (name, sample.name)
    for name in ("feed", "poslog", "shopify")
    for sample in samples(name)
    if sample.file
]


@counted
@pytest.mark.parametrize(("name", "file"), FILES)
def test_a_damaged_file_is_cut_to_its_end_and_each_piece_is_told_or_a_case(
    name: str, file: str, count: int
) -> None:
    suite = suite_of(name)
    (sample,) = (one for one in suite.samples if one.name == file)
    corpus = [other.file for other in suite.samples if other.file]

    def taken(body: bytes) -> None:
        items = list(suite.reader.split(BytesIO(body), "f", sample.connection, sample.topic))
        for item in items[:50]:
            if not item.problem:
                message = message_of(item, sample.connection)
                outcome = suite.outcome(message, sample.connection)
                assert outcome.kind != "error", outcome.words

    survives([sample.file or b"", *corpus[:1]], count, taken)


SETTLEMENTS = [
    (name, path)
    for name in folders()
    if isinstance(connector_of(name), ReadsSettlements)
    for path in settling.sample_files(suite_of(name))
]


@counted
@pytest.mark.parametrize(
    ("name", "path"), SETTLEMENTS, ids=[f"{name}-{path.name}" for name, path in SETTLEMENTS]
)
def test_a_damaged_settlement_is_told_broken_or_a_case(name: str, path: Path, count: int) -> None:
    suite = suite_of(name)
    reader = cast("ReadsSettlements", suite.connector)
    there = settling.connection_of(suite, path)

    def taken(body: bytes) -> None:
        reader.settles(path.name, body[: settling.HEAD_BYTES], there)
        told: list[Told] = []
        with suppress(NeedsDecision):
            told += reader.settlement(BytesIO(body), path.name, there)
        msgspec.json.encode(told)

    survives([path.read_bytes()], count, taken)


@counted
def test_damaged_settings_are_refused_with_file_and_line(tmp_path: Path, count: int) -> None:
    init(tmp_path / "good", SeededIds(1))
    corpus = [(tmp_path / "good" / FILE).read_bytes()]

    def taken(body: bytes) -> None:
        (tmp_path / FILE).write_bytes(body)
        words = refusal(lambda: load_workspace(tmp_path), SettingsRefused)
        assert words is None or FILE in words

    survives(corpus, count, taken)


@counted
def test_a_damaged_mapping_is_refused_in_words(tmp_path: Path, count: int) -> None:
    folder = suite_of("feed").samples_folder
    corpus = [path.read_bytes() for path in sorted(folder.glob("*.toml"))]
    config = connector_of("feed").config

    def taken(body: bytes) -> None:
        read = cast("NamesFiles", msgspec.convert({"mapping": "m.toml"}, config)).with_files
        words = refusal(lambda: read(lambda _: body.decode("utf-8")), ValueError, Refused)
        assert words is None or words

    survives(corpus, count, taken)


@counted
def test_damaged_tables_of_names_and_rates_are_refused_in_words(tmp_path: Path, count: int) -> None:
    names = b"connection,table,theirs,ours\nweb,product,A,B\nweb,location,1,wh-east\n"
    rates = b"from,to,day,rate\nEUR,USD,2026-01-15,1.0832\nJPY,USD,2026-01-15,0.0067\n"

    def taken(body: bytes) -> None:
        (tmp_path / "names.csv").write_bytes(body)
        words = refusal(lambda: read_rows(tmp_path / "names.csv"), Refused)
        assert words is None or "names.csv" in words
        text = body.decode("utf-8", "replace")
        words = refusal(lambda: parse_rates(text, "rates.csv"), Refused, ValueError)
        assert words is None or words

    survives([names, rates], count, taken)


@counted
def test_masking_keeps_length_and_json_whatever_it_meets(count: int) -> None:
    order = samples("shopify")[0].messages[0].body
    corpus = [
        order,
        b'{"card_number": 4111111111111111, "cvv": 123, "note": "378282246310005 or"}',
        b'{"x": ["5555-5555-5555-4444", {"cvc": "1234", "name": "6011 1111 1111 1117"}]}',
        b"<T><PAN>4111111111111111</PAN><CVV>123</CVV>%B4111111111111111^A/B^25121010?</T>",
    ]

    def taken(body: bytes) -> None:
        masked = mask(body)
        if masked is None:
            return
        assert len(masked.body) == len(body)
        assert masked.words
        again = mask(masked.body)
        assert again is None or not [one for one in again.findings if one.brand]
        try:
            json.loads(body)
        except (ValueError, RecursionError):
            return
        json.loads(masked.body)

    survives(corpus, count, taken)
