"""Quirks of AvaTax, kept by its simulator and lived with by the connector."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.connectors.avatax.tax_target import KEY, Names, Target, tax_target
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.canonical.orders import TaxLine
from tillbridge.canonical.taxes import TaxDocument
from tillbridge.connectors.avatax import connector
from tillbridge.connectors.avatax.outbound import code_of, kind_of
from tillbridge.connectors.sandbox.avatax_simulator import ACCOUNT
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.contract.transport import Request, Response


@pytest.fixture
def there() -> Iterator[Target]:
    with tax_target() as found:
        yield found


def charged(document: TaxDocument, tax: int) -> TaxDocument:
    first, *others = document.items
    taxes = (TaxLine("us-ny", "us-ny", tax),)
    items = (msgspec.structs.replace(first, taxes=taxes), *others)
    return msgspec.structs.replace(document, items=items)


def raw(there: Target, method: str, path: str, body: object = None, key: str = KEY) -> Response:
    pair = base64.b64encode(f"{ACCOUNT}:{key}".encode()).decode()
    return there.transport.send(
        Request(
            method=method,
            url=there.simulator.address + path,
            headers={"Authorization": f"Basic {pair}"} if key else {},
            body=b"" if body is None else msgspec.json.encode(body),
        )
    )


def told(answer: Response) -> Any:
    return msgspec.json.decode(answer.body)


def test_a_locked_document_is_refused_in_its_words(there: Target) -> None:
    service = there.service(there.transport)
    document = charged(there.document("return"), 300)
    service.record(document, {})
    there.simulator.lock(code_of(document), kind_of(document))
    assert service.record(document, {}).remote_id  # the same again changes nothing
    for step in (service.adjust, service.void):
        with pytest.raises(Refused, match="CannotModifyLockedTransaction: A locked transaction"):
            step(charged(document, 299), {})


def test_what_is_committed_is_not_committed_again(there: Target) -> None:
    service = there.service(there.transport)
    document = there.document("sale")
    answer = service.calculate(document, {})
    items = tuple(
        msgspec.structs.replace(one, taxes=line.taxes)
        for one, line in zip(document.items, answer.lines, strict=True)
    )
    whole = msgspec.structs.replace(document, items=items)
    service.commit(whole, {})
    service.commit(whole, {})
    assert sum(call.endswith("/commit") for call in there.simulator.calls) == 1
    again = raw(
        there, "POST", f"/api/v2/companies/TILLBRIDGE/transactions/{_path(document)}/commit"
        "?documentType=SalesInvoice", {"commit": True},
    )  # fmt: skip
    assert (again.status, told(again)["error"]["code"]) == (400, "DocStatusError")


def _path(document: TaxDocument) -> str:
    return code_of(document).replace("/", "_-ava2f-_")


def test_codes_have_fifty_characters_and_slashes_are_written_out(there: Target) -> None:
    service = there.service(there.transport)
    document = charged(there.document("return"), 300)
    service.record(document, {})
    assert f"GET /api/v2/companies/TILLBRIDGE/transactions/{_path(document)}" in (
        there.simulator.calls
    )
    name = "tax/order/marketplace/" + "9" * 60 + "/refund-1"
    long = msgspec.structs.replace(document, code=name)
    assert len(code_of(long)) <= 50
    service.record(long, {})
    assert there.kept(long) == ("committed", 300)


def test_a_tax_without_a_name_of_ours_names_line_and_remedy(there: Target) -> None:
    there.names = Names({"NY STATE TAX": "us-ny"})
    with pytest.raises(NeedsDecision, match="line 1: tax 'NY COUNTY TAX' \\(ALBANY\\)") as problem:
        there.service(there.transport).calculate(there.document("sale"), {})
    assert problem.value.remedy == "tillbridge xref set avatax tax 'NY COUNTY TAX' OUR-NAME"


def test_a_return_is_dated_today_at_the_rates_of_its_sale(there: Target) -> None:
    document = there.document("return")
    answer = there.service(there.transport).calculate(document, {})
    assert [tax.amount for tax in answer.lines[0].taxes] == [160, 160]  # 4.75 % since July
    kept = there.simulator.books.find(code_of(document), "ReturnInvoice")
    override = kept.model.tax_override
    assert override is not None
    assert (str(kept.model.date), str(override.tax_date)) == ("2026-08-09", "2026-03-02")
    assert all(line.amount < 0 for line in kept.model.lines)


def test_an_estimate_is_kept_nowhere(there: Target) -> None:
    document = msgspec.structs.replace(there.document("sale"), recorded=False)
    answer = there.service(there.transport).calculate(document, {})
    assert (answer.remote_id, there.kept(document)) == ("", None)
    assert there.simulator.calls == ["POST /api/v2/transactions/create"]


def test_an_outage_and_a_wrong_key_are_waited_for(there: Target) -> None:
    service = there.service(there.transport)
    there.simulator.faults.add(Fault(do="throttle", on="any", seconds=7))
    with pytest.raises(RetryLater) as busy:
        service.record(charged(there.document("return"), 300), {})
    assert (busy.value.after_seconds, busy.value.unknown) == (7.0, False)
    there.simulator.faults.add(Fault(do="error"))
    with pytest.raises(RetryLater) as failed:
        service.record(charged(there.document("return"), 300), {})
    assert failed.value.unknown
    wrong = connector.tax_service(
        there.connection(), {"license_key": "other"}, there.names, there.transport
    )
    with pytest.raises(RetryLater, match="does not accept the account and key"):
        wrong.record(charged(there.document("return"), 300), {})


def test_the_connection_is_checked(there: Target) -> None:
    said = connector.check(there.connection(), {"license_key": KEY}, there.transport)
    assert said == "AvaTax sandbox answers and accepts the account and key"
    with pytest.raises(Refused, match="does not know the account and key"):
        connector.check(there.connection(), {"license_key": "other"}, there.transport)


def test_the_simulator_keeps_the_vendors_rules(there: Target) -> None:
    def created(**words: object) -> tuple[int, str]:
        model = {
            "type": "SalesInvoice",
            "companyCode": "TILLBRIDGE",
            "code": "C-1",
            "date": "2026-03-02",
            "customerCode": "c",
            "lines": [{"number": "1", "amount": 10}],
            "addresses": {"singleLocation": {"country": "US", "region": "NY"}},
            **words,
        }
        answer = raw(there, "POST", "/api/v2/transactions/create", model)
        error = told(answer).get("error", {})
        return answer.status, error.get("code", "")

    assert created(commit=True) == (201, "")
    assert created() == (400, "GetTaxError")  # the code holds a committed document
    assert created(type="ReturnInvoice") == (400, "GetTaxError")  # not negative
    assert created(code="C-2", lines=[]) == (400, "MissingLine")
    assert created(code="C" * 51) == (400, "MaxStringLengthError")
    assert created(code="C-3", addresses={}) == (400, "MissingAddress")
    assert created(code="C-4", type="Invoice") == (400, "InvalidEnumValue")
    assert created(code="C-5", companyCode="OTHER") == (404, "EntityNotFoundError")
    assert raw(there, "POST", "/api/v2/transactions/create", {}, key="").status == 401
    where = "/api/v2/companies/TILLBRIDGE/transactions/C-9?documentType=SalesOrder"
    assert told(raw(there, "GET", where))["error"]["code"] == "InvalidDocumentTypesToFetch"
