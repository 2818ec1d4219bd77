"""What a receipt may and may not be believed to say, one question at a time."""

from __future__ import annotations

import msgspec
import pytest

from tests.connectors.poslog.receipts import (
    CONNECTION,
    document,
    proof,
    retail,
    rung,
    sale,
    tax,
    tender,
    transaction,
    translated,
)
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.sales import CashMoved, SaleVoided, TillClosed, TillNoted
from tillbridge.connectors.poslog.config import PoslogSettings

TOTAL = "TransactionGrandAmount"
TAX = "TransactionTaxAmount"


def case_of(text: str) -> NeedsDecision:
    with pytest.raises(NeedsDecision) as caught:
        translated(document(text))
    return caught.value


def test_a_difference_names_every_sum_the_header_and_what_was_not_read() -> None:
    lines = [sale("A", 1000), tax(80), "<Donation><Amount>2.00</Amount></Donation>", tender(1280)]
    case = case_of(retail(lines, {TOTAL: 1280, TAX: 80}))
    assert (case.reason, case.owner, case.amount, case.currency) == (
        "totals_differ", "stores", 200, "USD",
    )  # fmt: skip
    for word in ("lines 10.00", "taxes 0.80", "= 10.80", "header says 12.80", "Donation 2.00"):
        assert word in case.words


def test_one_cent_is_a_difference_like_any_other() -> None:
    case = case_of(retail([sale("A", 1000), tender(1001)], {TOTAL: 1001}))
    assert case.amount == 1


def test_tenders_that_miss_the_total_are_a_case_of_their_own_words() -> None:
    case = case_of(retail([sale("A", 1000), tender(900)], {TOTAL: 1000}))
    assert "tenders Cash 9.00 sum to 9.00: 1.00 USD is missing" in case.words


def test_taxes_that_miss_the_headers_tax_are_a_case() -> None:
    case = case_of(retail([sale("A", 1000), tax(80), tender(1080)], {TOTAL: 1080, TAX: 30}))
    assert "header says 0.30" in case.words


def test_a_receipt_without_total_is_proven_by_its_tenders_or_not_at_all() -> None:
    assert rung(retail([sale("A", 1000), tender(1000)], {})).total == 1000
    assert case_of(retail([sale("A", 1000)], {})).reason == "totals_missing"


def test_a_rate_without_any_amount_is_never_computed() -> None:
    rate = "<Tax TaxType='VAT'><Percent>20</Percent></Tax>"
    case = case_of(retail([sale("A", 3000, more=rate), tender(3000)], {TOTAL: 3000}))
    assert case.reason == "tax_unstated"


def test_a_rounding_line_needs_totals_that_disagree_among_themselves() -> None:
    fact = rung(
        retail([sale("A", 278), tender(278)], {TOTAL: 278, "TransactionNetAmount": 233, TAX: 44})
    )
    assert [(line.kind, line.list) for line in fact.lines] == [("goods", 233), ("rounding", 1)]
    assert proof(fact) == (0, 0)


def test_half_a_cent_of_a_line_may_be_rounded_and_is_shown() -> None:
    line = sale("A", 100).replace("1.00<", "1.005<")
    fact = rung(retail([line, line, tender(201)], {TOTAL: 201}))
    assert [line.list for line in fact.lines if line.kind == "rounding"] == [-1]


@pytest.mark.parametrize(
    ("currency", "total", "cash", "fits"),
    [("CHF", 1293, 1295, True), ("CHF", 1293, 1290, False), ("CHF", 1293, 1294, False),
     ("USD", 1293, 1295, False), ("SEK", 4449, 4400, True), ("SEK", 4451, 4400, False)],
)  # fmt: skip
def test_cash_is_rounded_to_the_smallest_coin_and_no_further(
    currency: str, total: int, cash: int, *, fits: bool
) -> None:
    text = retail([sale("A", total), tender(cash)], {TOTAL: total}).replace("USD", currency)
    if fits:
        assert proof(rung(text)) == (0, cash - total)
    else:
        assert case_of(text).reason == "totals_differ"


def test_a_card_is_never_rounded() -> None:
    text = retail([sale("A", 1293), tender(1295, "CreditDebit")], {TOTAL: 1293})
    assert case_of(text.replace("USD", "CHF")).reason == "totals_differ"


