"""Whatever leaves the hub shows a gift card or credit by its last four characters alone.

Who knows the id of such a card can spend it, so it is masked on the way out: of the command line,
of the API, of the log. It is found by where it stands: in a field `card`, behind `card/` in a key
or an open item, and wherever else the same answer repeats it. Tables hold it exact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from tillbridge.canonical.cards import masked, shown

_LEAST = 6
"""Ids shorter than this are masked where they stand, not wherever the same letters come again."""
_CARD = b"card"
# "card": "ID"; in a text that is JSON itself the quotes are escaped
_FIELD = re.compile(
    r'(?P<head>(?P<quote>\\*")card(?P=quote)\s*:\s*(?P=quote))(?P<id>(?:[^"\\]|\\.)*?)(?P=quote)'
)
_KEY = re.compile(r'"card/(?P<id>(?:[^"\\]|\\.)+)"')
# where `card` is the code of a tender, and the field its amount
_AMOUNT = re.compile(r"-?\d+\.\d+")


def told_json(raw: bytes) -> bytes:
    """A JSON document without whole ids of cards; itself when it names none."""
    if _CARD not in raw:
        return raw
    text = raw.decode()
    written = _ids(text)
    text = _FIELD.sub(lambda found: f"{found['head']}{_hidden(found['id'])}{found['quote']}", text)
    for one, plain in written.items():
        if len(one) >= _LEAST:
            text = text.replace(one, _written(masked(plain)))
    return shown(text).encode()


def told_text(text: str, told: bytes) -> str:
    """A page for people without whole ids of cards; told: the same as JSON, which names them."""
    if _CARD in told:
        for plain in sorted(_ids(told.decode()).values(), key=len, reverse=True):
            if len(plain) >= _LEAST:
                text = text.replace(plain, masked(plain))
    return shown(text)


def _ids(text: str) -> Mapping[str, str]:
    """Ids a JSON text names, as they are written in it -> as people read them; longest first."""
    found = {match["id"] for match in _FIELD.finditer(text)}
    found |= {one["id"] for one in _KEY.finditer(text) if shown(one[0]) != one[0]}
    kept = sorted((one for one in found if not _AMOUNT.fullmatch(one)), key=len, reverse=True)
    return {one: _read(one) for one in kept}


def _read(written: str) -> str:
    try:
        return str(msgspec.json.decode(f'"{written}"'))
    except msgspec.DecodeError:  # no text of its own: it stands inside of another one
        return written


def _written(plain: str) -> str:
    return msgspec.json.encode(plain).decode()[1:-1]


def _hidden(written: str) -> str:
    return written if _AMOUNT.fullmatch(written) else _written(masked(_read(written)))
