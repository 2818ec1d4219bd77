"""Tryton's own words on the wire: JSON-RPC envelopes and its tagged values.

Amounts travel as `{"__class__": "Decimal", "decimal": "12.34"}`, dates as
`{"__class__": "date", "year", "month", "day"}`, quantities (floats over there) as bare JSON
numbers. Numbers are written and read without ever being a binary float here.
Source of the shapes: answers of a live trytond 8.2.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from tillbridge.contract.wire import WireError, check

# What an RPC parameter may be before encoding; Exact marks a number that must go out bare.
Value = Any


class Exact(msgspec.Struct, frozen=True):
    """A quantity: written as a bare JSON number, from its decimal text (`2`, `0.65`, `-1`)."""

    text: str


class RpcFault(msgspec.Struct, frozen=True):
    """What `error` in an answer says: its class name over there and the texts that came with it.

    warning: the name a warning is acknowledged under, "" for anything else.
    """

    name: str
    words: str
    warning: str = ""


class RpcAnswer(msgspec.Struct, frozen=True):
    """An answer: a result or a fault, never both."""

    result: Any = None
    fault: RpcFault | None = None


class _Envelope(msgspec.Struct, frozen=True):
    id: Any = None
    result: Any = None
    error: Any = None


_DECODER = msgspec.json.Decoder(_Envelope, float_hook=Decimal)


def encode_request(method: str, params: Sequence[Value]) -> bytes:
    """JSON bytes of one call."""
    return msgspec.json.encode({"id": 1, "method": method, "params": [tagged(p) for p in params]})


def decode_answer(body: bytes) -> RpcAnswer:
    """Result or fault of an answer; raises WireError when it is neither."""
    check(body)
    try:
        envelope = _DECODER.decode(body)
    except msgspec.MsgspecError as problem:
        raise WireError(f"Tryton's answer is no JSON-RPC answer: {problem}") from None
    if envelope.error is not None:
        return RpcAnswer(fault=_fault(envelope.error))
    return RpcAnswer(result=plain(envelope.result))


def tagged(value: Value) -> Any:
    """A Python value in Tryton's tagged JSON form; raises TypeError for a float."""
    match value:
        case Exact():
            return msgspec.Raw(value.text.encode())
        case Decimal():
            return {"__class__": "Decimal", "decimal": str(value)}
        case datetime():
            raise TypeError("instants are not sent to Tryton, only dates")
        case date():
            return {
                "__class__": "date",
                "year": value.year,
                "month": value.month,
                "day": value.day,
            }
        case float():
            raise TypeError("a quantity goes out as Exact, an amount as Decimal; never as a float")
        case None | bool() | int() | str():
            return value
        case Mapping():
            return {str(key): tagged(inner) for key, inner in value.items()}
        case _:
            return [tagged(inner) for inner in value]


def plain(value: Any) -> Any:
    """Tryton's tagged JSON form as Python values (Decimal, date, datetime, timedelta, bytes)."""
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "date":
            return date(value["year"], value["month"], value["day"])
        case "datetime":
            moment = (value["hour"], value["minute"], value["second"], value["microsecond"])
            return datetime(value["year"], value["month"], value["day"], *moment)  # noqa: DTZ001 - Tryton's instants are UTC without zone
        case "timedelta":
            return timedelta(seconds=int(value["seconds"]))
        case _:
            return {key: plain(inner) for key, inner in value.items()}


def _fault(error: Any) -> RpcFault:
    """`["UserError", ["words", "description", [...]]]`, or a bare text, as a fault."""
    if isinstance(error, list) and error:
        texts = _texts(error[1:])
        if error[0] == "UserWarning" and texts:
            return RpcFault(name="UserWarning", words=" ".join(texts[1:]), warning=texts[0])
        return RpcFault(name=str(error[0]), words=" ".join(texts) or str(error[0]))
    return RpcFault(name="error", words=str(error))


def _texts(value: Any) -> list[str]:
    """All texts inside nested lists, in order, without empty ones."""
    if isinstance(value, str):
        return [value.strip()] if value.strip() else []
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return []
