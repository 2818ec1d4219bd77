"""Tryton's encoding, its answers, and amounts as unit prices; no server needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.tryton.client import Access, Session, TrytonClient, TrytonRefused
from tillbridge.connectors.tryton.pricing import PRICE_STEP, amount, priced
from tillbridge.connectors.tryton.wire import Exact, decode_answer, encode_request, plain, tagged
from tillbridge.contract.transport import Request, Response

CENT = Decimal("0.01")


@given(
    quantity=some.integers(-10_000_000, 10_000_000),
    net=some.integers(-100_000_000, 100_000_000),
    digits=some.sampled_from([0, 2, 3]),
)
def test_price_times_quantity_plus_rest_is_the_net(quantity: int, net: int, digits: int) -> None:
    made = priced(quantity, net, "USD", digits)
    assert made.price == made.price.quantize(PRICE_STEP)
    product = (Decimal(made.quantity.text) * made.price).quantize(CENT, rounding=ROUND_HALF_UP)
    assert product + amount(made.rest, "USD") == amount(net, "USD")
    if made.whole:
        assert Decimal(made.quantity.text) * 1000 == quantity


def test_a_currency_without_minor_units_keeps_its_amounts() -> None:
    made = priced(3000, 1000, "JPY", 0)
    assert (made.price, made.rest) == (Decimal("333.3333"), 0)


def test_values_travel_tagged_and_come_back_plain() -> None:
    values = [Decimal("12.340"), date(2026, 3, 2), None, True, 7, "x", {"a": [Decimal(1)]}]
    assert plain(tagged(values)) == values


def test_quantities_are_bare_numbers_and_floats_are_not_let_out() -> None:
    body = encode_request("model.x.create", [{"quantity": Exact("0.65")}])
    assert b'"quantity":0.65' in body
    with pytest.raises(TypeError):
        encode_request("model.x.create", [{"quantity": 0.65}])


def test_quantities_come_back_as_decimals() -> None:
    assert decode_answer(b'{"id":1,"result":[{"quantity":0.1}]}').result == [
        {"quantity": Decimal("0.1")}
    ]


class Scripted:
    """Answers in turn, the last one for ever."""

    def __init__(self, *answers: Response) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        """The next answer."""
        self.requests.append(request)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Response:
    return Response(status=status, headers=headers or {}, body=body)


def logged_in(*answers: Response) -> tuple[TrytonClient, Scripted]:
    transport = Scripted(*answers)
    client = TrytonClient(Access("http://t", "db", "hub", "secret-1"), transport)
    client.resume(Session("token", 1, {}))
    return client, transport


def test_a_row_lock_of_somebody_else_is_a_wait_and_nothing_was_applied() -> None:
    page = b"<html><title>503</title><p>could not obtain lock on row in relation sale</p></html>"
    client, _ = logged_in(answer(503, page))
    with pytest.raises(RetryLater, match="could not obtain lock") as caught:
        client.call("model.sale.sale.process", [1])
    assert not caught.value.unknown


def test_a_server_error_may_have_been_applied() -> None:
    client, _ = logged_in(answer(502, b"bad gateway"))
    with pytest.raises(RetryLater) as caught:
        client.call("model.sale.sale.create", [{}])
    assert caught.value.unknown


def test_business_errors_come_as_refusals_in_trytons_words() -> None:
    body = b'{"id":1,"error":["UserError",["To continue, you must create a period.","",null]]}'
    client, _ = logged_in(answer(200, body))
    with pytest.raises(TrytonRefused, match="create a period") as caught:
        client.call("model.account.invoice.post", [1])
    assert (caught.value.code, caught.value.warning) == ("UserError", "")


def test_a_warning_carries_the_name_it_is_acknowledged_under() -> None:
    body = b'{"id":1,"error":["UserWarning",["abc.invoice_date_future","In the future.",""]]}'
    client, _ = logged_in(answer(200, body))
    with pytest.raises(TrytonRefused, match=r"^In the future\.$") as caught:
        client.call("model.account.invoice.post", [1])
    assert caught.value.warning == "abc.invoice_date_future"


def test_an_expired_session_logs_in_once_and_repeats_the_call() -> None:
    client, transport = logged_in(
        answer(401),
        answer(200, b'{"result":[1,"token-2",null]}'),
        answer(200, b'{"result":{"language":"en"}}'),
        answer(200, b'{"result":[5]}'),
    )
    assert client.search("sale.sale", []) == [5]
    assert len(transport.requests) == 4


def test_a_login_that_is_refused_again_and_again_ends() -> None:
    client, transport = logged_in(answer(401))
    with pytest.raises(Refused, match="password"):
        client.call("model.sale.sale.search", [])
    assert len(transport.requests) == 2


def test_what_tryton_repeats_of_the_password_is_not_repeated() -> None:
    client, _ = logged_in(answer(200, b'{"error":["UserError",["secret-1 is no number","",[]]]}'))
    with pytest.raises(TrytonRefused) as caught:
        client.call("model.sale.sale.create", [{}])
    assert "secret-1" not in caught.value.words
    assert "secret-1" not in repr(Access("http://t", "db", "hub", "secret-1"))
