"""What the example shop's payment provider and bank tell of a day, as files: the payout with its
balance transactions (answers of Shopify Payments' REST resources) and a statement (camt.053).

One charge is wrong on purpose: the provider settled `SHORT` less than the shop took. All sums hold,
payout and statement tie; only the books know better. Pure: the same day gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from xml.sax.saxutils import escape

import msgspec

from tillbridge.atoms.money import to_text
from tillbridge.connectors.sandbox.assortment import BY_LOCATION
from tillbridge.connectors.sandbox.shop_day import Story
from tillbridge.connectors.sandbox.shop_line_bodies import Json, instant
from tillbridge.connectors.sandbox.shop_orders import ShopOrder
from tillbridge.connectors.sandbox.shop_payments import paid_state, sale_id

GATEWAY = "shopify_payments"
CURRENCY = BY_LOCATION["wh-east"].currency
SHORT = 40  # cents
FEE_PPM, FEE_EACH = 29_000, 30  # 2.9 % and 30 cents, the usual rate in the US
OPENING = 1_250_000
RENT = 180_000
IBAN = "US00TILLBRIDGE0001"
_DAYS = 3


class PayoutFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files, and what they must come to (US cents).

    charged, refunded: by the provider. fees: kept of them. amount: paid out. wrong: number of the
    order whose charge is SHORT less than it was.
    """

    payout: str
    paid_on: date
    charged: int
    refunded: int
    fees: int
    amount: int
    wrong: str
    transactions: bytes
    payouts: bytes
    statement: bytes


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """A balance transaction."""

    id: int
    kind: str
    gross: int
    fee: int
    order: int
    about: int
    at: datetime


def payout_files(stories: Sequence[Story], day: date) -> PayoutFiles:
    """The payout of all the provider took and gave back that day, three days later."""
    paid_on = day + timedelta(days=_DAYS)
    number = stories[0].order.id + 5
    wrong = next(story.order for story in stories if _taken(story))
    rows = [row for story in stories for row in _rows(story, wrong)]
    amount = sum(row.gross - row.fee for row in rows)
    return PayoutFiles(
        payout=str(number),
        paid_on=paid_on,
        charged=sum(row.gross for row in rows if row.kind == "charge"),
        refunded=-sum(row.gross for row in rows if row.kind == "refund"),
        fees=sum(row.fee for row in rows),
        amount=amount,
        wrong=f"#{wrong.number}",
        transactions=_json({"transactions": [_transaction(row, number) for row in rows]}),
        payouts=_json({"payouts": [_payout(number, paid_on, rows)]}),
        statement=_statement(paid_on, amount),
    )


def _taken(story: Story) -> bool:
    return story.order.gateway == GATEWAY and paid_state(story) is not None


def _rows(story: Story, wrong: ShopOrder) -> list[_Row]:
    paid, order = paid_state(story), story.order
    if paid is None or order.gateway != GATEWAY:
        return []
    gross = order.total - (SHORT if order is wrong else 0)
    charge = _Row(
        id=order.id + 9,
        kind="charge",
        gross=gross,
        fee=(order.total * FEE_PPM + 500_000) // 1_000_000 + FEE_EACH,
        order=order.id,
        about=sale_id(order),
        at=paid.at,
    )
    refunds = [
        _Row(
            id=one.transaction + 9,
            kind="refund",
            gross=-one.amount,
            fee=0,
            order=order.id,
            about=one.transaction,
            at=one.at,
        )
        for one in story.last.refunds
    ]
    return [charge, *refunds]


def _transaction(row: _Row, payout: int) -> Json:
    return {
        "id": row.id,
        "type": row.kind,
        "test": False,
        "payout_id": payout,
        "payout_status": "paid",
        "currency": CURRENCY,
        "amount": to_text(row.gross, CURRENCY),
        "fee": to_text(row.fee, CURRENCY),
        "net": to_text(row.gross - row.fee, CURRENCY),
        "source_id": row.id + 1,
        "source_type": "charge" if row.kind == "charge" else "Payments::Refund",
        "source_order_id": row.order,
        "source_order_transaction_id": row.about,
        "processed_at": instant(row.at),
        "adjustment_order_transactions": None,
        "adjustment_reason": None,
    }


def _payout(number: int, paid_on: date, rows: Sequence[_Row]) -> Json:
    def total(kind: str) -> str:
        return to_text(sum(row.gross for row in rows if row.kind == kind), CURRENCY)

    return {
        "id": number,
        "status": "paid",
        "date": paid_on.isoformat(),
        "currency": CURRENCY,
        "amount": to_text(sum(row.gross - row.fee for row in rows), CURRENCY),
        "summary": {
            "adjustments_fee_amount": "0.00",
            "adjustments_gross_amount": "0.00",
            "charges_fee_amount": to_text(sum(row.fee for row in rows), CURRENCY),
            "charges_gross_amount": total("charge"),
            "refunds_fee_amount": "0.00",
            "refunds_gross_amount": total("refund"),
            "reserved_funds_fee_amount": "0.00",
            "reserved_funds_gross_amount": "0.00",
            "retried_payouts_fee_amount": "0.00",
            "retried_payouts_gross_amount": "0.00",
        },
    }


def _statement(day: date, payout: int) -> bytes:
    """The bank's day: the payout comes in, the rent goes out."""
    entries = [(payout, "SHOPIFY TRANSFER ST-E1F7"), (-RENT, "RENT WAREHOUSE EAST")]
    closing = OPENING + sum(amount for amount, _ in entries)
    credits_ = sum(amount for amount, _ in entries if amount > 0)
    debits = -sum(amount for amount, _ in entries if amount < 0)
    body = "".join(_entry(n, day, *one) for n, one in enumerate(entries, 1))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{day:%Y%m%d}-1</MsgId><CreDtTm>{day}T22:00:00Z</CreDtTm></GrpHdr>"
        f"<Stmt><Id>{day:%Y-%m-%d}</Id><ElctrncSeqNb>{day.timetuple().tm_yday}</ElctrncSeqNb>"
        f"<Acct><Id><Othr><Id>{IBAN}</Id></Othr></Id><Ccy>{CURRENCY}</Ccy></Acct>"
        f"{_balance('OPBD', OPENING, day)}{_balance('CLBD', closing, day)}"
        f"<TxsSummry><TtlNtries><NbOfNtries>{len(entries)}</NbOfNtries></TtlNtries>"
        f"<TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>{_text(credits_)}</Sum></TtlCdtNtries>"
        f"<TtlDbtNtries><NbOfNtries>1</NbOfNtries><Sum>{_text(debits)}</Sum></TtlDbtNtries>"
        f"</TxsSummry>{body}</Stmt></BkToCstmrStmt></Document>\n"
    ).encode()


def _balance(code: str, amount: int, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(amount)}"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _entry(n: int, day: date, amount: int, words: str) -> str:
    return (
        f"<Ntry>{_amount(amount)}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"<AcctSvcrRef>{day:%Y%m%d}{n:04d}</AcctSvcrRef>"
        f"<AddtlNtryInf>{escape(words)}</AddtlNtryInf></Ntry>"
    )


def _amount(amount: int) -> str:
    direction = "DBIT" if amount < 0 else "CRDT"
    return f'<Amt Ccy="{CURRENCY}">{_text(abs(amount))}</Amt><CdtDbtInd>{direction}</CdtDbtInd>'


def _text(amount: int) -> str:
    return to_text(amount, CURRENCY)


def _json(body: Json) -> bytes:
    return msgspec.json.format(msgspec.json.encode(body), indent=1) + b"\n"
