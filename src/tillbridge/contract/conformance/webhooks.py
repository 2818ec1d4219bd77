"""Checks of webhooks: only what was signed with a live secret is let in; addressing never fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import cast

import msgspec

from tillbridge.atoms.ids import SeededIds
from tillbridge.contract.conformance.samples import Suite
from tillbridge.contract.promises import ReceivesWebhooks

FLIPPED_BYTES_MAX = 2_000


class SignedDelivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Headers of a delivery signed with `secret`."""

    secret: str
    headers: dict[str, str]


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A webhook sample: the same raw body signed with two secrets."""

    raw: str
    signature_header: str
    deliveries: tuple[SignedDelivery, SignedDelivery]
    path: str = "/"
    topic: str = ""


# The verdict in words: `accepted`, `refused`, or what was raised.
Verify = Callable[[bytes, Mapping[str, str], list[str]], str]


def accepts_each_live_secret(suite: Suite) -> list[str]:
    """While secrets rotate two are live: each is accepted, in any order, under any header case."""
    problems = []
    for name, sample, verify in _signed(suite):
        one, two = (delivery.secret for delivery in sample.deliveries)
        for delivery in sample.deliveries:
            body = sample.raw.encode()
            for secrets in ([one, two], [two, one], [delivery.secret]):
                verdict = verify(body, delivery.headers, secrets)
                if verdict != "accepted":
                    problems.append(f"{name}: {verdict} with {len(secrets)} live secrets")
            for change in (str.lower, str.upper, str.title):
                headers = {change(key): value for key, value in delivery.headers.items()}
                verdict = verify(body, headers, [one, two])
                if verdict != "accepted":
                    problems.append(f"{name}: {verdict} with headers in {change.__name__} case")
    return problems


def refuses_everything_else(suite: Suite) -> list[str]:
    """Wrong secret, no secret, one bit flipped anywhere, signature missing or cut: refused."""
    problems: list[str] = []
    for name, sample, verify in _signed(suite):
        one, two = sample.deliveries
        body = sample.raw.encode()
        for label, headers, secrets in (
            ("another secret", one.headers, [two.secret]),
            ("no live secret", one.headers, []),
            ("an empty secret", one.headers, [""]),
            ("the signature of another secret", two.headers, [one.secret]),
            ("no headers", {}, [one.secret]),
        ):
            verdict = verify(body, headers, secrets)
            if verdict != "refused":
                problems.append(f"{name}: {verdict} with {label}")
        for label, headers in _spoilt(one.headers, sample.signature_header):
            verdict = verify(body, headers, [one.secret, two.secret])
            if verdict != "refused":
                problems.append(f"{name}: {verdict} with {label}")
        for number in range(min(len(body), FLIPPED_BYTES_MAX) * 8):
            flipped = bytearray(body)
            flipped[number // 8] ^= 1 << (number % 8)
            verdict = verify(bytes(flipped), one.headers, [one.secret])
            if verdict != "refused":
                problems.append(f"{name}: {verdict} with bit {number} of the body flipped")
                break
        for label, changed in (("cut", body[:-1]), ("longer", body + b" "), ("empty", b"")):
            verdict = verify(changed, one.headers, [one.secret])
            if verdict != "refused":
                problems.append(f"{name}: {verdict} with a {label} body")
    return problems


def addresses_anything(suite: Suite) -> list[str]:
    """`address` never raises, says the same twice, and tells two bodies without id apart."""
    problems = []
    connector = cast("ReceivesWebhooks", suite.connector)
    noise = SeededIds(20260115)
    for name, sample, _ in _signed(suite):
        body = sample.raw.encode()
        headers = sample.deliveries[0].headers
        found = connector.address(sample.path, headers, body)
        if sample.topic and found.topic != sample.topic:
            problems.append(f"{name}: topic {found.topic!r}, expected {sample.topic!r}")
        lower = {key.lower(): value for key, value in headers.items()}
        if connector.address(sample.path, lower, body) != found:
            problems.append(f"{name}: another address with headers in lower case")
        if not found.delivery:
            problems.append(f"{name}: no delivery id")
        bare = [connector.address(sample.path, {}, part).delivery for part in (body, body + b" ")]
        if bare[0] == bare[1]:
            problems.append(f"{name}: two bodies without an id header share a delivery id")
    for size in (0, 1, 5, 50, 500, 5_000):
        for path in ("/", "", "/a/b\x00", "/" + "x" * 3_000):
            body = bytes.fromhex(noise.random_hex(size)) if size else b""
            odd = bytes.fromhex(noise.random_hex(20)).decode("latin-1")
            headers = {odd: odd, "X-Topic": odd, "": "", "content-type": "\x00"}
            try:
                first = connector.address(path, headers, body)
                second = connector.address(path, headers, body)
            except Exception as problem:  # noqa: BLE001 - address promises never to raise
                problems.append(f"{size} random bytes: {type(problem).__name__}: {problem}")
                continue
            if first != second or not first.delivery:
                problems.append(f"{size} random bytes: no stable delivery id")
    return problems


def _signed(suite: Suite) -> Iterator[tuple[str, Signed, Verify]]:
    connector = cast("ReceivesWebhooks", suite.connector)

    def verify(body: bytes, headers: Mapping[str, str], secrets: list[str]) -> str:
        try:
            found = connector.verify(body, headers, secrets)
        except Exception as problem:  # noqa: BLE001 - the verdict in words
            return f"raised {type(problem).__name__}: {problem}"
        return {True: "accepted", False: "refused"}.get(found, f"answered {found!r}")

    for path in suite.webhooks():
        yield path.name, _read(path), verify


def _read(path: Path) -> Signed:
    return msgspec.json.decode(path.read_bytes(), type=Signed)


def _spoilt(headers: Mapping[str, str], name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Headers with the signature missing, empty, cut, doubled or with one bit flipped."""
    kept = {key: value for key, value in headers.items() if key.lower() != name.lower()}
    signature = next(value for key, value in headers.items() if key.lower() == name.lower())
    yield "no signature", kept
    for label, value in (
        ("an empty signature", ""),
        ("a cut signature", signature[:-1]),
        ("a shorter signature", signature[:4]),
        ("a signature told twice", signature + signature),
        ("a signature beyond ASCII", "\u00e9" + signature),
    ):
        yield label, {**kept, name: value}
    for place, letter in enumerate(signature):
        for bit in range(8):
            value = signature[:place] + chr(ord(letter) ^ (1 << bit)) + signature[place + 1 :]
            yield f"bit {bit} of letter {place} of the signature flipped", {**kept, name: value}
