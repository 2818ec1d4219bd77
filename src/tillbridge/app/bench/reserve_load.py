"""The load generator of `bench reserve` and `bench availability`, a process of its own.

`python -m tillbridge.app.bench.reserve_load <port> <connections> <seconds> <most> <shape> <seed>`,
the client's key in the environment. Every request is another one: its Idempotency-Key, and over
several products its lines.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import msgspec

from tillbridge.app.bench.http_load import HOST, WARM, generate

KEY_VARIABLE = "TILLBRIDGE_BENCH_KEY"
LOCATION = "wh-east"
STRIDE, STEP = 7_919, 13
"""Through all products, in no order that helps; the lines of a request differ."""


class Shape(msgspec.Struct, frozen=True):
    """What the requests of a run are like: lines over so many products; 0 lines = a read.

    key: its name on the command line.
    """

    key: str
    name: str
    lines: int
    products: int

    @property
    def codes(self) -> list[str]:
        """The products."""
        return [f"{self.name}-{number:05d}" for number in range(self.products)]


HOT = Shape("hot", "hot", 1, 1)
FORTY = Shape("forty", "forty", 3, 40)
WIDE = Shape("wide", "wide", 3, 10_000)
READS = Shape("reads", "wide", 0, 10_000)
SHAPES = {shape.key: shape for shape in (HOT, FORTY, WIDE, READS)}


def requests(shape: Shape, count: int, key: str, seed: str) -> Iterator[bytes]:
    """`count` whole requests of a client."""
    codes = shape.codes
    common = f"Host: {HOST}\r\nAuthorization: Bearer {key}\r\nAccept: application/json\r\n"
    for number in range(count):
        first = number * STRIDE
        if not shape.lines:
            code = codes[first % len(codes)]
            address = f"/v1/availability?product={code}&location={LOCATION}"
            yield f"GET {address} HTTP/1.1\r\n{common}\r\n".encode()
            continue
        chosen = [codes[(first + step * STEP) % len(codes)] for step in range(shape.lines)]
        lines = [{"product": code, "quantity": 1} for code in chosen]
        body = msgspec.json.encode({"lines": lines, "locations": [LOCATION], "expires_in": 900})
        head = (
            f"POST /v1/reservations HTTP/1.1\r\n{common}"
            f"Idempotency-Key: bench-{seed}-{number:08d}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def main() -> None:
    """Play once."""
    port, connections, seconds, most = sys.argv[1:5]
    shape, seed = SHAPES[sys.argv[5]], sys.argv[6]
    built = requests(shape, int(most) + WARM, os.environ[KEY_VARIABLE], seed)
    good = b"201" if shape.lines else b"200"
    generate(built, int(port), int(connections), float(seconds), good)


if __name__ == "__main__":
    main()
