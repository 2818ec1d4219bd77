"""PayPal's report: signs beside amounts, totals of sections, and bytes that would make it lie."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.connectors.settled import broken, lines, residuals
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import LINE_TYPES, FileTotal, PayoutTold, Told
from tillbridge.connectors.paypal import inbound, wire
from tillbridge.connectors.paypal.config import PaypalConfig

REPORT = (
    Path(inbound.__file__).parent / "samples" / "settlement" / "stl_20260303.csv"
).read_bytes()
ROWS = REPORT.split(b"\n")
USD = ("ACCT0000000001/USD/2026-03-03", "USD")


def _read(data: bytes, config: PaypalConfig | None = None) -> list[Told]:
    return list(inbound.read(io.BytesIO(data), config or PaypalConfig()))


def _words(told: list[Told]) -> list[str]:
    return [one.words for one in broken(told)]


def test_every_code_means_a_type_of_ours() -> None:
    assert {*wire.CODES.values(), *wire.GROUPS.values(), wire.UNKNOWN} <= set(LINE_TYPES)


def test_balances_and_rows_of_a_day_come_to_what_was_withdrawn() -> None:
    told = _read(REPORT)
    assert (residuals(told), broken(told)) == ({}, [])
    heads = [one for one in told if isinstance(one, PayoutTold)]
    assert [(one.payout, one.amount) for one in heads] == [
        (USD[0], 9_000),
        ("ACCT0000000001/EUR/2026-03-03", 0),
    ]
    assert heads[0].paid_on == date(2026, 3, 3)
    assert [one.lines for one in told if isinstance(one, FileTotal)] == [len(lines(told))]


def test_the_letters_beside_an_amount_are_its_sign() -> None:
    sale, _, refund, dispute, *_ = lines(_read(REPORT))
    assert (sale.gross, sale.fee, sale.net) == (10_000, 349, 9_651)
    assert (sale.reference, sale.order) == ("TX000000000000001", "1001")
    assert sale.at == datetime(2026, 3, 3, 18, tzinfo=UTC)
    assert (refund.gross, refund.fee, refund.net) == (-2_500, -73, -2_427)
    assert refund.parent == "TX000000000000001"
    assert (dispute.gross, dispute.fee, dispute.net) == (-3_000, 2_000, -5_000)


@pytest.mark.parametrize(
    ("code", "direction", "type_"),
    [
        ("T0006", "CR", "sale"),
        ("T0006", "DR", "unknown"),
        ("T0001", "DR", "unknown"),
        ("T0400", "DR", "payout"),
        ("T1101", "CR", "payout_failed"),
        ("T1107", "DR", "refund"),
        ("T2103", "DR", "reserve"),
        ("T9999", "CR", "unknown"),
    ],
)
def test_a_code_says_what_a_row_is(code: str, direction: str, type_: str) -> None:
    assert wire.type_of(code, direction) == type_


def test_how_many_decimals_an_amount_implies_can_be_said() -> None:
    data = REPORT.replace(b'"EUR"', b'"JPY"')
    assert (lines(_read(data))[-2].gross, broken(_read(data))) == (2_000, [])
    told = _read(data, PaypalConfig(places={"JPY": 2}))
    assert any("no whole number of its smallest coin" in words for words in _words(told))
    for was, spoilt in (
        (b"455,", b"400,"),
        (b"103", b"100"),
        (b"2455", b"2400"),
        (b"2352", b"2300"),
    ):
        data = data.replace(was, spoilt)
    told = _read(data, PaypalConfig(places={"JPY": 2}))
    assert (lines(told)[-2].gross, lines(told)[-1].gross, broken(told)) == (20, -23, [])
    told = _read(REPORT, PaypalConfig(places={"USD": 0}))
    assert lines(told)[0].gross == 1_000_000


def test_only_the_accounts_that_are_wanted_are_told() -> None:
    assert _read(REPORT, PaypalConfig(accounts=("ANOTHER",))) == []
    assert len(lines(_read(REPORT, PaypalConfig(accounts=("ACCT0000000001",))))) == 13


# -- bytes that would make it lie ---------------------------------------------------------------


@pytest.mark.parametrize("column", wire.WANTED)
def test_a_column_that_is_gone_or_called_otherwise_is_named(column: str) -> None:
    names = ROWS[3].decode()
    at = " ".join(names.lower().split("  ")).index(column)
    spoilt = ROWS[3][: at + 1] + b"x" + ROWS[3][at + 1 :]
    data = REPORT.replace(ROWS[3], spoilt.replace(b"  ", b" "))
    with pytest.raises(NeedsDecision, match="no column"):
        _read(data)


def test_columns_in_another_order_tell_the_same() -> None:
    out = []
    for row in ROWS[:-1]:
        cells = row.split(b",")
        turned = [cells[0], *cells[:0:-1]] if cells[0] in (b'"CH"', b'"SB"') else cells
        out.append(b",".join(turned))
    told = [replace(one, extra="") for one in lines(_read(b"\n".join(out)))]
    assert told == [replace(one, extra="") for one in lines(_read(REPORT))]


def test_one_row_altered_left_out_or_turned_round_shows_to_the_cent() -> None:
    for n, row in enumerate(ROWS):
        cells = row.split(b",")
        if cells[0] != b'"SB"' or b"USD" not in row or b"T0400" in row:
            continue
        gross = int(cells[9]) * (1 if cells[8] == b'"CR"' else -1)
        fee = (
            int(cells[12]) * (1 if cells[11] == b'"CR"' else -1)
            if cells[12] not in (b"", b'""')
            else 0
        )
        more = [*cells[:9], str(int(cells[9]) + 7).encode(), *cells[10:]]
        other = b'"DR"' if cells[8] == b'"CR"' else b'"CR"'
        turned = [*cells[:8], other, *cells[9:]]
        for changed, rest in (
            ([b",".join(more)], 7 if gross > 0 else -7),
            ([], -gross - fee),
            ([b",".join(turned)], -2 * gross),
        ):
            told = _read(b"\n".join([*ROWS[:n], *changed, *ROWS[n + 1 :]]))
            assert residuals(told) == {USD: rest}, (n, changed)
            assert any("its rows come to" in words for words in _words(told))


def test_a_row_in_another_currency_or_told_twice_is_told() -> None:
    swapped = ROWS[4].replace(b"USD", b"GBP")
    told = _read(b"\n".join([*ROWS[:4], swapped, *ROWS[5:]]))
    assert residuals(told) == {USD: -9_651, ("ACCT0000000001/GBP/2026-03-03", "GBP"): None}
    assert "ACCT0000000001/GBP/2026-03-03 has no footer (SF)" in _words(told)
    told = _read(b"\n".join([*ROWS[:4], ROWS[4], *ROWS[4:]]))
    assert len({one.line for one in lines(told)}) == len(lines(told)) - 1
    assert "the section says 8 rows and holds 9" in _words(told)


@pytest.mark.parametrize(
    ("was", "spoilt", "words"),
    [
        (b'"SC",8', b'"SC",7', "the section says 7 rows and holds 8"),
        (b'"CR",1000,"CR",4489', b'"CR",1001,"CR",4489', "ends with 1001"),
        (b'"SF","USD",15011', b'"SF","USD",15012', "its credits say 15012"),
        (b",73,2573,", b",73,2574,", "its debits of fees say 2574"),
        (b'"SF","USD",15011,16000,73,2573', b'"SF","USD"', "'CR' is no amount"),
        (b'"CR",10000', b'"CR",100.00', "whole numbers without a sign"),
        (b'"CR",10000', b'"CR",-10000', "whole numbers without a sign"),
        (b'"CR",10000', b'"CR","=1+1"', "whole numbers without a sign"),
        (b'"CR",10000', b'"XX",10000', "neither CR nor DR"),
        (b'349,"USD"', b'349,"EUR"', "a fee in EUR"),
        (b'"CR",11,"USD"', b'"CR",11,"QQQ"', "no ISO 4217"),
        (b'"FF",10', b'"XX",10', "no record of a settlement report"),
        (b'"FF",10', b"", "it was cut off"),
        (b'"SH",2026/03/03 00:00:00 -0800,2026', b'"SH",2026/03/03 00:00:00 -0800,x', "SH:"),
    ],
)
def test_what_is_not_so_is_told(was: bytes, spoilt: bytes, words: str) -> None:
    told = _read(REPORT.replace(was, spoilt, 1))
    assert any(words in one for one in _words(told)), _words(told)


def test_a_file_that_was_cut_off_says_so() -> None:
    for part in range(200, len(REPORT) - 3, 7):
        assert _is_cut(REPORT[:part]), part


def _is_cut(data: bytes) -> bool:
    """Whether it is told, or refused at the second section's columns."""
    try:
        return bool(broken(_read(data)))
    except NeedsDecision as problem:
        return "no column" in problem.words


def test_marks_line_ends_letters_and_long_lines_change_nothing() -> None:
    plain = _read(REPORT)
    assert _read(REPORT.removeprefix(b"\xef\xbb\xbf")) == plain
    assert _read(REPORT.replace(b"\n", b"\r\n")) == plain
    assert _read(REPORT.replace(b",", b"\t")) == plain
    told = _read(REPORT.replace(b'"1001"', b'"10,01 ""caf\xe9"""', 1))
    assert lines(told)[0].order == '10,01 "caf\\xe9"'
    assert broken(told) == []
    told = _read(b"\n".join([*ROWS[:5], b"x" * 1_000_000, *ROWS[5:]]))
    assert (len(broken(told)), residuals(told)) == (1, {})


def test_another_report_is_not_read() -> None:
    detail = REPORT.replace(b'"Custom Field"', b'"Transactional Status"')
    assert not wire.is_report(detail[:4096])
    with pytest.raises(NeedsDecision, match="transaction detail"):
        _read(detail)
    for data in (b"", b"id,amount\n1,2\n", b":20:X\n"):
        assert not wire.is_report(data)
        with pytest.raises(NeedsDecision, match="does not begin"):
            _read(data)
