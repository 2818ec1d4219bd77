"""camt.053's quirks: directions, reversals, pending entries, what is no statement."""

from __future__ import annotations

import io

import pytest

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import BankLine, Broken, StatementTold, Told
from tillbridge.connectors.camt import inbound
from tillbridge.connectors.camt.config import CamtConfig

ENTRY = (
    '<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{way}</CdtDbtInd>{more}'
    "<Sts><Cd>{state}</Cd></Sts><BookgDt><Dt>2026-03-06</Dt></BookgDt></Ntry>"
)


def _entry(amount: str, way: str = "CRDT", more: str = "", **fields: str) -> str:
    usual = {"currency": "EUR", "state": "BOOK"}
    return ENTRY.format(amount=amount, way=way, more=more, **{**usual, **fields})


def _read(entries: str, *, family: str = "Stmt", config: CamtConfig | None = None) -> list[Told]:
    text = (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><B><{family}>'
        "<Id>S1</Id><Acct><Id><IBAN>DE1</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{entries}</{family}></B></Document>"
    )
    return list(inbound.read(io.BytesIO(text.encode()), config or CamtConfig()))


def _amounts(told: list[Told]) -> list[int]:
    return [one.amount for one in told if isinstance(one, BankLine)]


def test_the_direction_is_told_beside_the_amount_and_a_reversal_is_not_turned_again() -> None:
    reversal = "<RvslInd>true</RvslInd>"
    told = _read(_entry("12.50") + _entry("3", "DBIT") + _entry("1.00", "DBIT", reversal))
    assert _amounts(told) == [1250, -300, -100]
    assert [one.reversal for one in told if isinstance(one, BankLine)] == [False, False, True]


def test_only_booked_entries_count() -> None:
    assert _amounts(_read(_entry("1") + _entry("2", state="PDNG") + _entry("3", state="INFO"))) == [
        100
    ]


def test_an_entry_in_another_currency_or_without_direction_is_broken() -> None:
    told = _read(_entry("1", currency="USD") + _entry("1", "UP") + _entry("2"))
    assert [type(one) for one in told] == [Broken, Broken, BankLine, StatementTold]


def test_a_statement_without_balances_says_so() -> None:
    (head,) = _read("")
    assert isinstance(head, StatementTold)
    assert (head.opening, head.closing, head.lines) == (None, None, None)


def test_only_the_accounts_that_are_wanted_are_read() -> None:
    assert _read(_entry("1"), config=CamtConfig(accounts=("DE2",))) == []


@pytest.mark.parametrize("family", ["Ntfctn", "Rpt", "Other"])
def test_what_is_no_statement_is_refused(family: str) -> None:
    with pytest.raises(NeedsDecision):
        _read(_entry("1"), family=family)


def test_entities_are_not_opened() -> None:
    text = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document><Stmt><Id>&x;</Id>'
    told = []
    try:
        told = list(inbound.read(io.BytesIO(text + b"</Stmt></Document>"), CamtConfig()))
    except NeedsDecision:
        return
    assert not any("root" in str(one) for one in told)
