"""MT940: balances to the cent, each bank's way of writing, and bytes that would make it lie."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest

from tests.connectors.settled import REAL, broken, differences
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import BankLine, StatementTold, Told
from tillbridge.connectors.mt940 import inbound, wire
from tillbridge.connectors.mt940.config import Mt940Config

SAMPLES = Path(inbound.__file__).parent / "samples" / "settlement"
GERMAN = (SAMPLES / "statement.sta").read_bytes()
PAGES = (SAMPLES / "pages.940").read_bytes()
INTERIM = (SAMPLES / "interim.942").read_bytes()
FIRST = "10020030/1234567/2026-03-02/00041/001"
RECORDED = REAL / "04_payments" / "bank" / "mt940"


def _read(data: bytes, config: Mt940Config | None = None) -> list[Told]:
    return list(inbound.read(io.BytesIO(data), config or Mt940Config()))


def _lines(told: list[Told]) -> list[BankLine]:
    return [one for one in told if isinstance(one, BankLine)]


def _statements(told: list[Told]) -> list[StatementTold]:
    return [one for one in told if isinstance(one, StatementTold)]


@pytest.mark.parametrize("data", [GERMAN, PAGES])
def test_opening_and_lines_come_to_closing_in_every_message(data: bytes) -> None:
    told = _read(data)
    assert len(_statements(told)) == 2
    assert (differences(told), broken(told)) == ({}, [])


def test_a_line_tells_both_days_its_references_and_its_words() -> None:
    first, second, third = _lines(_read(GERMAN))
    assert (first.line, first.reference, first.told) == (
        "B0303-1",
        "PAYOUT-00000000000412",
        "NTRF/166",
    )
    assert first.text == (
        "EREF+PAYOUT-00000000000412 SVWZ+STRIPE PAYOUT STRIPE TECHNOLOGY EUROPE GUTSCHRIFT"
    )
    assert (second.amount, second.reference) == (-2_500, "RP-77")
    assert "RUECKLASTSCHRIFT" in second.text
    assert (third.amount, third.reversal, third.text) == (-1_000, True, "Storno Müller")


def test_the_year_of_an_entry_is_the_one_nearest_to_its_value() -> None:
    line = _lines(_read(PAGES))[0]
    assert (line.value_on, line.booked_on) == (date(2025, 12, 31), date(2026, 1, 2))
    assert line.reference == "TX123batch42"
    back = PAGES.replace(b":61:2512310102", b":61:2601021231")
    assert _lines(_read(back))[0].booked_on == date(2025, 12, 31)
    leap = PAGES.replace(b":61:2512310102", b":61:2303010229")
    assert _lines(_read(leap))[0].booked_on == date(2024, 2, 29)


def test_an_interim_report_is_told_with_its_own_totals_and_nothing_that_proves_it() -> None:
    told = _read(INTERIM)
    (head,) = _statements(told)
    assert (head.lines, head.credits, head.debits) == (2, 12_050, 2_000)
    assert differences(told) == {head.statement: None}
    assert _read(INTERIM, Mt940Config(interim=False)) == []


def test_only_the_accounts_that_are_wanted_are_told() -> None:
    assert _read(GERMAN, Mt940Config(accounts=("NL00BANK0123456789",))) == []
    assert len(_read(PAGES, Mt940Config(accounts=("NL00BANK0123456789",)))) == 4


@pytest.mark.parametrize(
    ("mark", "amount"),
    [("C", 1), ("D", -1), ("RC", -1), ("RD", 1), ("CR", 1), ("DR", -1), ("RCR", -1), ("RDR", 1)],
)
def test_the_mark_says_which_way_it_went(mark: str, amount: int) -> None:
    data = PAGES.replace(b"2512310102C150,N", f"2512310102{mark}0,01N".encode())
    line = _lines(_read(data))[0]
    assert (line.amount, line.reversal) == (amount, mark.startswith("R"))


# -- bytes that would make it lie ---------------------------------------------------------------


def test_one_line_altered_left_out_or_doubled_shows_to_the_cent() -> None:
    entry = b":61:2603030303DR25,00NDDTRP-77//B0303-2\r\n"
    for changed, rest in (
        (entry.replace(b"25,00", b"26,00"), -100),
        (entry.replace(b"DR", b"CR"), 5_000),
        (b"", 2_500),
        (entry + entry, -2_500),
    ):
        assert differences(_read(GERMAN.replace(entry, changed))) == {FIRST: rest}


def test_a_statement_twice_in_a_file_counts_once() -> None:
    told = _read(GERMAN + GERMAN)
    assert _lines(told) == _lines(_read(GERMAN))
    assert differences(told) == {}
    assert len(broken(told)) == 2


def test_a_file_that_was_cut_off_is_never_proven() -> None:
    whole = _read(PAGES)
    for part in range(80, len(PAGES) - 20):
        try:
            told = _read(PAGES[:part])
        except NeedsDecision:
            continue
        if told != whole:
            proven = [one for one in _statements(told) if one.statement not in differences(told)]
            ends = PAGES[:part].count(b":62")
            assert len(proven) <= ends
            assert broken(told) or differences(told) or len(proven) < len(_statements(whole))


@pytest.mark.parametrize(
    ("was", "spoilt", "words"),
    [
        (b":60F:C260302EUR1000,00", b":60F:C260302EUR1.000,00", "no balance"),
        (b":60F:C260302EUR1000,00", b":60F:C260302QQQ1000,00", "no ISO 4217"),
        (b":62F:C260303EUR1928,80\r\n:64", b":62F:C260303USD1928,80\r\n:64", "a balance in USD"),
        (b"CR963,80", b"CR963.80", "no statement line"),
        (b"CR963,80", b"CR=1+1", "no statement line"),
        (b"CR963,80", b"CR963,801", "more than 2 decimals"),
        (b":61:260303", b":61:261303", "month"),
        (b":25:10020030/1234567\r\n:28C:00041", b":28C:00041", "no account"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_goes_on(
    was: bytes, spoilt: bytes, words: str
) -> None:
    told = _read(GERMAN.replace(was, spoilt, 1))
    assert any(words in one.words for one in broken(told))
    assert "10020030/1234567/2026-03-03/00042/001" in [one.statement for one in _statements(told)]
    assert FIRST not in [one.statement for one in _statements(told)] or differences(told)


def test_marks_line_ends_and_long_lines_change_nothing() -> None:
    plain = _read(PAGES)
    assert _read(b"\xef\xbb\xbf" + PAGES) == plain
    assert _read(PAGES.replace(b"\n", b"\r\n")) == plain
    long = PAGES.replace(b":62M", b"x" * 1_000_000 + b"\n:62M")
    told = _read(long)
    assert (len(broken(told)), differences(told)) == (1, {})


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"<Document/>"])
def test_another_file_is_not_read(data: bytes) -> None:
    assert not wire.is_statement(data)
    with pytest.raises(NeedsDecision, match="no statement"):
        _read(data)


# what does not tie there, by hand: the file is wrong by so much, or has no balances (None)
WRONG = {
    "ASNB_0708271685_09022020_164516.940.txt": {},
    "betterplace_with_binary_character.sta": {},
    "jejik_abnamro.sta": {
        "517852257/2011-05-22/19321/1": 203_800,
        "517852257/2011-05-23/19322/1": 100_260,
    },
    "jejik_ing.sta": {"0001234567/2010-07-22/000": -4_906},
    "jejik_postfinance.sta": {"123456789/2014-04-07/999/2": -20},
    "mBank_mt942.sta": {"PL29114010810000267002001002/2017-01-19/1/1": None},
    "self-provided_overly_long_details.sta": {"12345678/1020304050/2017-09-14/0": -23_401},
}


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded bank statements are not here")
@pytest.mark.parametrize("name", WRONG)
def test_recorded_statements_are_read_to_the_last_line(name: str) -> None:
    data = (RECORDED / name).read_bytes()
    assert wire.is_statement(data[:4096])
    told = _read(data)
    assert broken(told) == []
    assert len(_lines(told)) == data.count(b"\n:61:")
    assert differences(told) == WRONG[name]
