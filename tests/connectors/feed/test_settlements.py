"""A marketplace's settlement by a mapping: lines and totals, and bytes that would make it lie."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest

from tests.connectors.settled import broken, lines, residuals
from tests.connectors.test_every_connector import suite_of
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import Told
from tillbridge.connectors.feed import connector, inbound_settlements
from tillbridge.connectors.feed.config import FeedConfig, MappingError
from tillbridge.contract.promises import Connection
from tillbridge.contract.settlement import wrong_with

FOLDER = suite_of("feed").samples_folder / "settlement"
FILE = (FOLDER / "marketplace.csv").read_bytes()
MAPPING = (FOLDER / "marketplace.toml").read_text(encoding="utf-8")
PAYOUT = ("M-2026-09", "EUR")
CONTROL = '\n[control]\nrow = "last"\nstarts = "ENDE"\ncount = 2\n'


def _at(mapping: str = MAPPING) -> Connection:
    settings = FeedConfig(mapping="m.toml").with_files(lambda _: mapping)
    told = {"name": "market", "entity": "de", "channel": "market", "currency": "EUR"}
    plain = msgspec.convert({**told, "timezone": "Europe/Berlin"}, Connection)
    return msgspec.structs.replace(plain, settings=settings)


def _read(data: bytes, mapping: str = MAPPING) -> list[Told]:
    return list(inbound_settlements.read(io.BytesIO(data), _at(mapping)))


def test_lines_come_to_the_total_of_their_payout() -> None:
    told = _read(FILE)
    assert (residuals(told), broken(told)) == ({}, [])
    assert [wrong_with(one) for one in lines(told)] == [""] * 7
    first = lines(told)[0]
    assert (first.gross, first.fee, first.net, first.order) == (11_900, 1_785, 10_115, "M-1001")
    assert lines(told)[-1].type == "unknown"


def test_only_mappings_of_settlements_settle() -> None:
    sales = suite_of("feed").connection
    assert not connector.settles("sales.csv", b"", sales)
    assert connector.settles("marketplace.csv", b"", _at())
    with pytest.raises(NeedsDecision, match="no settlements"):
        list(connector.settlement(io.BytesIO(FILE), "f", sales))


def test_a_net_amount_alone_is_enough_and_one_that_contradicts_is_seen() -> None:
    net = MAPPING.replace("gross =", "net =", 1)
    assert lines(_read(FILE, net))[0].gross == 11_900 + 1_785
    both = MAPPING.replace("fee =", 'net = { from = "Betrag", do = ["decimal_comma"] }\nfee =', 1)
    assert "is not gross" in wrong_with(lines(_read(FILE, both))[0])
    with pytest.raises(MappingError, match="payout"):
        _at(MAPPING.replace('payout = "Abrechnung"', "", 1))


def test_one_row_altered_left_out_doubled_or_in_another_currency_shows_to_the_cent() -> None:
    rows = FILE.splitlines(keepends=True)
    entry = rows[1]
    for changed, rest in (
        ([entry.replace(b"119,00", b"119,01")], {PAYOUT: 1}),
        ([], {PAYOUT: -10_115}),
        ([entry, entry], {PAYOUT: 10_115}),
        ([entry.replace(b"EUR", b"USD")], {PAYOUT: -10_115, (PAYOUT[0], "USD"): None}),
    ):
        assert residuals(_read(b"".join([rows[0], *changed, *rows[2:]]))) == rest


def test_control_totals_are_believed_before_any_line() -> None:
    mapping = MAPPING + CONTROL
    assert residuals(_read(FILE + b"ENDE;8\n", mapping)) == {}
    for data, words in (
        (FILE + b"ENDE;9\n", "the whole file is refused"),
        (FILE, "no control record"),
        (FILE + b"ENDE;8\nM;x\n", "rows after the control record"),
    ):
        with pytest.raises(NeedsDecision, match=words):
            _read(data, mapping)


@pytest.mark.parametrize(
    ("was", "spoilt", "words"),
    [
        (b"119,00;17,85", b"=1+1;17,85", "is not a number"),
        (b"119,00;17,85", b";17,85", "neither a gross nor a net"),
        (b"119,00;17,85", b"119,005;17,85", "119.005"),
        (b"02.03.2026;10:00", b"32.03.2026;10:00", "at:"),
        (b";Verkauf;M-1001", b";Neues;M-1001", "no section of the mapping"),
        (b"M-2026-09;B1", b";B1", "payout is empty"),
        (b"17,85;EUR", b"17,85;QQQ", "no ISO 4217"),
        (b"17,85;EUR", b"17,85;EUR;x", "11 values for 10 columns"),
        (b"Z1;02", b"Z\x811;02", "is not cp1252"),
        (b"Z1;02", b"Z\x001;02", "a NUL"),
        (b"Z1;02", b"Z" * 1_100_000 + b";02", "a line of more than"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_goes_on(
    was: bytes, spoilt: bytes, words: str
) -> None:
    told = _read(FILE.replace(was, spoilt, 1))
    assert any(words in one.words for one in broken(told)), broken(told)
    assert len(lines(told)) == 6


def test_a_column_that_is_gone_or_called_otherwise_is_named() -> None:
    with pytest.raises(NeedsDecision, match="no column 'Betrag'"):
        _read(FILE.replace(b"Betrag", b"Summe", 1))
    with pytest.raises(NeedsDecision, match="no header"):
        _read(b"")


def test_a_file_that_was_cut_off_tells_no_total() -> None:
    for part in range(FILE.index(b"\n") + 1, FILE.rindex(b"M-2026-09")):
        told = _read(FILE[:part])
        assert broken(told) or residuals(told) or not told


def test_marks_line_ends_and_quoted_separators_stay_in_their_row() -> None:
    plain = _read(FILE)
    assert _read(FILE.replace(b"\n", b"\r\n")) == plain
    assert (
        _read(b"\xef\xbb\xbf" + FILE.decode("cp1252").encode(), MAPPING.replace("cp1252", "utf-8"))
        == plain
    )
    told = _read(FILE.replace(b";Z1;", b';"Z;1 ""a""";', 1))
    assert (lines(told)[0].reference, residuals(told)) == ('Z;1 "a"', {})


def test_the_sample_is_the_one_the_page_names() -> None:
    readme = Path(inbound_settlements.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert "samples/settlement/marketplace.toml" in readme
