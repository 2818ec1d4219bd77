"""What a bank writes: elements of camt.053 (BankToCustomerStatement, versions 02 to 13) and of
camt.054 (BankToCustomerDebitCreditNotification).

Source: ISO 20022 message definition report of camt.053; names are the same in all versions, only
the code of a booking state moved into an element of its own (`Sts/Cd`).
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

STATEMENT, ENTRY, BALANCE = "Stmt", "Ntry", "Bal"
ADVICE, REPORT = "Ntfctn", "Rpt"
"""camt.054 and camt.052: where a bank sends statements too, they repeat what these say."""
BOOKED = ("BOOK", "")
OPENING = ("OPBD", "PRCD")
CLOSING = ("CLBD",)
NOT_PROVIDED = "NOTPROVIDED"


def named(element: etree._Element) -> str:
    """Name of an element without its namespace; "" of a comment."""
    tag: object = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first element down a path of names, whatever their namespace."""
    for name in path:
        if element is None:
            return None
        element = next((one for one in element if _is(one, name)), None)
    return element


def children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """Elements of a name directly below."""
    if element is not None:
        yield from (one for one in element if _is(one, name))


def text(element: etree._Element | None, *path: str) -> str:
    """Text at a path, "" where it is not there."""
    found = child(element, *path)
    return (found.text or "").strip() if found is not None else ""


def texts(element: etree._Element | None, name: str) -> Iterator[str]:
    """Texts of all elements of a name anywhere below."""
    if element is not None:
        for one in element.iter():
            if _is(one, name) and one.text:
                yield one.text.strip()


def _is(element: etree._Element, name: str) -> bool:
    return named(element) == name