def test_an_unknown_category_of_reward_is_money_only_when_the_totals_prove_it() -> None:
    reward = (
        "<LoyaltyReward><PromotionID>7</PromotionID><RewardCategory>Electronic</RewardCategory>"
        "<ExtendedRewardAmount>-2.00</ExtendedRewardAmount></LoyaltyReward>"
    )
    proven = rung(retail([sale("A", 1000), reward, tender(800)], {TOTAL: 800}))
    assert [(line.list, line.discount, line.promotion) for line in proven.lines] == [
        (1000, 200, "7")
    ]
    assert (
        rung(retail([sale("A", 1000), reward, tender(1000)], {TOTAL: 1000})).lines[0].discount == 0
    )


def test_a_reward_cannot_stand_in_for_a_line_that_is_missing() -> None:
    reward = (
        "<LoyaltyReward><RewardCategory>Monetary</RewardCategory>"
        "<ExtendedRewardAmount>-5.00</ExtendedRewardAmount></LoyaltyReward>"
    )
    whole = [sale("A", 1000), sale("B", 500), reward, tender(1000)]
    assert len(rung(retail(whole, {TOTAL: 1000})).lines) == 2
    assert case_of(retail([whole[0], *whole[2:]], {TOTAL: 1000})).amount == 500


def test_an_own_coupon_lowers_lines_and_a_bottle_comes_back() -> None:
    coupon = sale("CPN", -200, of="acs:StoreCoupon")
    bottle = sale("BTL", -50, of="acs:NegativeItem")
    fact = rung(retail([sale("A", 1000), coupon, bottle, tender(750)], {TOTAL: 750}))
    assert [(line.product, line.direction, line.list, line.discount) for line in fact.lines] == [
        ("A", "sale", 1000, 200),
        ("BTL", "return", -50, 0),
    ]


def test_cash_handed_out_on_a_card_is_a_movement_of_its_own() -> None:
    more = "<Cashback>20.00</Cashback>"
    for amount in (3000, 1000):  # with the cash in the amount, and on top of it
        text = retail([sale("A", 1000), tender(amount, "CreditDebit", more=more)], {TOTAL: 1000})
        fact = rung(text)
        assert [(each.kind, each.amount) for each in fact.tenders] == [
            ("card", 3000),
            ("cash", -2000),
        ]


def test_foreign_cash_without_a_rate_is_a_case_and_never_one_to_one() -> None:
    foreign = tender(1000).replace("<Amount>", '<Amount Currency="EUR">')
    assert case_of(retail([sale("A", 1000), foreign], {TOTAL: 1000})).reason == "rate_missing"


def test_lines_in_another_currency_are_a_case() -> None:
    line = sale("A", 1000).replace("<ExtendedAmount>", '<ExtendedAmount Currency="EUR">')
    assert case_of(retail([line, tender(1000)], {TOTAL: 1000})).reason == "currency_differs"


def test_exempt_tax_is_not_charged() -> None:
    exempt = tax(80, 1000, more="<Reason>Forgiven</Reason>")
    assert rung(retail([sale("A", 1000), exempt, tender(1000)], {TOTAL: 1000, TAX: 0})).taxes == ()


def test_settings_name_what_words_do_not() -> None:
    settings = PoslogSettings(
        tender_kinds={"T7": "wallet"}, item_kinds={"Bag": "fee"}, other_issuers=("GiftCard",)
    )
    connection = msgspec.structs.replace(CONNECTION, settings=settings)
    lines = [sale("A", 900), sale("B", 100, of="Bag"), tender(600, "T7"), tender(400, "GiftCard")]
    fact = rung(retail(lines, {TOTAL: 1000}), connection)
    assert [line.kind for line in fact.lines] == ["goods", "fee"]
    assert [(each.kind, each.issuer) for each in fact.tenders] == [
        ("wallet", "own"),
        ("gift_card", "other"),
    ]


def test_a_product_without_id_is_looked_up_by_its_description() -> None:
    line = sale("", 1000, more="<Description>Loose tea</Description>")
    assert (
        rung(retail([line, tender(1000)], {TOTAL: 1000})).lines[0].product
        == "description:Loose tea"
    )


def test_a_receipt_whose_lines_are_all_void_was_cancelled() -> None:
    text = retail([f'VoidFlag="true"|{sale("A", 1000)}'], {TOTAL: 0})
    fact = translated(document(text)).facts[0]
    assert isinstance(fact, TillNoted)
    assert fact.kind == "cancelled"


def test_a_post_void_that_names_no_sale_is_a_case() -> None:
    text = transaction('<RetailTransaction TransactionStatus="PostVoided"/>')
    assert case_of(text).reason == "link_missing"


