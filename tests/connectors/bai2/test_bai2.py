"""BAI2: every control total, every way to go on, and bytes that would make it lie."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest

from tests.connectors.settled import REAL, broken, differences
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import BankLine, StatementTold, Told
from tillbridge.connectors.bai2 import inbound, wire
from tillbridge.connectors.bai2.config import Bai2Config

SAMPLES = Path(inbound.__file__).parent / "samples" / "settlement"
WHOLE = (SAMPLES / "previous_day.txt").read_bytes()
INTERIM = (SAMPLES / "within_the_day.txt").read_bytes()
FIRST = "0123456789/2026-03-03"
RECORDED = REAL / "04_payments" / "bank" / "bai2"


def _read(data: bytes, config: Bai2Config | None = None) -> list[Told]:
    return list(inbound.read(io.BytesIO(data), config or Bai2Config()))


def _lines(told: list[Told]) -> list[BankLine]:
    return [one for one in told if isinstance(one, BankLine)]


def _statements(told: list[Told]) -> list[StatementTold]:
    return [one for one in told if isinstance(one, StatementTold)]


def _words(told: list[Told]) -> list[str]:
    return [one.words for one in broken(told)]


def test_opening_and_lines_come_to_closing_and_every_total_holds() -> None:
    told = _read(WHOLE)
    assert (differences(told), broken(told)) == ({}, [])
    head = _statements(told)[0]
    assert (head.lines, head.credits, head.debits) == (4, 96_380, 34_280)


def test_a_line_tells_its_direction_its_references_and_its_words() -> None:
    first, second, third, fourth = _lines(_read(WHOLE))
    assert (first.amount, first.line, first.reference) == (86_380, "PAY-1", "ST-1")
    assert (second.value_on, second.booked_on) == (date(2026, 3, 4), date(2026, 3, 3))
    assert second.text == ("AMAZON PAYMENTS, INC. 90000000001 SETTLEMENT 2026-03-01 TO 2026-03-14")
    assert (third.amount, third.told) == (-30_280, "455")
    assert (fourth.amount, fourth.text) == (-4_000, "MISC")


def test_a_report_within_the_day_is_told_as_one_that_nothing_proves() -> None:
    told = _read(INTERIM)
    assert differences(told) == {"107049924/2026-03-03/1200": None}
    assert broken(told) == []
    assert _lines(told)[0].text == "Incoming Wire,From: PAYPAL INC, Ref: 4/5 EREF: STL-20260303"
    assert _read(INTERIM, Bai2Config(interim=False)) == []


def test_only_the_accounts_that_are_wanted_are_told() -> None:
    told = _read(WHOLE, Bai2Config(accounts=("9876543210",)))
    assert [one.account for one in _statements(told)] == ["9876543210"]
    assert broken(told) == []


# -- bytes that would make it lie ---------------------------------------------------------------

ENTRY = b"16,165,86380,Z,PAY-1,ST-1,STRIPE TRANSFER PAYOUT/\n"


@pytest.mark.parametrize(
    ("changed", "rest", "total"),
    [
        (ENTRY.replace(b"86380", b"86480"), 100, 523_520),
        (b"", -86_380, 437_040),
        (ENTRY + ENTRY, 86_380, 609_800),
    ],
)
def test_one_line_altered_left_out_or_doubled_shows_to_the_cent(
    changed: bytes, rest: int, total: int
) -> None:
    told = _read(WHOLE.replace(ENTRY, changed))
    assert differences(told) == {FIRST: rest}
    assert f"account 0123456789: its total says 523420, its amounts come to {total}" in _words(told)


def test_a_direction_that_was_swapped_shows_in_the_balances() -> None:
    assert differences(_read(WHOLE.replace(b"16,165,", b"16,455,"))) == {FIRST: -2 * 86_380}


@pytest.mark.parametrize(
    ("was", "spoilt", "words"),
    [
        (b"49,523420,8", b"49,523420,9", "account 0123456789: it says 9 records and holds 8"),
        (b"98,533420,2,12", b"98,533421,2,12", "group: its total says 533421"),
        (b"98,533420,2,12", b"98,533420,3,12", "group: it says 3 parts and holds 2"),
        (b"98,533420,2,12", b"98,533420,2,13", "group: it says 13 records and holds 12"),
        (b"99,533420,1,14", b"99,533420,2,14", "file: it says 2 parts and holds 1"),
        (b"99,533420,1,14", b"99,0,1,14", "file: its total says 0"),
        (b"16,699,", b"16,999,", "type '999' with '4000' has no direction"),
        (b"16,699,4000,", b"16,699,-4000,", "has no direction"),
        (b"16,699,4000,", b"16,699,40.00,", "'40.00' is no amount"),
        (b"16,699,4000,D,2", b"16,699,4000,Q,2", "no type of funds"),
        (b"16,165,86380", b"61,165,86380", "is no record"),
        (b"49,523420,8/\n", b"", "account 0123456789 has no trailer (49)"),
        (b"0123456789,,010,100000", b"0123456789,QQQ,010,100000", "no ISO 4217"),
    ],
)  # fmt: skip
def test_what_is_not_so_is_told_and_the_rest_goes_on(was: bytes, spoilt: bytes, words: str) -> None:
    told = _read(WHOLE.replace(was, spoilt, 1))
    assert any(words in one for one in _words(told)), _words(told)
    assert "9876543210/2026-03-03" in [one.statement for one in _statements(told)]


def test_a_file_that_was_cut_off_says_so() -> None:
    for part in range(60, len(WHOLE) - 2):
        told = _read(WHOLE[:part])
        assert broken(told), WHOLE[:part][-30:]


def test_an_account_twice_in_a_file_counts_once() -> None:
    account = WHOLE[WHOLE.index(b"03,0123") : WHOLE.index(b"03,9876")]
    told = _read(WHOLE.replace(account, account + account))
    assert _lines(told) == _lines(_read(WHOLE))
    assert any("stands in the file twice" in words for words in _words(told))


@pytest.mark.parametrize(("status", "words"), [(b"2", "a deletion"), (b"4", "a test")])
def test_a_deletion_and_a_test_count_for_nothing(status: bytes, words: str) -> None:
    told = _read(WHOLE.replace(b"111000111,1,", b"111000111," + status + b","))
    assert _statements(told) == []
    assert [one for one in _words(told) if words in one]


def test_marks_line_ends_blanks_and_long_lines_change_nothing() -> None:
    plain = _read(WHOLE)
    assert _read(b"\xef\xbb\xbf" + WHOLE) == plain
    assert _read(WHOLE.replace(b"\n", b"\r\n")) == plain
    assert _read(WHOLE.replace(b"\n", b"     \n")) == plain
    told = _read(WHOLE.replace(b"49,5", b"x" * 1_000_000 + b"\n49,5"))
    assert (len(broken(told)), differences(told)) == (1, {})


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"00,0004,1/2\n", b":20:X\n:25:1\n:61:\n"])
def test_another_file_is_not_read(data: bytes) -> None:
    assert not wire.is_statement(data)
    with pytest.raises(NeedsDecision, match=r"does not begin|empty"):
        _read(data)


# totals that are not so, counted by hand: the file whose figures were all changed has them
WRONG = {
    "sample2.txt": (5, 0),
    "sample4-continuations-newline-delimited.txt": (5, 8),
    "sample5-issue113.txt": (5, 9),
}


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded bank statements are not here")
@pytest.mark.parametrize("name", WRONG)
def test_recorded_files_are_read_to_the_last_record(name: str) -> None:
    data = (RECORDED / name).read_bytes()
    assert wire.is_statement(data[:4096])
    told = _read(data)
    assert (len(_statements(told)), len(broken(told))) == WRONG[name]
    assert len(_lines(told)) == data.count(b"\n16,")


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded bank statements are not here")
def test_a_recorded_file_that_is_none_is_refused() -> None:
    with pytest.raises(NeedsDecision, match="does not begin with"):
        _read((RECORDED / "sample-parseError.txt").read_bytes())
