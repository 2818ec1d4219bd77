"""Card numbers are found where cards stand, left alone where identities stand, masked in place."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree

from tillbridge.atoms.card_numbers import brand_of, has_check_digit, mask, mask_text

# Published test numbers of the brands; none belongs to anybody.
TEST_NUMBERS = {
    "visa": "4111111111111111",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "discover": "6011111111111117",
    "jcb": "3530111333300000",
    "diners": "36227206271667",
    "unionpay": "6250941006528599",
    "maestro": "6759649826438453",
}
LONG = {name: number for name, number in TEST_NUMBERS.items() if len(number) > 14}
HERE = Path(__file__).resolve()
REAL = Path(os.environ.get("TILLBRIDGE_REALDATA", HERE.parents[3] / "shared" / "realdata"))


def grouped(number: str, gap: str) -> str:
    """A number as it stands on its card."""
    sizes = (4, 6, 5) if len(number) == 15 else (4, 6, 4) if len(number) == 14 else (4, 4, 4, 4)
    places = [sum(sizes[:n]) for n in range(len(sizes))]
    return gap.join(number[at : at + size] for at, size in zip(places, sizes, strict=True))


@pytest.mark.parametrize(("brand", "number"), TEST_NUMBERS.items())
def test_the_brands_are_told_by_prefix_and_length(brand: str, number: str) -> None:
    assert brand_of(number) == brand
    assert has_check_digit(number)
    assert not has_check_digit(number[:-1] + str((int(number[-1]) + 1) % 10))


@pytest.mark.parametrize("field", ["note", "name", "address1", "company", "first_name", "value"])
@pytest.mark.parametrize("gap", ["", " ", "-", "\u00a0"])
@pytest.mark.parametrize(("brand", "number"), LONG.items())
def test_a_card_number_in_any_text_is_masked_up_to_its_last_four(
    brand: str, number: str, gap: str, field: str
) -> None:
    told = {"id": 17, field: f"my card is {grouped(number, gap)}, thanks", "x": [1]}
    body = json.dumps(told, ensure_ascii=False).encode()
    masked = mask(body)
    assert masked is not None
    assert len(masked.body) == len(body)
    text = json.loads(masked.body)[field]
    assert re.sub(r"\D", "", text) == number[-4:]
    assert masked.words == f"{brand} ending {number[-4:]} in {field}"
    assert mask(masked.body) is None


@pytest.mark.parametrize("end", ["\n", "\r\n", "\t"])
@pytest.mark.parametrize("number", LONG.values())
def test_a_card_number_on_a_line_of_its_own_is_masked(number: str, end: str) -> None:
    body = json.dumps({"note": f"my card:{end}{number}{end}{grouped(number, ' ')}{end}"}).encode()
    masked = mask(body)
    assert masked is not None
    assert len(masked.body) == len(body)
    assert re.sub(r"\D", "", json.loads(masked.body)["note"]) == 2 * number[-4:]


@pytest.mark.parametrize("name", ["card_number", "CardNumber", "cardNo", "pan", "account_number"])
@pytest.mark.parametrize("number", TEST_NUMBERS.values())
def test_a_field_that_says_card_is_masked_in_json_and_in_xml(name: str, number: str) -> None:
    for told in (f'"{number}"', number):
        masked = mask(b'{"a": 1, "%s": %s, "b": 2}' % (name.encode(), told.encode()))
        assert masked is not None
        document = json.loads(masked.body)
        assert str(document[name]).lstrip("*").zfill(4) == number[-4:]
        assert (document["a"], document["b"]) == (1, 2)
    masked = mask(f'<Tender xmlns="urn:x"><{name} Type="x">{number}</{name}></Tender>'.encode())
    assert masked is not None
    (element,) = etree.fromstring(masked.body)
    assert element.text == "*" * (len(number) - 4) + number[-4:]


@pytest.mark.parametrize(
    "body",
    [
        b'{"cvv": 123, "cvc2": "4567", "security_code": "999"}',
        b'{"cvv" :123,"cvc2":"4567" , "security_code": "999" }',
        b"<Card><CVV>123</CVV><SecurityCode>4567</SecurityCode><cvc>999</cvc></Card>",
        b'<Card CVV="123" SecurityCode="4567" cvc="999"/>',
        b"a=1&cvv=123&security_code=4567&cvc=999",
    ],
)
def test_security_codes_leave_nothing(body: bytes) -> None:
    masked = mask(body)
    assert masked is not None
    assert len(masked.body) == len(body)
    assert not re.search(rb"123|4567|999", masked.body)
    assert masked.words.count("a security code") == 3
    if body.startswith(b"{"):
        json.loads(masked.body)


@pytest.mark.parametrize(
    "track",
    [
        "%B4111111111111111^DOE/JOHN^25121010000000000000?",
        ";4111111111111111=25121010000000000000?",
    ],
)
def test_track_data_is_masked_whole(track: str) -> None:
    masked = mask(f"<Track>{track}</Track>".encode())
    assert masked is not None
    assert masked.body == b"<Track>" + b"*" * len(track) + b"</Track>"


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": 4111111111111111}',
        b'{"order_id": "4111111111111111"}',
        b'{"TransactionNumber":"4111111111111111"}',
        b'{"gid": "gid://shopify/Order/4111111111111111"}',
        b'{"link": "https://x.example/o/4111111111111111?a=1"}',
        b'{"phone": "+4111111111111111"}',
        b'{"amount": "0.4111111111111111"}',
        b'{"note": "4111111111111112"}',
        b'{"note": "41111111111111111"}',
        b'{"note": "a4111111111111111"}',
        b'{"gift_card_number": "6011111111111117"}',
        b'{"credit_card_number": "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2 4242"}',
        b'{"cvv_result_code": "M", "avs_result_code": "Y"}',
        b"<ItemID>4111111111111111</ItemID>",
        b'{"receipt": "4012202611210006"}',
        b'{"Belegnummer": "4012202611210006"}',
        b'{"original_order": "4111111111111111"}',
        b"",
    ],
)
def test_what_is_no_card_number_stays(body: bytes) -> None:
    assert mask(body) is None


def identities(seed: int, count: int) -> Iterator[bytes]:
    """Order numbers, EANs, phone numbers, gids and times as channels send them."""
    dice = random.Random(seed)  # noqa: S311 - repeats with its seed

    def digits(size: int) -> bytes:
        return b"%0*d" % (size, dice.randrange(10**size))

    kinds = (
        lambda: b'{"id":%s,"order_number":"%s"}' % (digits(13).lstrip(b"0"), digits(16)),
        lambda: b'{"barcode":"%s","sku":"%s"}' % (digits(13), digits(14)),
        lambda: b'{"phone":"+%s","note":"call %s"}' % (digits(13), digits(11)),
        lambda: b'{"gid":"gid://shopify/LineItem/%s"}' % digits(16),
        lambda: b'{"amazon":"%s-%s-%s"}' % (digits(3), digits(7), digits(7)),
        lambda: b"<SequenceNumber>%s</SequenceNumber>" % digits(16),
        lambda: b'{"tracking_number":"%s","at":"2026-01-15 09:31:00.1"}' % digits(16),
        lambda: b'{"sizes":"%s"}' % b" ".join(b"%d" % n for n in range(30, 48)),
    )
    for n in range(count):
        yield kinds[n % len(kinds)]()


def test_identities_are_taken_for_cards_less_than_once_in_a_thousand() -> None:
    wrong = [body for body in identities(11, 20_000) if mask(body) is not None]
    assert len(wrong) <= 20, wrong[:5]


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded payloads are not here")
def test_recorded_payloads_hold_no_false_alarm() -> None:
    pieces = alarms = 0
    for path in sorted(REAL.rglob("*")):
        if path.is_file():
            for line in path.read_bytes().splitlines():
                pieces += 1
                alarms += mask(line) is not None
    assert pieces > 1000
    assert alarms <= pieces / 1000


def test_a_text_is_masked_for_logs() -> None:
    assert mask_text("paid with 4111 1111 1111 1111 today") == "paid with **** **** **** 1111 today"
    assert mask_text("nothing here") == "nothing here"


def as_json(number: str) -> str:
    """A number with each of its digits as a JSON escape."""
    return "".join(f"\\u{ord(digit):04x}" for digit in number)


ESCAPED: dict[str, tuple[str, Callable[[str], str]]] = {
    "json": ('{"note": "paid by %s today"}', as_json),
    "json in part": ('{"note": "paid by %s today"}', lambda n: n[:9] + as_json(n[9:])),
    "xml": ("<Note>paid by %s today</Note>", lambda n: "".join(f"&#{ord(d)};" for d in n)),
    "xml hex": ("<Note>by %s today</Note>", lambda n: "".join(f"&#x{ord(d):x};" for d in n)),
}


@pytest.mark.parametrize("how", ESCAPED)
@pytest.mark.parametrize("number", LONG.values(), ids=LONG)
def test_digits_written_as_escapes_are_digits(how: str, number: str) -> None:
    frame, write = ESCAPED[how]
    body = (frame % write(number)).encode()
    masked = mask(body)
    assert masked is not None
    assert len(masked.body) == len(body)
    text = (
        str(json.loads(masked.body)["note"])
        if how.startswith("json")
        else str(etree.fromstring(masked.body).text)
    )
    stars = "*" * (len(number) - 4)
    assert f"by {stars}{number[-4:]} today" in text
    assert [finding.last_four for finding in masked.findings] == [number[-4:]]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_card_number_in_utf_16_is_masked(encoding: str) -> None:
    text = '<?xml version="1.0"?><Note>paid by 4111111111111111 today</Note>'
    masked = mask(text.encode(encoding))
    assert masked is not None
    assert masked.body.decode(encoding) == text.replace("4111111111111111", "************1111")


def test_escapes_that_are_no_card_stay() -> None:
    assert mask(b'{"a": "\\u0034\\u0031 caf\\u00e9", "order_id": 4111111111111111}') is None
    assert mask(b"<a>one &#13;&#10; two &#52; &#x34;</a>\0") is None