def test_a_post_void_belongs_to_the_sale_it_takes_back() -> None:
    link = (
        '<TransactionLink ReasonCode="Voided"><SequenceNumber>70</SequenceNumber></TransactionLink>'
    )
    facts = translated(document(retail([], {TOTAL: -1000}, link))).facts
    assert isinstance(facts[0], SaleVoided)
    assert facts[0].key == facts[0].voided == "sale/stores/12/4/2026-03-02/70"
    assert isinstance(facts[1], TillNoted)
    assert facts[1].key == "sale/stores/12/4/2026-03-02/77"


def test_money_that_moves_in_an_unknown_way_is_a_case() -> None:
    moved = "<Bounty><Amount>5.00</Amount></Bounty>"
    inner = f"<TenderControlTransaction>{moved}</TenderControlTransaction>"
    assert case_of(transaction(inner)).reason == "kind_unsupported"
    assert case_of(transaction("<CustomerOrderTransaction/>")).reason == "kind_unsupported"


@pytest.mark.parametrize(
    ("element", "kind", "amount"),
    [("TenderLoan", "loan", 1500), ("TenderPickup", "pickup", -1500), ("PaidIn", "paid_in", 1500),
     ("PaidOut", "paid_out", -1500), ("BankDeposit", "deposit", -1500)],
)  # fmt: skip
def test_cash_moves_into_the_till_or_out_of_it(element: str, kind: str, amount: int) -> None:
    for inside in ("<Amount>15.00</Amount>", tender(1500), tender(-1500)):
        inner = (
            f"<TenderControlTransaction><{element}>{inside}</{element}></TenderControlTransaction>"
        )
        fact = translated(document(transaction(inner))).facts[0]
        assert isinstance(fact, CashMoved)
        assert (fact.kind, fact.amount) == (kind, amount)
    empty = f"<TenderControlTransaction><{element}/></TenderControlTransaction>"
    assert case_of(transaction(empty)).reason == "body_unreadable"


def test_a_day_closed_without_counts_is_closed_all_the_same() -> None:
    inner = "<ControlTransaction><BusinessEOD/></ControlTransaction>"
    fact = translated(document(transaction(inner))).facts[0]
    assert isinstance(fact, TillClosed)
    assert fact.counts == ()


@pytest.mark.parametrize("flag", ["TrainingModeFlag", "CancelFlag"])
def test_what_was_never_real_books_nothing(flag: str) -> None:
    inner = retail([sale("A", 1000)], {TOTAL: 9}).replace(
        "<Transaction>", f'<Transaction {flag}="1">'
    )
    assert [type(fact).__name__ for fact in translated(document(inner)).facts] == ["TillNoted"]


@pytest.mark.parametrize(
    ("before", "after"),
    [("10.00<", "1e1<"), ("10.00<", "10,00<"), ("10.00<", "<"), ("10.00<", "NaN<"),
     ("10.00<", "<x/>10.00<"), ("<Quantity>1<", "<Quantity>one<"), ("-03-02<", "-13-02<"),
     ("T10:00:00<", "T25:00:00<"), (">USD<", ">usd<"), (">USD<", ">XYZ<"),
     ("<LineItem ", '<LineItem VoidFlag="perhaps" '),
     ("<Transaction>", '<Transaction TrainingModeFlag="maybe">'),
     ("</ExtendedAmount>", "</ExtendedAmount><ExtendedAmount>9.00</ExtendedAmount>"),
     ("<SequenceNumber>77</SequenceNumber>", ""), ("<ExtendedAmount>10.00</ExtendedAmount>", "")],
)  # fmt: skip
def test_a_field_of_the_wrong_type_is_never_believed(before: str, after: str) -> None:
    text = retail([sale("A", 1000), tender(1000)], {TOTAL: 1000})
    assert before in text
    rung(text)
    assert case_of(text.replace(before, after, 1)).reason == "body_unreadable"


@pytest.mark.parametrize(
    "body", [b"", b"<a/>", b"<POSLog>", b"<!DOCTYPE a><Transaction/>", b"\xff\xfe<", b"{}"]
)
def test_what_is_no_transaction_is_a_case(body: bytes) -> None:
    with pytest.raises(NeedsDecision):
        translated(body)


def test_a_local_time_is_read_in_the_zone_of_the_store() -> None:
    connection = msgspec.structs.replace(CONNECTION, location_zones={"12": "Asia/Tokyo"})
    fact = rung(retail([sale("A", 1000), tender(1000)], {TOTAL: 1000}), connection)
    assert fact.occurred_at.isoformat() == "2026-03-02T01:00:00+00:00"
    assert fact.business_date.isoformat() == "2026-03-02"
