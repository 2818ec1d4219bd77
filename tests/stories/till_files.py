"""A store's POSLog, a transaction at a time; prices exclude the tax that each line tells."""

from __future__ import annotations

from collections.abc import Sequence


def transaction(number: int, inner: str, flags: str = "") -> str:
    """A transaction of till 4 of store 12."""
    return (
        f"<Transaction{flags}><RetailStoreID>12</RetailStoreID><WorkstationID>4</WorkstationID>"
        f"<SequenceNumber>{number}</SequenceNumber><BusinessDayDate>2026-03-02</BusinessDayDate>"
        f"<EndDateTime>2026-03-02T10:{number:02}:00</EndDateTime><CurrencyCode>USD</CurrencyCode>"
        f"{inner}</Transaction>"
    )


def goods(item: str, price: str, tax: str, *, element: str = "Sale", pieces: str = "1") -> str:
    """A line of goods; amounts of a Return are positive."""
    return (
        f"<{element}><ItemID>{item}</ItemID><ExtendedAmount>{price}</ExtendedAmount>"
        f"<Quantity>{pieces}</Quantity><Tax><TaxAuthority>NY</TaxAuthority>"
        f"<TaxableAmount>{price}</TaxableAmount><Amount>{tax}</Amount></Tax></{element}>"
    )


def tender(amount: str, kind: str = "Cash", code: str = "Sale") -> str:
    """Money taken, or given with code Refund."""
    return f'<Tender TenderType="{kind}" TypeCode="{code}"><Amount>{amount}</Amount></Tender>'


def receipt(number: int, lines: Sequence[str], total: str, tax: str) -> str:
    """A receipt with its totals."""
    told = "".join(
        f"<LineItem><SequenceNumber>{place}</SequenceNumber>{line}</LineItem>"
        for place, line in enumerate(lines, 1)
    )
    totals = f'<Total TotalType="TransactionGrandAmount">{total}</Total>'
    totals += f'<Total TotalType="TransactionTaxAmount">{tax}</Total>'
    return transaction(number, f"<RetailTransaction>{told}{totals}</RetailTransaction>")


def post_void(number: int, of: int) -> str:
    """A finished receipt taken back whole."""
    link = (
        '<TransactionLink ReasonCode="Voided"><RetailStoreID>12</RetailStoreID>'
        "<WorkstationID>4</WorkstationID><BusinessDayDate>2026-03-02</BusinessDayDate>"
        f"<SequenceNumber>{of}</SequenceNumber></TransactionLink>"
    )
    return transaction(
        number, f'<RetailTransaction TransactionStatus="PostVoided">{link}</RetailTransaction>'
    )


def paper(text: str, number: str) -> str:
    """A receipt with the number that is printed on it."""
    return text.replace(
        "</CurrencyCode>", f"</CurrencyCode><ReceiptNumber>{number}</ReceiptNumber>", 1
    )


def control(number: int, what: str) -> str:
    """A sign-on, a no-sale, the opening of the day."""
    return transaction(number, f"<ControlTransaction><{what}/></ControlTransaction>")


def cash(number: int, what: str, amount: str) -> str:
    """A loan, a pay-in or pay-out, a pickup: TillLoan, PaidIn, PaidOut, TillPickup."""
    return transaction(
        number,
        f"<TenderControlTransaction><{what}><Amount>{amount}</Amount></{what}>"
        "</TenderControlTransaction>",
    )


def close(number: int, **counted: str) -> str:
    """The till is counted: tender type -> amount."""
    rows = "".join(
        f'<TenderSummary LedgerType="Closed" TenderType="{tender}"><Amount>{amount}</Amount>'
        "</TenderSummary>"
        for tender, amount in counted.items()
    )
    return transaction(
        number,
        f"<TenderControlTransaction><TillSettle>{rows}</TillSettle></TenderControlTransaction>",
    )


def poslog(*transactions: str) -> bytes:
    """A file."""
    return f"<POSLog>{''.join(transactions)}</POSLog>".encode()
