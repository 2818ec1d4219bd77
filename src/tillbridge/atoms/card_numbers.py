r"""Payment card numbers and security codes in bytes that came in, masked before anything is stored.

PCI DSS 3.3.1 forbids to keep security codes and track data after authorisation, 3.5.1 to keep a
readable card number. A hub needs neither: brand and last four digits tell a person which card.

A number counts when its prefix and length are those of an issuer, its check digit is right (ISO/IEC
7812-1) and its surroundings allow it: a field whose name says card takes any length, also as a bare
JSON number; elsewhere only texts of 15 and 16 digits count, in one piece or in a card's own groups,
and never in fields that hold identities (`order_id`, `TransactionNumber`). Numbers of gift cards
stay. What is masked keeps its length, so JSON stays JSON, XML stays XML and offsets stay true.
Digits written as escapes (`\u0034`, `&#52;`, `&#x34;`) or in UTF-16 are read as digits.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

import msgspec

FOUND_SHOWN = 5

_MAYBE_ESCAPED = (b"\\u003", b"&#", b"\0")
_ESCAPED = re.compile(rb"\\u003(\d)|&#(4[89]|5[0-7]);|&#[xX]3(\d);|\0")

_DIGITS = b"0123456789"
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_SHAPE = bytes(
    48 if 48 <= n <= 57 else 32 if n in b" .-\xc2\xa0" else n + 32 if 65 <= n <= 90 else n
    for n in range(256)
)
# How a card number looks once digits are 0 and what may stand between them is a blank.
_RUNS = re.compile(b"0" * 14 + b"0*")
_SHAPES = (b"0000 0000 0000 0000", b"0000 000000 0000")
_WIDE_SHAPES = (b"0000  0000  0000  0000", b"0000  000000  0000")
_NO_BREAK = b"\xa0"
# Each is looked for in every body that comes in: a few, and long ones where there is a choice.
_CODE_WORDS = (b"security", b"verification", b"cardcode")
_CODE_BEGINS, _CODE_SHORT = b"cv", (b"cvv", b"cvc")

# Brand, first and last prefix of four digits, lengths that are issued today.
_BRANDS = (
    ("visa", 4000, 4999, (16, 19)),
    ("mastercard", 5100, 5599, (16,)),
    ("mastercard", 2221, 2720, (16,)),
    ("amex", 3400, 3499, (15,)),
    ("amex", 3700, 3799, (15,)),
    ("discover", 6011, 6011, range(16, 20)),
    ("discover", 6440, 6599, range(16, 20)),
    ("jcb", 3528, 3589, range(16, 20)),
    ("diners", 3000, 3059, range(14, 20)),
    ("diners", 3090, 3099, range(14, 20)),
    ("diners", 3600, 3699, range(14, 20)),
    ("diners", 3800, 3999, range(14, 20)),
    ("unionpay", 6200, 6299, range(16, 20)),
    ("maestro", 5000, 5099, range(16, 20)),
    ("maestro", 5600, 5899, range(16, 20)),
    ("maestro", 6300, 6309, range(16, 20)),
    ("maestro", 6750, 6769, range(16, 20)),
)
# First two digits that a number of that length may begin with: what most long numbers fail.
_LIKELY = tuple(
    frozenset(
        b"%02d" % (prefix // 100)
        for _, first, last, sizes in _BRANDS
        if size in sizes
        for prefix in range(first, last + 1)
    )
    for size in range(20)
)
_NUMBER = re.compile(
    rb"(?:(?<![\w.+-])|(?<=\\[nrt]))(?:\d{14,19}"
    rb"|\d{4}(?P<a>[ .-]|\xc2\xa0)\d{4}(?P=a)\d{4}(?P=a)\d{4}(?:(?P=a)\d{3})?"
    rb"|\d{4}(?P<b>[ .-]|\xc2\xa0)\d{6}(?P=b)\d{4,5})(?!\w|[.-]\d)"
)
_TRACK = re.compile(
    rb"%?[Bb](?P<one>\d{14,19})\^[^^\r\n\"<]{2,26}\^[^\"<\r\n]{4,80}"
    rb"|(?<!\w);?(?P<two>\d{14,19})=\d{7,40}\??"
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
    b" nonce sequence phone fax iban plu receipt order transaction invoice document docket bon"
    b" shipment transfer return parcel payout".split()
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
    stretches = _find(body)
    if any(escape in body for escape in _MAYBE_ESCAPED):
        stretches |= _find_escaped(body)
    return _without(body, stretches) if stretches else None


def _find(body: bytes) -> _Stretches:
    stretches: _Stretches = {}
    shape = body.translate(_SHAPE)
    for run in _RUNS.finditer(shape):
        start, end = run.span()
        if end - start < 20 and body[start : start + 2] in _LIKELY[end - start]:
            _look_at(body, start, stretches)
    for looks in _SHAPES + _WIDE_SHAPES * (_NO_BREAK in body):
        place = shape.find(looks)
        while place >= 0:
            _look_at(body, place, stretches)
            place = shape.find(looks, place + 1)
    if any(word in shape for word in _CODE_WORDS) or (
        _CODE_BEGINS in shape and any(word in shape for word in _CODE_SHORT)
    ):
        _find_codes(body, stretches)
    return stretches


def _find_escaped(body: bytes) -> _Stretches:
    """What is found once escapes are digits, told by where it stands in the body as it came."""
    plain, pieces, begun = bytearray(), [], 0
    for found in _ESCAPED.finditer(body):
        pieces += [body[i : i + 1] for i in range(begun, found.start())]
        plain += body[begun : found.start()]
        begun = found.end()
        code = found[1] or found[3] or (b"%d" % (int(found[2]) - 48) if found[2] else b"")
        plain += code
        if code:
            pieces.append(found.group())
        elif pieces:
            pieces[-1] += found.group()  # the other half of a UTF-16 letter
        else:
            pieces.append(found.group())
            plain += b" "
    plain += body[begun:]
    pieces += [body[i : i + 1] for i in range(begun, len(body))]
    places = [0, *itertools.accumulate(map(len, pieces))]
    told: _Stretches = {}
    for (start, end), (finding, instead) in _find(bytes(plain)).items():
        written = b"".join(map(_written, pieces[start:end], instead))
        told[places[start], places[end]] = finding, written
    return told


def _written(piece: bytes, letter: int) -> bytes:
    """A letter in the form in which another one came."""
    if piece.startswith(b"\\u"):
        return b"\\u%04x" % letter
    if piece.startswith((b"&#x", b"&#X")):
        return b"&#x%02x;" % letter
    if piece.startswith(b"&#"):
        return b"&#%02d;" % letter
    return bytes([letter]) + piece[1:]


def mask_text(text: str) -> str:
    """A text (a header, a log line) without card numbers."""
    masked = mask(text.encode("utf-8", "surrogatepass"))
    return text if masked is None else masked.body.decode("utf-8", "surrogatepass")


def brand_of(digits: str) -> str:
    """The brand whose prefixes and lengths these digits have, "" for none of the known ones."""
    prefix, size = int(digits[:4]), len(digits)
    for brand, first, last, sizes in _BRANDS:
        if first <= prefix <= last and size in sizes:
            return brand
    return ""


def has_check_digit(digits: str) -> bool:
    """Whether the last digit is right by the formula of ISO/IEC 7812-1 annex B (Luhn)."""
    total = sum(map(int, digits[-1::-2]))
    total += sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def _look_at(body: bytes, place: int, stretches: _Stretches) -> None:
    """Mask what stands there when it is a card number."""
    found = _NUMBER.match(body, place)
    if found is None or body[found.end() : found.end() + 1] == b"=":
        found = _TRACK.match(body, _track_begin(body, place)) or found
    if found is None:
        return
    track = found.re is _TRACK
    text = (found["one"] or found["two"]) if track else found.group()
    digits = text.translate(None, b" .-\xc2\xa0").decode()
    brand = brand_of(digits)
    if not brand or not has_check_digit(digits):
        return
    if track:
        finding = Finding(brand, digits[-4:], "track data")
        stretches[found.span()] = finding, b"*" * len(found.group())
    else:
        _mask_number(body, found, Finding(brand, digits[-4:], ""), stretches)


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
    return bool(words) and (
        words[-1].lower() in _IDENTITIES or words[-1].lower().endswith((b"number", b"nummer"))
    )


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
