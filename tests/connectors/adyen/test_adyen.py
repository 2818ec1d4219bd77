"""Adyen's report: batches that come to nothing, fees in columns, bytes that would make it lie."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.connectors.settled import broken, lines, residuals
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import LINE_TYPES, PayoutTold, Told
from tillbridge.connectors.adyen import inbound, wire
from tillbridge.connectors.adyen.config import AdyenConfig
from tillbridge.contract.settlement import wrong_with

SAMPLES = Path(inbound.__file__).parent / "samples" / "settlement"
PAID = (SAMPLES / "settlement_detail_report_batch_41.csv").read_bytes()
CARRIED = (SAMPLES / "settlement_detail_report_batch_42.csv").read_bytes()
BATCH = ("AcmeDE/41/EUR", "EUR")


def _read(data: bytes, config: AdyenConfig | None = None) -> list[Told]:
    return list(inbound.read(io.BytesIO(data), config or AdyenConfig()))


def _table(data: bytes) -> tuple[list[str], list[dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(data.decode()))
    rows = list(reader)
    return list(reader.fieldnames or ()), rows


def _written(header: list[str], rows: list[dict[str, str]], mark: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, delimiter=mark, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def test_every_journal_type_means_a_type_of_ours() -> None:
    assert set(wire.TYPES.values()) <= set(LINE_TYPES)
    assert set(wire.TYPES) >= wire.NAMED


def test_the_rows_of_a_batch_come_to_what_is_sent() -> None:
    told = _read(PAID)
    assert (residuals(told), broken(told)) == ({}, [])
    (payout,) = (one for one in told if isinstance(one, PayoutTold))
    assert (payout.amount, payout.bank_reference) == (10_300, "TX0000000041XT")
    assert payout.paid_on == date(2026, 3, 5)
    assert sum(one.net for one in lines(told)) == 0


def test_a_batch_that_is_carried_on_sends_nothing() -> None:
    told = _read(CARRIED)
    assert residuals(told) == {}
    assert [one.amount for one in told if isinstance(one, PayoutTold)] == [0]


def test_fees_stand_beside_the_payment_and_make_its_net() -> None:
    told = lines(_read(PAID, AdyenConfig(tenders={"paypal": "pp"})))
    assert [wrong_with(one) for one in told] == [""] * len(told)
    first, second, third, refund, dispute, *_ = told
    assert (first.gross, first.fee, first.net) == (10_000, 240, 9_760)
    assert (first.reference, first.parent, first.order) == ("MOD1", "PSP1", "1001")
    assert first.at == datetime(2026, 3, 3, 9, 11, 12, tzinfo=UTC)
    assert (first.tender, second.tender) == ("", "pp")
    assert (third.gross, third.presented, third.presented_currency) == (2_300, 2_000, "GBP")
    assert third.rate == "1.15"
    assert (refund.gross, refund.fee, refund.net) == (-2_500, 10, -2_510)
    assert (dispute.gross, dispute.fee, dispute.net) == (-3_000, 750, -3_750)


def test_a_fee_repeated_among_the_columns_of_fees_counts_once() -> None:
    header, rows = _table(PAID)
    fee = next(row for row in rows if row["Type"] == "InvoiceDeduction")
    fee["Commission (NC)"] = "9.00"
    told = _read(_written(header, rows))
    assert residuals(told) == {}
    assert [wrong_with(one) for one in lines(told)] == [""] * len(rows)


def test_a_report_of_several_merchants_and_currencies_tells_each_apart() -> None:
    header, rows = _table(PAID)
    others = [{**row, "Merchant Account": "AcmeUK"} for row in rows]
    dollars = [
        {
            **row,
            "Net Currency": "USD",
            "Gross Currency": row["Gross Currency"].replace("EUR", "USD"),
        }
        for row in rows
    ]
    data = _written(header, [*rows, *others, *dollars])
    told = _read(data)
    assert residuals(told) == {}
    names = {one.payout for one in told if isinstance(one, PayoutTold)}
    assert names == {"AcmeDE/41/EUR", "AcmeUK/41/EUR", "AcmeDE/41/USD"}
    assert len(_read(data, AdyenConfig(merchants=("AcmeUK",)))) == len(rows) + 1


def test_booking_days_are_believed_before_days_of_creation() -> None:
    header, rows = _table(PAID)
    for row in rows:
        row |= {"Booking Date": "2026-03-04 23:00:00", "Booking Date TimeZone": "PST"}
    told = _read(_written([*header, "Booking Date", "Booking Date TimeZone"], rows))
    assert {one.at for one in lines(told)} == {datetime(2026, 3, 5, 7, tzinfo=UTC)}


# -- bytes that would make it lie ---------------------------------------------------------------


@pytest.mark.parametrize("column", wire.COLUMNS)
def test_a_column_that_is_gone_or_called_otherwise_is_named(column: str) -> None:
    header, rows = _table(PAID)
    name = next(one for one in header if one.lower() == column)
    data = _written(header, rows).replace(name.encode(), b"Renamed", 1)
    assert not inbound.is_ours(data[:4096])
    with pytest.raises(NeedsDecision, match="no column"):
        _read(data)


def test_columns_in_any_order_and_parted_by_anything_tell_the_same() -> None:
    header, rows = _table(PAID)
    plain = _read(PAID)
    assert _read(_written(header[::-1], rows)) == plain
    assert _read(_written(header, rows, ";")) == plain
    assert _read(b"\xef\xbb\xbf" + PAID.replace(b"\n", b"\r\n")) == plain


def test_one_row_altered_left_out_or_in_another_currency_shows_to_the_cent() -> None:
    header, rows = _table(PAID)
    for n, row in enumerate(rows):
        if row["Type"] == "MerchantPayout":
            continue
        credit, debit = row["Net Credit (NC)"] or "0", row["Net Debit (NC)"] or "0"
        net = int(Decimal(credit) * 100) - int(Decimal(debit) * 100)
        altered = {**row, "Net Credit (NC)": f"{Decimal(credit) + Decimal('0.01'):.2f}"}
        swapped = {**row, "Net Currency": "USD"}
        for changed, rest in (
            ([altered], {BATCH: 1}),
            ([], {BATCH: -net}),
            (
                [swapped],
                {BATCH: -net, ("AcmeDE/41/USD", "USD"): None if "Bal" not in row["Type"] else net},
            ),
        ):
            told = _read(_written(header, [*rows[:n], *changed, *rows[n + 1 :]]))
            assert residuals(told) == rest, (n, changed)


def test_a_row_told_twice_has_the_same_name_or_shows_to_the_cent() -> None:
    header, rows = _table(PAID)
    for n, row in enumerate(rows[:-1]):
        told = _read(_written(header, [*rows[:n], row, *rows[n:]]))
        names = [one.line for one in lines(told) if one.line]
        assert len(set(names)) < len(names) or not lines(told)[n].line
        assert residuals(told)


def test_a_report_that_was_cut_off_tells_no_total() -> None:
    for part in range(len(PAID) // 4, PAID.rindex(b"MerchantPayout")):
        told = _read(PAID[:part])
        assert residuals(told) or broken(told)


@pytest.mark.parametrize("cell", ["=1+1", "97,60", "1e2", "-", "97.601", "NaN"])
def test_what_is_no_amount_is_broken(cell: str) -> None:
    header, rows = _table(PAID)
    rows[0]["Net Credit (NC)"] = cell
    told = _read(_written(header, rows))
    assert len(broken(told)) == 1
    assert residuals(told) == {BATCH: -9_760}


def test_a_net_that_is_not_gross_less_fees_contradicts_itself() -> None:
    header, rows = _table(PAID)
    rows[0]["Markup (NC)"] = "0.61"
    assert "is not gross" in wrong_with(lines(_read(_written(header, rows)))[0])


@pytest.mark.parametrize("column", ["Merchant Account", "Batch Number", "Net Currency"])
def test_a_row_of_nothing_is_broken(column: str) -> None:
    header, rows = _table(PAID)
    rows[0][column] = ""
    assert len(broken(_read(_written(header, rows)))) == 1


def test_other_letters_long_lines_and_marks_within_quotes_stay_in_their_row() -> None:
    told = _read(PAID.replace(b"visaclassic", b"vis\xe9", 1))
    assert residuals(told) == {}
    told = _read(PAID.replace(b",1001,", b',"10,0;1",', 1))
    assert (residuals(told), lines(told)[0].order) == ({}, "10,0;1")
    rows = PAID.split(b"\n")
    told = _read(b"\n".join([*rows[:2], b"x" * 1_000_000, *rows[2:]]))
    assert (residuals(told), len(broken(told))) == ({}, 1)
