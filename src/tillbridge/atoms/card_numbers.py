"""Payment card numbers and security codes in bytes that came in, masked before anything is stored.

PCI DSS 3.3.1 forbids to keep security codes and track data after authorisation, 3.5.1 to keep a
readable card number. A hub needs neither: brand and last four digits tell a person which card.

A number counts when its prefix and length are those of an issuer, its check digit is right (ISO/IEC
7812-1) and its surroundings allow it: a field whose name says card takes any length, also as a bare
JSON number; elsewhere only texts of 15 and 16 digits count, in one piece or in a card's own groups,
and never in fields that hold identities (`order_id`, `TransactionNumber`). Numbers of gift cards
stay. What is masked keeps its length, so JSON stays JSON, XML stays XML and offsets stay true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

FOUND_SHOWN = 5

_DIGITS = b"0123456789"
_SHAPE = bytes(
    48 if 48 <= n <= 57 else 32 if n in b" .-\xc2\xa0" else n + 32 if 65 <= n <= 90 else n
    for n in range(256)
)
# How a card number looks once digits are 0 and what may stand between them is a blank.
_SHAPES = (b"0" * 12, b"0000 0000 0000 0000", b"0000 000000 0000")
_WIDE_SHAPES = (b"0000  0000  0000  0000", b"0000  000000  0000")
_NO_BREAK = b"\xa0"
# Each is looked for in every body that comes in: a few, and long ones where there is a choice.
_CODE_WORDS = (b"security", b"verification", b"cardcode")
_CODE_BEGINS, _CODE_SHORT = b"cv", (b"cvv", b"cvc")

_NUMBER = re.compile(
    rb"(?<![\w.+-])(?:\d{12,19}"
    rb"|\d{4}(?P<a>[ .-]|\xc2\xa0)\d{4}(?P=a)\d{4}(?P=a)\d{4}(?:(?P=a)\d{3})?"
    rb"|\d{4}(?P<b>[ .-]|\xc2\xa0)\d{6}(?P=b)\d{4,5})(?!\w|[.-]\d)"
)
_TRACK = re.compile(
    rb"%?[Bb](?P<one>\d{12,19})\^[^^\r\n\"<]{2,26}\^[^\"<\r\n]{4,80}"
    rb"|(?<!\w);?(?P<two>\d{12,19})=\d{7,40}\??"
)
_CODE_NAME = (
    rb"(?:card_?)?(?:cvv2?|cvc2?|security_?code|verification_?(?:value|code))"
    rb"(?:_?(?:value|code|number))?|cardcode"
)
_CODE = re.compile(
    rb"(?i)(?:\"(?P<json>" + _CODE_NAME + rb")\"\s*:\s*\"?"
    rb"|<(?:\w+:)?(?P<xml>" + _CODE_NAME + rb")(?:\s[^<>]*)?>\s*"
    rb"|[\s&?](?P<pair>" + _CODE_NAME + rb")\s*=\s*[\"']?)(?P<code>\d{3,4})(?!\w)"
)
_NAME = re.compile(
    rb"\"([^\"\\]{1,60})\"\s*:\s*(?:\"[^\"]*)?$"
    rb"|([A-Za-z_][\w:.-]{0,60})\s*=\s*[\"']?[^\"'<>=&]*$"
    rb"|<([A-Za-z_][\w:.-]{0,60})(?:\s[^<>]*)?>[^<>]*$"
)
_BARE = re.compile(rb"[:\[,]\s*$")
_RUN = re.compile(rb"\d+")
_BARE_END = re.compile(rb"\s*[,}\]]")
_IN_ADDRESS = re.compile(rb"://[^\s\"'<>]*$")
_WORD = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NAME_REACH = 200
_CARD_NAME = re.compile(
    rb"card_?n(?:o|r|um|umber)?$|cc_?(?:no|num|number)$|(?:^|_|:)pan$|acc(?:oun)?t_?(?:no|num|number)$"
    rb"|primary_?account",
    re.IGNORECASE,
)
_GIFT_NAME = re.compile(rb"gift|voucher|stored_?value|loyal|member", re.IGNORECASE)
_IDENTITIES = frozenset(
    b"id ids gid uuid guid number num no nr nbr ref reference sku ean upc gtin isbn barcode serial"
    b" token code tracking imei key hash ticket url uri src handle cursor etag fingerprint checksum"
    b" nonce sequence phone fax iban plu".split()
)


class Finding(msgspec.Struct, frozen=True):
    """What was masked: a card's brand and last four digits, or "" for a security code; and the
    name of the field it stood in, "" when none could be told.
    """

    brand: str
    last_four: str
    field: str

    def __str__(self) -> str:
        what = f"{self.brand} ending {self.last_four}" if self.brand else "a security code"
        return f"{what} in {self.field}" if self.field else what


_Stretches = dict[tuple[int, int], tuple[Finding, bytes]]
"""Where, what it was, and what stands there instead."""


class Masked(msgspec.Struct, frozen=True):
    """Bytes of the same length without the numbers, what they were, and the stretches as they came
    with what stands there now (never to be stored or shown).
    """

    body: bytes
    findings: tuple[Finding, ...]
    stretches: Mapping[bytes, bytes]

    @property
    def words(self) -> str:
        """The findings for a person."""
        told = sorted({str(finding) for finding in self.findings})
        more = f" and {len(told) - FOUND_SHOWN} more" if len(told) > FOUND_SHOWN else ""
        return "; ".join(told[:FOUND_SHOWN]) + more


def mask(body: bytes) -> Masked | None:
    """The body without card numbers and security codes; None when it holds none (the hot path)."""
    stretches: _Stretches = {}
    shape = body.translate(_SHAPE)
    for looks in _SHAPES + _WIDE_SHAPES * (_NO_BREAK in body):
        place = shape.find(looks)
        while place >= 0:
            place = shape.find(looks, _look_at(body, place, stretches))
    if any(word in shape for word in _CODE_WORDS) or (
        _CODE_BEGINS in shape and any(word in shape for word in _CODE_SHORT)
    ):
        _find_codes(body, stretches)
    return _without(body, stretches) if stretches else None


def mask_text(text: str) -> str:
    """A text (a header, a log line) without card numbers."""
    masked = mask(text.encode("utf-8", "surrogatepass"))
    return text if masked is None else masked.body.decode("utf-8", "surrogatepass")


def brand_of(digits: str) -> str:
    """The brand whose prefixes and lengths these digits have, "" for none of the known ones."""
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    size = len(digits)
    if digits[0] == "4" and size in (13, 16, 19):
        return "visa"
    if (51 <= two <= 55 or 2221 <= four <= 2720) and size == 16:
        return "mastercard"
    if two in (34, 37) and size == 15:
        return "amex"
    if (four == 6011 or 644 <= three <= 649 or two == 65) and 16 <= size <= 19:
        return "discover"
    if 3528 <= four <= 3589 and 16 <= size <= 19:
        return "jcb"
    return _further_brand(two, three, size)


def _further_brand(two: int, three: int, size: int) -> str:
    if (300 <= three <= 305 or three == 309 or two in (36, 38, 39)) and 14 <= size <= 19:
        return "diners"
    if two == 62 and 16 <= size <= 19:
        return "unionpay"
    if (two == 50 or 56 <= two <= 58 or three in (676, 675, 630)) and 12 <= size <= 19:
        return "maestro"
    return ""


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is right by the formula of ISO/IEC 7812-1 annex B (Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def _look_at(body: bytes, place: int, stretches: _Stretches) -> int:
    """Mask what stands there when it is a card number; gives where to look on."""
    if body[place] not in b"23456":
        return _after_digits(body, place)
    found = _TRACK.match(body, _track_begin(body, place)) or _NUMBER.match(body, place)
    if found is None:
        return _after_digits(body, place)
    track = found.re is _TRACK
    text = (found["one"] or found["two"]) if track else found.group()
    digits = text.translate(None, b" .-\xc2\xa0").decode()
    brand = brand_of(digits)
    if not brand or not has_check_digit(digits):
        return found.end()
    if track:
        finding = Finding(brand, digits[-4:], "track data")
        stretches[found.span()] = finding, b"*" * len(found.group())
    else:
        _mask_number(body, found, Finding(brand, digits[-4:], ""), stretches)
    return found.end()


def _mask_number(
    body: bytes, found: re.Match[bytes], finding: Finding, stretches: _Stretches
) -> None:
    """Mask a card number where its surroundings allow it."""
    start, end = found.span()
    before = body[max(0, start - _NAME_REACH) : start]
    bare, name = _is_bare(body, before, end), _name(before)
    if not _is_card_name(name):
        size = sum(letter in _DIGITS for letter in found.group())
        plain = size == end - start
        if bare or _is_id(name) or _IN_ADDRESS.search(before) or (plain and size not in (15, 16)):
            return
    text = found.group()
    finding = Finding(finding.brand, finding.last_four, name.decode("ascii", "replace"))
    instead = _number(finding.last_four, end - start) if bare else _starred(text)
    stretches[start, end] = finding, instead


def _track_begin(body: bytes, place: int) -> int:
    """Where track data around a number begins: its sentinel and format code belong to it."""
    while place and body[place - 1 : place] in (b"%", b"B", b"b", b";"):
        place -= 1
    return place


def _after_digits(body: bytes, place: int) -> int:
    found = _RUN.match(body, place)
    return found.end() if found else place + 1


def _find_codes(body: bytes, stretches: _Stretches) -> None:
    """Security codes in fields that are named so."""
    for found in _CODE.finditer(body):
        name = found["json"] or found["xml"] or found["pair"]
        code = found["code"]
        bare = found["json"] is not None and found.group()[: -len(code)][-1:] != b'"'
        instead = _number("0", len(code)) if bare else b"*" * len(code)
        finding = Finding("", "", name.decode("ascii", "replace"))
        stretches[found.span()] = finding, found.group()[: -len(code)] + instead


def _without(body: bytes, stretches: _Stretches) -> Masked:
    changed = bytearray(body)
    for (start, end), (_, instead) in stretches.items():
        changed[start:end] = instead
    return Masked(
        bytes(changed),
        tuple(finding for finding, _ in stretches.values()),
        {body[start:end]: instead for (start, end), (_, instead) in stretches.items()},
    )


def _name(before: bytes) -> bytes:
    found = _NAME.search(before)
    name = next((part for part in found.groups() if part), b"") if found else b""
    return name.rsplit(b":", 1)[-1]


def _is_bare(body: bytes, before: bytes, end: int) -> bool:
    """Whether a number of a JSON body stands there without quotes."""
    json = body[:200].lstrip()[:1] in (b"{", b"[")
    return json and bool(_BARE.search(before)) and bool(_BARE_END.match(body, end))


def _is_card_name(name: bytes) -> bool:
    return bool(_CARD_NAME.search(name)) and not _GIFT_NAME.search(name)


def _is_id(name: bytes) -> bool:
    words = _WORD.findall(name)
    return bool(words) and words[-1].lower() in _IDENTITIES


def _starred(text: bytes) -> bytes:
    """All digits but the last four as stars; what stands between them stays."""
    digits = sum(letter in _DIGITS for letter in text)
    out = bytearray(text)
    for place, letter in enumerate(text):
        if letter in _DIGITS:
            digits -= 1
            if digits >= 4:
                out[place] = ord("*")
    return bytes(out)


def _number(digits: str, size: int) -> bytes:
    """The last four digits as a bare JSON number of that many bytes, blanks in front."""
    return str(int(digits)).encode().rjust(size)
