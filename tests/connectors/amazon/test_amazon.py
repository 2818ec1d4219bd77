"""Amazon's files: sums against the total, words to types, and bytes that would make it lie."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.connectors.settled import REAL, broken, lines, residuals
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import LINE_TYPES, PayoutTold, SettlementLine, Told
from tillbridge.connectors.amazon import inbound, wire
from tillbridge.connectors.amazon.config import AmazonConfig
from tillbridge.connectors.amazon.fields import Amounts, day_of, instant_of

SAMPLES = Path(inbound.__file__).parent / "samples" / "settlement"
V2 = (SAMPLES / "v2.txt").read_bytes()
V1 = (SAMPLES / "v1.txt").read_bytes()
RECORDED = REAL / "03_marketplaces" / "amazon" / "settlement_flatfile_v2_sample.txt"
S = ("90000000001", "USD")


def _read(data: bytes, config: AmazonConfig | None = None) -> list[Told]:
    return list(inbound.read(io.BytesIO(data), config or AmazonConfig()))


def _type(transaction: str, group: str, words: str, *, seller_tax: bool = False) -> str:
    return wire.type_of(transaction, group, words, seller_tax=seller_tax)


def test_every_word_of_amazon_means_a_type_of_ours() -> None:
    meant = {*wire.ALWAYS.values(), *wire.GROUPS.values(), *wire.MOVED.values()}
    assert meant | {type_ for _, type_ in wire.PREFIXES} | {wire.UNKNOWN} <= set(LINE_TYPES)


@pytest.mark.parametrize("name", ["v1.txt", "v2.txt", "v2_de.txt"])
def test_the_rows_of_a_settlement_come_to_its_total(name: str) -> None:
    told = _read((SAMPLES / name).read_bytes(), AmazonConfig(seller_tax=("amazon.de",)))
    assert residuals(told) == {}
    assert broken(told) == []


@pytest.mark.parametrize(
    ("words", "type_"),
    [
        (("Order", "ItemPrice", "Principal"), "sale"),
        (("Refund", "Promotion", "Shipping"), "refund"),
        (("A-to-z Guarantee Refund", "ItemPrice", "Principal"), "chargeback"),
        (("Order", "ItemPrice", "Tax"), "tax"),
        (("Order", "ItemFees", "MarketplaceFacilitatorVAT-Principal"), "tax"),
        (("Order_Retrocharge", "ItemWithheldTax", "MarketplaceFacilitatorTax-Other"), "tax"),
        (("Order", "ItemFees", "Commission"), "commission"),
        (("Shipment", "Shipment-Fees", "FBAPerOrderFulfillmentFee"), "fulfilment"),
        (("other-transaction", "FBA Inventory Reimbursement", "NEW_WORD"), "reimbursement"),
        (("other-transaction", "other-transaction", "WAREHOUSE_LOST_MANUAL"), "reimbursement"),
        (("Transfer", "other-transaction", "Failed Disbursement"), "payout_failed"),
        (("Order", "ItemPrice", "NeverSeen"), "unknown"),
        (("Liquidations", "ItemPrice", "Principal"), "unknown"),
        (("other-transaction", "other-transaction", "Payable to Amazon"), "unknown"),
    ],
)
def test_three_words_say_what_an_amount_is(words: tuple[str, str, str], type_: str) -> None:
    assert _type(*words) == type_


def test_tax_that_we_owe_is_part_of_the_sale() -> None:
    assert _type("Order", "ItemPrice", "Tax", seller_tax=True) == "sale"
    assert _type("Refund", "ItemFees", "MarketplaceFacilitatorVAT-Principal", seller_tax=True) == (
        "refund"
    )
    assert _type("other-transaction", "other-transaction", "Tax", seller_tax=True) == "tax"


def test_the_head_tells_total_and_day() -> None:
    head = next(one for one in _read(V2) if isinstance(one, PayoutTold))
    assert (head.payout, head.amount, head.currency) == ("90000000001", 3778, "USD")
    assert head.paid_on == date(2026, 3, 16)


def test_a_total_in_every_row_is_told_once_and_another_one_is_broken() -> None:
    rows = V2.splitlines(keepends=True)
    every = [
        rows[0],
        *(row.replace(b"\t\t\t\t\tUSD", b"\t\t\t\t37.78\tUSD", 1) for row in rows[1:]),
    ]
    told = _read(b"".join(every))
    assert sum(isinstance(one, PayoutTold) for one in told) == 1
    assert residuals(told) == {}
    every[5] = every[5].replace(b"37.78", b"99.78")
    told = _read(b"".join(every))
    assert [one.words for one in broken(told)] == [
        "settlement 90000000001 has two totals, 37.78 USD and 99.78 USD"
    ]


def test_a_wide_row_tells_each_of_its_amounts_under_a_name_of_its_own() -> None:
    names = [one.line for one in lines(_read(V1))]
    assert len(set(names)) == len(names)
    assert "90000000003#4/price-amount" in names


def test_what_is_no_order_is_none() -> None:
    told = lines(_read(V2))
    removal = next(one for one in told if one.told.endswith("RemovalComplete"))
    assert (removal.order, removal.reference) == ("", "removal-77")
    refund = next(one for one in told if one.type == "refund")
    assert (refund.order, refund.reference) == ("111-0000002-0000002", "ADJ-1")


def test_our_own_order_number_can_name_the_order() -> None:
    data = V2.replace(b"111-0000001-0000001\t\t", b"111-0000001-0000001\tM-1\t")
    told = lines(_read(data, AmazonConfig(order_column="merchant-order-id")))
    assert told[0].order == "M-1"


# -- bytes that would make it lie ---------------------------------------------------------------


@pytest.mark.parametrize("column", wire.V2)
def test_a_column_that_is_gone_or_called_otherwise_is_named(column: str) -> None:
    name = column.encode()
    data = V2.replace(b"\t" + name + b"\t", b"\tx" + name + b"\t", 1)
    data = data if data != V2 else V2.replace(name, b"x" + name, 1)
    assert not inbound.is_ours(data[:4096])
    with pytest.raises(NeedsDecision, match=column):
        _read(data)


@pytest.mark.parametrize("column", wire.V1[5:])
def test_a_wide_file_without_one_of_its_amounts_is_not_read(column: str) -> None:
    with pytest.raises(NeedsDecision, match=r"without the column|no column"):
        _read(V1.replace(column.encode(), b"other", 1))


def test_one_row_altered_left_out_doubled_or_in_another_currency_shows_to_the_cent() -> None:
    rows = V2.splitlines(keepends=True)
    amount = rows[0].split(b"\t").index(b"amount")
    for n, row in enumerate(rows[2:], start=2):
        cells = row.split(b"\t")
        stated = Decimal(cells[amount].decode())
        minor = int(stated * 100)
        altered = [*cells[:amount], str(stated + Decimal("7.77")).encode(), *cells[amount + 1 :]]
        swapped = row.replace(b"\tUSD\t", b"\tEUR\t")
        for changed, rest in (
            ([b"\t".join(altered)], {S: 777}),
            ([], {S: -minor}),
            ([row, row], {S: minor}),
            ([swapped], {S: -minor, (S[0], "EUR"): None}),
        ):
            told = _read(b"".join([*rows[:n], *changed, *rows[n + 1 :]]))
            assert residuals(told) == rest, (n, changed)


def test_a_file_that_was_cut_off_does_not_come_to_its_total() -> None:
    for part in range(len(V2) // 3, len(V2) - 2, 97):
        told = _read(V2[:part])
        assert residuals(told) or broken(told)


def test_marks_and_line_ends_change_nothing() -> None:
    plain = _read(V2)
    assert _read(b"\xef\xbb\xbf" + V2) == plain
    assert _read(V2.replace(b"\n", b"\r\n")) == plain
    quoted = b"\n".join(
        b",".join(b'"' + cell.replace(b'"', b'""') + b'"' for cell in row.split(b"\t"))
        for row in V2.split(b"\n")[:-1]
    )
    assert _read(quoted) == plain


def test_letters_that_are_no_utf_8_stay_in_their_row() -> None:
    data = V2.replace(b"MUG-1", b"MUG-\xfc", 1)
    assert residuals(_read(data)) == {}
    assert "MUG-\\\\xfc" in lines(_read(data))[0].extra
    assert "MUG-ü" in lines(_read(data, AmazonConfig(encoding="cp1252")))[0].extra


def test_a_line_of_a_megabyte_breaks_alone() -> None:
    rows = V2.splitlines(keepends=True)
    told = _read(b"".join([*rows[:3], b"x" * 1_000_000 + b"\n", *rows[3:]]))
    assert len(broken(told)) == 1
    assert residuals(told) == {}


@pytest.mark.parametrize(
    "cell", ["=1+1", '="100.00"', "@SUM(A1)", "1e3", "100.00-", "\u0661\u0660", "1,00"]
)
def test_what_is_no_amount_is_broken_and_never_read_otherwise(cell: str) -> None:
    told = _read(V2.replace(b"\t100.00\t", f"\t{cell}\t".encode(), 1))
    assert len(broken(told)) == 1
    assert residuals(told) == {S: -10_000}


def test_a_row_without_settlement_currency_or_amount_is_broken() -> None:
    row = V2.splitlines(keepends=True)[2]
    head = V2.splitlines(keepends=True)[0]
    for spoilt in (
        row.replace(b"90000000001", b""),
        row.replace(b"USD", b""),
        row.replace(b"USD", b"QQQ"),
        row.replace(b"100.00", b"").replace(b"\t2\t", b"\t\t"),
    ):
        assert len(broken(_read(head + spoilt))) == 1


# -- cells --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "places", "minors"),
    [
        (["1.234,50", "-5,00", "1.000", "7"], 2, [123_450, -500, 100_000, 700]),
        (["1,234.50", "1,000", "12,345,678.9"], 2, [123_450, 100_000, 1_234_567_890]),
        (["1,234,567", "8.50"], 2, [123_456_700, 850]),
        (["1,234", "-5"], 0, [1_234, -5]),
        (["1.234"], 3, [1_234]),
    ],
)
def test_the_first_amount_shows_how_decimals_are_written(
    texts: list[str], places: int, minors: list[int]
) -> None:
    amounts = Amounts("")
    assert [amounts.minor(text, places) for text in texts] == minors


def test_an_amount_that_reads_two_ways_is_none() -> None:
    with pytest.raises(ValueError, match="two amounts"):
        Amounts("").minor("1.234", 2)
    assert Amounts(",").minor("1.234", 2) == 123_400
    with pytest.raises(ValueError, match="no amount"):
        Amounts(".").minor("1,5", 2)


def test_days_are_read_as_their_marketplace_writes_them() -> None:
    assert day_of("05.03.2026 00:00:00 UTC", day_first=None) == date(2026, 3, 5)
    assert day_of("2026/03/05", day_first=None) == date(2026, 3, 5)
    assert day_of("03/04/2026", day_first=None) is None
    assert day_of("03/04/2026", day_first=True) == date(2026, 4, 3)
    assert day_of("03/04/2026", day_first=False) == date(2026, 3, 4)
    assert day_of("31.02.2026", day_first=None) is None
    noon = datetime(2026, 3, 5, 12, tzinfo=UTC)
    assert instant_of("2026-03-05T05:00:00-07:00", day_first=None) == noon
    assert instant_of("05.03.2026 12:00:00 UTC", day_first=None) == noon
    assert instant_of("2026/03/05 21:00:00 JST", day_first=None) == noon
    assert instant_of("2026-03-05 12:00:00 XYZ", day_first=None) is None
    assert instant_of("2026-03-05 12:00:00", day_first=None) is None


@pytest.mark.skipif(not RECORDED.exists(), reason=f"the recorded file {RECORDED.name} is not here")
def test_a_recorded_settlement_comes_to_its_total() -> None:
    data = RECORDED.read_bytes()
    assert inbound.is_ours(data[:4096])
    told = _read(data)
    assert residuals(told) == {}
    assert broken(told) == []
    assert [
        one.told for one in told if isinstance(one, SettlementLine) and one.type == "unknown"
    ] == ([])
