"""Problems of the API in the words of RFC 9457, each of a stable type with a page of its own.

A type is `/v1/problems/NAME`, an address below which the API says what it means. Names never change
their meaning; a caller may rely on them and on `status`, never on `detail`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tillbridge.inbox.answers import Answer, Headers, problem

TYPES = "/v1/problems/"


class Kind(msgspec.Struct, frozen=True):
    """A type of problem. words: what it means and what the caller can do."""

    status: int
    title: str
    words: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every answer of 400 and above (`application/problem+json`). Further members say
    more about some types: `product`, `location`, `wanted` and `free` (decimal text) of stock.
    """

    type: str
    title: str
    status: int
    detail: str


PROBLEMS: Mapping[str, Kind] = {
    "request-invalid": Kind(
        400, "The request is not understood", "Body, address or header break the contract; mend it."
    ),
    "idempotency-key-missing": Kind(
        400,
        "An Idempotency-Key is needed",
        "1 to 255 visible characters: new per operation, the same when it is sent again.",
    ),
    "key-missing": Kind(401, "A key is needed", "Send Authorization: Bearer KEY."),
    "key-wrong": Kind(401, "The key is wrong", "It is unknown, expired or revoked; ask an admin."),
    "scope-missing": Kind(
        403, "The key is not for this", "The key lacks the scope, or the operator lacks the right."
    ),
    "not-found": Kind(404, "Nothing is here", "There is no such address, or nothing of that name."),
    "method-not-allowed": Kind(405, "Not with this method", "The Allow header tells which."),
    "not-acceptable": Kind(406, "Only JSON is answered", "Accept application/json."),
    "body-slow": Kind(408, "The body came too slowly", "Send it again, in one piece."),
    "stock-short": Kind(
        409, "There is not enough", "`product` lacks: `wanted` is asked for, `free` is there."
    ),
    "reservation-ended": Kind(
        409,
        "The reservation has ended",
        "`ended` says why: `expired`, `released`, `short` or `taken_over`; make a new one.",
    ),
    "body-too-large": Kind(413, "The body is too large", "The detail tells how large it may be."),
    "media-type": Kind(
        415, "Only JSON is taken", "Send Content-Type: application/json and no Content-Encoding."
    ),
    "refused": Kind(422, "The request is refused", "The detail says which rule says no."),
    "product-not-sellable": Kind(
        422, "The product is not for sale", "Its owner says so; `product` names it."
    ),
    "location-unknown": Kind(
        422, "There is no such location", "`location` names it; the hub lists its locations."
    ),
    "product-unknown": Kind(422, "There is no such product", "`product` names it."),
    "order-contradicts": Kind(
        422, "The order contradicts itself", "Amounts, lines and total do not meet; mend the order."
    ),
    "payment-impossible": Kind(
        422, "The payment cannot be", "Its amount, currency or tender is wrong; mend it."
    ),
    "idempotency-key-reused": Kind(
        422,
        "The Idempotency-Key was used for something else",
        "The same key came before with another request; take a new key for a new operation.",
    ),
    "rate-limited": Kind(
        429, "Too many requests", "Wait as long as Retry-After says; RateLimit tells what is left."
    ),
    "wrong-keys": Kind(
        429, "Too many wrong keys", "They came from your address; wait as long as Retry-After says."
    ),
    "unexpected": Kind(
        500, "Something is wrong in the hub", "It is in the hub's log; the same may work later."
    ),
    "store-away": Kind(
        503, "The hub cannot answer now", "Send it again, with the same Idempotency-Key, later."
    ),
}
"""Name -> kind. docs/api.md shows the same table; a test compares."""


def refusal(name: str, detail: str, headers: Headers = (), **members: Any) -> Answer:
    """A problem of a known type; detail is a sentence for the one who called, members say more."""
    kind = PROBLEMS[name]
    told = {"type": TYPES + name, "title": kind.title, **members}
    return problem(kind.status, detail, headers, **told)
