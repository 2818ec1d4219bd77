"""camt.054 beside camt.053: refused where it would count twice, taken where it stands alone."""

from __future__ import annotations

import io

import pytest

from tests.connectors.settled import REAL, broken, differences
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import BankLine, StatementTold, Told
from tillbridge.connectors.camt import inbound
from tillbridge.connectors.camt.config import CamtConfig

RECORDED = REAL / "04_payments" / "bank" / "camt" / "camt054.v8.xml"
TAKEN = CamtConfig(advices=True)


def _advice(batch: str = "", summary: str = "") -> bytes:
    return f"""<?xml version="1.0"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn>
<GrpHdr><MsgId>M</MsgId></GrpHdr><Ntfctn><Id>ADV-1</Id>
<Acct><Id><IBAN>CH00</IBAN></Id><Ccy>CHF</Ccy></Acct>{summary}
<Ntry><Amt Ccy="CHF">96.80</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-03-05</Dt></BookgDt><AcctSvcrRef>A1</AcctSvcrRef>
<NtryDtls>{batch}</NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>""".encode()


def _batch(count: str, total: str) -> str:
    payments = "".join(
        f"<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs>"
        f'<Amt Ccy="CHF">{amount}</Amt></TxDtls>'
        for name, amount in (("E1", "90.00"), ("E2", "6.80"))
    )
    return f'<Btch><NbOfTxs>{count}</NbOfTxs><TtlAmt Ccy="CHF">{total}</TtlAmt></Btch>{payments}'


def _read(data: bytes, config: CamtConfig) -> list[Told]:
    return list(inbound.read(io.BytesIO(data), config))


def test_an_advice_is_refused_until_the_bank_sends_nothing_else() -> None:
    with pytest.raises(NeedsDecision, match="advices = true"):
        _read(_advice(), CamtConfig())


def test_an_advice_is_told_as_a_statement_that_nothing_proves() -> None:
    summary = (
        "<TxsSummry><TtlNtries><NbOfNtries>1</NbOfNtries></TtlNtries>"
        "<TtlCdtNtries><Sum>96.80</Sum></TtlCdtNtries></TxsSummry>"
    )
    line, head = _read(_advice(_batch("2", "96.80"), summary), TAKEN)
    assert isinstance(line, BankLine)
    assert (line.amount, line.line, line.reference) == (9_680, "A1", "E1 E2")
    assert isinstance(head, StatementTold)
    assert (head.statement, head.lines, head.credits) == ("ADV-1", 1, 9_680)
    assert differences([line, head]) == {"ADV-1": None}


@pytest.mark.parametrize(
    ("count", "total", "words"),
    [
        ("3", "96.80", "its batch says 3 payments and lists 2"),
        ("2", "96.81", "its batch says 9681, its payments come to 9680 (minor units)"),
    ],
)
def test_a_batch_that_says_other_than_it_lists_is_told(count: str, total: str, words: str) -> None:
    told = _read(_advice(_batch(count, total)), TAKEN)
    assert [one.words for one in broken(told)] == [f"entry 1: {words}"]
    assert any(isinstance(one, BankLine) for one in told)


@pytest.mark.skipif(not RECORDED.exists(), reason=f"the recorded file {RECORDED.name} is not here")
def test_a_recorded_advice_is_read_and_its_wrong_batch_is_told() -> None:
    told = _read(RECORDED.read_bytes(), TAKEN)
    (line,) = (one for one in told if isinstance(one, BankLine))
    assert (line.amount, line.currency) == (-20_000_000, "SEK")
    assert [one.words for one in broken(told)] == [
        "entry 1: its batch says 2 payments and lists 3",
        "entry 1: its batch says 630, its payments come to 950 (minor units)",
    ]
